"""Small faces of large frames: a frame is searched whole, and then again in overlapping parts that fill the net's input.

    TiledSearch(open_detector("tflite"), (320, 256), detail=2).detect(photograph)

A net that reads 320 × 256 px sees a photograph of 4000 px at a twelfth of its size, and in it no face of less than 150 px.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from edge_runtime.detectors.base import MOST_FACES, Detection, Detector
from edge_runtime.detectors.parts import cut_by, moved_by, once
from edge_runtime.errors import DetectorError
from edge_runtime.geometry import Box

__all__ = ["MOST_DETAIL", "ZOOM", "TiledSearch", "check_detail", "detail_of", "tiles"]

MOST_DETAIL = 4
"""Beside the whole of a photograph of 4000 × 3000 px, 2, 3 and 4 search 4, 20 and 62 parts."""

ZOOM = 1.6
"""How much larger each step shows the frame than the one before. Neighbours share two fifths of a part, so that whatever
is smaller than that is whole in one of them; what is larger was found one step before."""

_OVERLAP = 0.4
_LEAST_ZOOM = 1.2
"""Parts of a frame that is hardly larger than the input would show what the whole frame shows."""

_BORDER = 0.01
"""Of a part's longer side: a box so near to its border may be that of a face that goes on behind it."""


class TiledSearch:
    """A detector that looks more closely at frames that are larger than its input.

    Args:
        detector: scales each frame to its input.
        size: (width, height) of that input in pixels.
        detail: how many steps: 1 searches the whole frame only, 2 also parts of five eighths of its width, up to MOST_DETAIL. A
            step that the frame has no pixels for is left out.

    Attributes:
        left_out: faces of the last frame that were not given, as there were too many.

    Raises:
        DetectorError: another `detail`.
    """

    def __init__(self, detector: Detector, size: tuple[int, int], detail: int) -> None:
        check_detail(detail)
        self.detector, self.size, self.detail = detector, size, detail
        self.name, self.framing = detector.name, detector.framing
        self.left_out = 0

    def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
        """Faces in a BGR uint8 frame (H, W, 3) or a grey one (H, W), largest first, each once."""
        found = self.detector.detect(image)
        left_out = int(getattr(self.detector, "left_out", 0))
        for part in tiles(image.shape[1], image.shape[0], self.size, self.detail):
            found = once(found, self._look(image, part))
        found.sort(key=lambda each: -each.box.area)
        self.left_out = left_out + max(0, len(found) - MOST_FACES)
        return found[:MOST_FACES]

    def _look(self, image: NDArray[np.uint8], part: Box) -> list[Detection]:
        left, top, right, bottom = (int(side) for side in part.as_tuple())
        seen = self.detector.detect(np.ascontiguousarray(image[top:bottom, left:right]))
        border = max(1.0, _BORDER * max(right - left, bottom - top))
        moved = [moved_by(each, left, top, 1, 1) for each in seen]
        return [each for each in moved if each.box.area > 0 and not cut_by(each.box, part, image, border)]


def check_detail(detail: int) -> int:
    """The same number. Raises DetectorError where it is none of 1 to MOST_DETAIL."""
    if not 1 <= detail <= MOST_DETAIL:
        raise DetectorError(
            f"detail {detail}", f"1 to {MOST_DETAIL}", "1 is the fastest, 2 finds faces of five eighths of the size"
        )
    return detail


def detail_of(detector: Detector) -> int:
    """How closely it searches pictures that are larger than its input; 1 for one that looks once."""
    return detector.detail if isinstance(detector, TiledSearch) else 1


def tiles(width: int, height: int, size: tuple[int, int], detail: int) -> list[Box]:
    """The parts of a frame that `detail` asks for beside the whole of it, in whole pixels, the largest first.

    Args:
        width, height: of the frame in pixels.
        size: (width, height) of the input that each part is scaled to.
        detail: as of TiledSearch.
    """
    parts: list[Box] = []
    whole = min(size[0] / width, size[1] / height)  # the scale at which the whole frame is seen
    for step in range(1, detail):
        zoom = min(ZOOM**step, 1 / whole)
        if zoom < _LEAST_ZOOM * ZOOM ** (step - 1):
            break
        columns, rows = (_starts(side, at / (whole * zoom)) for side, at in zip((width, height), size, strict=True))
        parts += [Box(left, top, right, bottom) for top, bottom in rows for left, right in columns]
    return parts


def _starts(side: int, part: float) -> list[tuple[int, int]]:
    """Where parts of a length begin and end that cover a side with their overlaps, evenly."""
    length = min(side, math.ceil(part))
    count = 1 + math.ceil((side - length) / (length * (1 - _OVERLAP)) - 1e-9)
    starts = np.linspace(0, side - length, count).round().astype(int).tolist() if count > 1 else [0]
    return [(start, start + length) for start in starts]
