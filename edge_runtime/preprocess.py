"""THE preprocessing: a frame and a box become the uint8 crop that the model reads.

Training, calibration, parity and the board all call these functions, so a face looks the same everywhere. They do only
what needs the frame's geometry (crop, resize, colour order). Everything per pixel (scaling, softmax) is in the model.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.geometry import Box

__all__ = ["PREPROCESS_VERSION", "Framing", "crop_face", "fit_face"]

PREPROCESS_VERSION = 1
"""Part of every bundle. A change below that changes a pixel raises it."""


@dataclass(frozen=True)
class Framing:
    """How the square that the model sees follows from a detector's box.

    The side is `scale` × the box's `side` ("width" or "height"); its centre is the box's centre, moved right and down by
    shares of that side. One per detector, measured where the detector finds the faces of the training set
    (`benchmarks/framing.py` prints it).
    """

    side: str
    scale: float
    right: float = 0.0
    down: float = 0.0

    def __post_init__(self) -> None:
        if self.side not in ("width", "height") or not 0.1 < self.scale < 10:
            raise ValueError(f"framing {self}: expected a side of width or height and a scale of 0.1 to 10")

    def square(self, box: Box) -> Box:
        """The square in frame coordinates; it may reach outside the frame."""
        side = (box.width if self.side == "width" else box.height) * self.scale
        x, y = box.center
        x, y = x + self.right * side, y + self.down * side
        return Box(x - side / 2, y - side / 2, x + side / 2, y + side / 2)


def crop_face(image: NDArray[np.uint8], square: Box, size: int, channels: int) -> NDArray[np.uint8]:
    """Cuts a square out of a frame and scales it to the model's input.

    Args:
        image: BGR uint8 (H, W, 3), or grey uint8 (H, W).
        square: what to cut, in pixels; parts outside the frame repeat its border.
        size: side of the crop in pixels.
        channels: 1 for grey, 3 for BGR.

    Returns:
        uint8 (size, size, channels).
    """
    height, width = image.shape[:2]
    left, top = round(square.left), round(square.top)
    right, bottom = max(left + 1, round(square.right)), max(top + 1, round(square.bottom))
    inside = image[max(0, min(top, height - 1)) : max(1, bottom), max(0, min(left, width - 1)) : max(1, right)]
    # Colour is converted before borders and scaling: the fewest pixels pass through each step.
    inside = _with_channels(inside, channels)
    above, below = max(0, -top), max(0, bottom - height)
    before, behind = max(0, -left), max(0, right - width)
    if above or below or before or behind:
        inside = cv2.copyMakeBorder(inside, above, below, before, behind, cv2.BORDER_REPLICATE)
    return fit_face(inside, size, channels)


def fit_face(face: NDArray[np.uint8], size: int, channels: int) -> NDArray[np.uint8]:
    """Scales a ready-cropped face (H, W) or (H, W, C) to uint8 (size, size, channels).

    Shrinking averages over the area (no aliasing), growing interpolates linearly; a face of that size stays as it is.
    """
    face = _with_channels(face, channels)
    height, width = face.shape[:2]
    if (height, width) != (size, size):
        shrinks = height >= size and width >= size
        face = cv2.resize(face, (size, size), interpolation=cv2.INTER_AREA) if shrinks else _grown(face, size)
    return face.reshape(size, size, channels)


def _grown(face: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """`face` scaled linearly. OpenCV for ARM has a kernel of its own for one channel, which is off by up to two grey levels in
    a fourth of all pixels; two channels go the way that they go on every processor (`python -m boards arm64`)."""
    grey = face.ndim == 2 or face.shape[2] == 1
    wide = cv2.merge([face, face]) if grey else face
    grown: NDArray[np.uint8] = cv2.resize(wide, (size, size), interpolation=cv2.INTER_LINEAR)
    return grown[..., 0] if grey else grown


def _with_channels(image: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    grey = image.ndim == 2 or image.shape[2] == 1
    if channels == 1:
        return image.reshape(image.shape[:2]) if grey else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) if grey else image
