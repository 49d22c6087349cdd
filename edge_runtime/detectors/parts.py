"""Faces found in parts of a frame: in the frame's pixels, whole, and each once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge_runtime.detectors.base import Detection
from edge_runtime.geometry import Box, Landmarks, iou

__all__ = ["cut_by", "moved_by", "once", "same", "shared"]

SAME_IOU, SAME_SHARE = 0.4, 0.7
"""Two boxes are one face where they overlap by so much (intersection over union), or where so much of the smaller one is shared."""


def moved_by(found: Detection, left: float, top: float, right: float, down: float) -> Detection:
    """A detection of a part or a smaller picture in pixels of the frame: grown by (right, down), then moved."""
    box, points = found.box, found.landmarks
    grown = Box(left + box.left * right, top + box.top * down, left + box.right * right, top + box.bottom * down)
    if points is None:
        return Detection(grown, found.score)
    pairs = ((left + x * right, top + y * down) for x, y in points.as_tuple())
    return Detection(grown, found.score, Landmarks(*pairs))


def cut_by(box: Box, part: Box, image: NDArray[np.uint8], margin: float) -> bool:
    """Whether a box reaches a border of the part that is none of the frame's, to within `margin` pixels: the face may go on."""
    height, width = image.shape[:2]
    return (
        (part.left > 0 and box.left < part.left + margin)
        or (part.top > 0 and box.top < part.top + margin)
        or (part.right < width and box.right > part.right - margin)
        or (part.bottom < height and box.bottom > part.bottom - margin)
    )


def once(found: Sequence[Detection], closer: Sequence[Detection]) -> list[Detection]:
    """What the whole frame showed, and of the parts what is not among it: of two of one face the surest."""
    kept = list(found)
    for each in sorted(closer, key=lambda each: -each.score):
        if not any(same(each.box, other.box) for other in kept):
            kept.append(each)
    return kept


def same(one: Box, other: Box) -> bool:
    """Whether two boxes are one face."""
    smaller = min(one.area, other.area)
    return iou(one, other) > SAME_IOU or (smaller > 0 and shared(one, other) > SAME_SHARE * smaller)


def shared(one: Box, other: Box) -> float:
    """The area that two boxes share."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    return max(0.0, width) * max(0.0, height)
