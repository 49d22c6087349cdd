"""Data-set faces placed back into larger pictures, upright or turned, so that a detector has something to find."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.detectors import Detection, Detector
from edge_runtime.geometry import Box, iou

__all__ = ["SEED", "find_placed", "lies_within", "place", "placed_among"]

SEED = 7
CANVAS_SIZE = (320, 240)
SAME_FACE_IOU = 0.35


def place(
    face: NDArray[np.uint8], random: np.random.Generator, turned_deg: float = 0.0
) -> tuple[NDArray[np.uint8], Box]:
    """Puts a grey (H, W) face, 100 to 160 px large, somewhere into a BGR picture of 320 × 240 px.

    The background continues the face's own border, blurred more and more, as FER2013's crops end before chin and hair do.

    Args:
        face: uint8 (H, W).
        random: where the place and the size come from; the angle takes nothing of it.
        turned_deg: the picture is turned clockwise by so much about the face's middle.

    Returns:
        The picture, and the box that the whole crop covers in it, before it is turned.
    """
    width, height = CANVAS_SIZE
    side = int(random.integers(100, 161))
    left, top = int(random.integers(20, width - side - 20)), int(random.integers(20, height - side - 20))
    grown = cv2.resize(face, (side, side), interpolation=cv2.INTER_CUBIC)
    canvas = cv2.copyMakeBorder(grown, top, height - top - side, left, width - left - side, cv2.BORDER_REPLICATE)
    background = cv2.GaussianBlur(canvas, (0, 0), side / 8)
    background[top : top + side, left : left + side] = grown
    if turned_deg:
        # OpenCV counts middles of pixels from 0 and turns against the clock.
        middle = left + (side - 1) / 2, top + (side - 1) / 2
        turn = cv2.getRotationMatrix2D(middle, -turned_deg, 1.0)
        background = cv2.warpAffine(
            background, turn, CANVAS_SIZE, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
    return cv2.cvtColor(background, cv2.COLOR_GRAY2BGR), Box(left, top, left + side, top + side)


def find_placed(detector: Detector, image: NDArray[np.uint8], placed: Box) -> Detection | None:
    """The detection that overlaps the placed face most, or None where none overlaps it enough."""
    return placed_among(detector.detect(image), placed)


def placed_among(detections: Sequence[Detection], placed: Box) -> Detection | None:
    """The same, of those that were found already."""
    pairs = [(iou(detection.box, placed), detection) for detection in detections]
    overlap, best = max(pairs, key=lambda pair: pair[0], default=(0.0, None))
    return best if overlap > SAME_FACE_IOU else None


def lies_within(detections: Sequence[Detection], placed: Box) -> bool:
    """Whether the middle of one of them lies in the placed crop, whatever its size."""
    middles = [detection.box.center for detection in detections]
    return any(placed.left < x < placed.right and placed.top < y < placed.bottom for x, y in middles)
