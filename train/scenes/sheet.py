"""A contact sheet of scenes, with what is known about their faces drawn in."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.framesets.marks import Marks, Scene

__all__ = ["draw_sheet", "with_marks"]

_FACE, _IGNORED, _POINT = (80, 220, 60), (160, 160, 160), (60, 60, 255)
_GAP_PX = 4


def draw_sheet(scenes: Sequence[Scene], columns: int) -> NDArray[np.uint8]:
    """BGR uint8: the scenes row by row; faces green with red landmarks, ignored places grey."""
    tiles = [with_marks(scene.image, scene.marks) for scene in scenes]
    height, width = tiles[0].shape[:2]
    rows = -(-len(tiles) // columns)
    sheet = np.full((rows * (height + _GAP_PX) - _GAP_PX, columns * (width + _GAP_PX) - _GAP_PX, 3), 255, np.uint8)
    for index, tile in enumerate(tiles):
        top, left = index // columns * (height + _GAP_PX), index % columns * (width + _GAP_PX)
        sheet[top : top + height, left : left + width] = tile
    return sheet


def with_marks(image: NDArray[np.uint8], marks: Marks) -> NDArray[np.uint8]:
    """A BGR copy of (H, W, 1) or (H, W, 3) with the marks drawn in."""
    drawn = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) if image.shape[2] == 1 else image.copy()
    for boxes, colour in ((marks.ignored, _IGNORED), (marks.boxes, _FACE)):
        for left, top, right, bottom in np.rint(boxes).astype(int).tolist():
            cv2.rectangle(drawn, (left, top), (right - 1, bottom - 1), colour, 1)
    for x, y in marks.points[np.isfinite(marks.points).all(axis=2)].tolist():
        cv2.circle(drawn, (round(x), round(y)), 1, _POINT, -1)
    return drawn
