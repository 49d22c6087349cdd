"""A frame of any shape into a detector's input, whole and undistorted."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.preprocess import grown

__all__ = ["in_colours", "letterbox"]


def letterbox(
    image: NDArray[np.uint8], width: int, height: int, channels: int
) -> tuple[NDArray[np.uint8], tuple[float, float]]:
    """The frame scaled to fit, in the top left corner of black.

    Args:
        image: BGR uint8 (H, W, 3), or grey uint8 (H, W).
        width, height: of the input in pixels.
        channels: 1 for grey, 3 for BGR.

    Returns:
        uint8 (height, width, channels), and how many of its pixels one pixel of the frame is, along x and y: they differ by
        the rounding to whole pixels.
    """
    rows, columns = image.shape[:2]
    scale = min(width / columns, height / rows)
    size = max(1, min(width, round(columns * scale))), max(1, min(height, round(rows * scale)))
    # Colour goes first: the fewest values are scaled.
    image = in_colours(image, channels)
    if size != (columns, rows):
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA) if scale < 1 else grown(image, size)
    pixels = np.zeros((height, width, channels), np.uint8)
    pixels[: size[1], : size[0]] = image.reshape(size[1], size[0], channels)
    return pixels, (size[0] / columns, size[1] / rows)


def in_colours(image: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    """A frame as `letterbox` takes it, grey where `channels` is 1, and BGR where it is 3."""
    if channels == 1 and image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    elif channels == 3 and image.ndim == 2:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    return image
