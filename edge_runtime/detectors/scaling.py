"""Frames shrunk to what a detector needs, and its boxes grown back."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["shrunk"]


def shrunk(image: NDArray[np.uint8], longest_px: int) -> tuple[NDArray[np.uint8], float]:
    """The image with its longest side at most `longest_px`, and the factor that leads from its pixels back to `image`'s."""
    height, width = image.shape[:2]
    longest = max(height, width)
    if longest <= longest_px:
        return image, 1.0
    scale = longest_px / longest
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA), 1 / scale
