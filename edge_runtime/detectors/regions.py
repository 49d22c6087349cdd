"""Faces looked for where they were: close-ups of known faces between searches of the whole frame.

    search = RegionSearch(open_detector("tflite:LARGE"), open_detector("tflite:SMALL"), scan_every=5)
    found = search.find(image, expected)    # boxes of the faces that are known, where they should be now

A close-up of a face is a small picture however large the frame is, and a face that is small in the frame is large in it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge_runtime.detectors.base import Detection, Detector
from edge_runtime.detectors.parts import cut_by, moved_by, once, same, shared
from edge_runtime.detectors.scaling import shrunk
from edge_runtime.errors import DetectorError
from edge_runtime.geometry import Box

__all__ = ["MOST_REGIONS", "NOWHERE", "REGIONS", "SEARCHES", "WHOLE", "RegionSearch"]

WHOLE, REGIONS, NOWHERE = "whole", "regions", "none"
SEARCHES = (WHOLE, REGIONS, NOWHERE)
"""Where a frame was searched: all over, about the known faces only, or not at all, as between detections."""

MOST_REGIONS = 8
"""Close-ups of one frame; where more faces are known, the whole frame is cheaper."""

ROUND_FACE = 0.75
"""What a close-up shows about a face, on each side, in lengths of the face: room for what a head moves between two frames."""

CLOSE_UP_PX = 160
"""Longest side of a close-up: a face of half that size is as well seen as a larger one. A detector whose input is no larger
scales it itself, once."""

LEAST_PX = 16
"""Half a side of a close-up at least, for a face of a few pixels."""


class RegionSearch:
    """Searches the whole frame every few frames, and only about known faces between.

    The whole frame is searched too when nobody is known, when more than `MOST_REGIONS` are, and in the frame after one in which
    a known face was not found. A search of the whole frame that misses a known face is followed by a close-up of it in the
    same frame, so that a face too small for the whole frame does not come and go.

    Args:
        detector: for whole frames.
        close_up: for close-ups; None for the detector's own of half the size, where it has one, or else the same.
        scan_every: every n-th search goes over the whole frame; 1 searches nothing else and makes no close-ups.

    Attributes:
        left_out: faces of the last frame that the detector found and did not give.
        searched: "whole" or "regions", where the last search looked.
        looked_px: how many pixels the detectors were given for it.

    Raises:
        DetectorError: detectors that frame faces differently: crops would change from frame to frame.
    """

    def __init__(self, detector: Detector, close_up: Detector | None = None, scan_every: int = 1) -> None:
        self.detector, self.scan_every = detector, scan_every
        self.close_up: Detector = close_up or getattr(detector, "half", None) or detector
        if self.close_up.framing != detector.framing:
            raise DetectorError(
                f"close-ups by {self.close_up.name} with {self.close_up.framing}",
                f"{detector.framing}, which {detector.name} has",
                "take bundles of one detector for both",
            )
        self.left_out, self.looked_px, self.searched = 0, 0, WHOLE
        size: tuple[int, int] | None = getattr(self.close_up, "input_size", None)
        self._input_size = None if size is None or max(size) > CLOSE_UP_PX else size
        self._since_scan = scan_every
        self._missed = False

    def find(
        self, image: NDArray[np.uint8], expected: Sequence[Box] = (), small: NDArray[np.uint8] | None = None
    ) -> list[Detection]:
        """Faces of one frame, largest first, each once, in pixels of `image`.

        Args:
            image: BGR uint8 (H, W, 3).
            expected: where the known faces should be now.
            small: the same view in fewer pixels, which is searched instead of the whole of `image`.
        """
        self._since_scan += 1
        known = [box for box in expected if _region(box, image) is not None]
        whole = self._since_scan >= self.scan_every or not known or len(known) > MOST_REGIONS or self._missed
        self.searched = WHOLE if whole else REGIONS
        self.left_out, self.looked_px, self._missed = 0, 0, False
        found: list[Detection] = []
        if whole:
            self._since_scan = 0
            found = self._scan(image, small)
            if self.scan_every == 1:
                return found
        unseen = [box for box in known if not any(same(box, each.box) for each in found)]
        if unseen and len(unseen) <= MOST_REGIONS:
            closer = [each for region in _joined(unseen, image) for each in self._look(image, region)]
            found = once(found, closer)
        self._missed = not whole and any(not any(same(box, each.box) for each in found) for box in known)
        return sorted(found, key=lambda each: -each.box.area)

    def _scan(self, image: NDArray[np.uint8], small: NDArray[np.uint8] | None) -> list[Detection]:
        looked_at = image if small is None else small
        self.looked_px += looked_at.shape[0] * looked_at.shape[1]
        if small is None:
            found = self.detector.detect(image)
        else:
            right, down = image.shape[1] / small.shape[1], image.shape[0] / small.shape[0]
            found = [moved_by(each, 0, 0, right, down) for each in self.detector.detect(small)]
        self.left_out = int(getattr(self.detector, "left_out", 0))
        return [each for each in found if each.box.area > 0]

    def _look(self, image: NDArray[np.uint8], region: Box) -> list[Detection]:
        """Faces of a close-up. One at its border, which may cut it, is left to another close-up, or to the whole frame."""
        left, top, right, bottom = (int(side) for side in region.as_tuple())
        closer, back = np.ascontiguousarray(image[top:bottom, left:right]), 1.0
        if self._input_size is None:
            closer, back = shrunk(closer, CLOSE_UP_PX)
            margin = back
        else:
            margin = max(1.0, *(side / px for side, px in zip(closer.shape[1::-1], self._input_size, strict=True)))
        self.looked_px += closer.shape[0] * closer.shape[1]
        moved = [moved_by(each, left, top, back, back) for each in self.close_up.detect(closer)]
        return [each for each in moved if each.box.area > 0 and not cut_by(each.box, region, image, margin)]


def _region(box: Box, image: NDArray[np.uint8]) -> Box | None:
    """What a close-up of a face shows, in whole pixels of the frame; None for a face that has left it."""
    height, width = image.shape[:2]
    x, y = box.center
    if not (0 <= x < width and 0 <= y < height):
        return None
    reach = max(box.width, box.height) * (0.5 + ROUND_FACE)
    reach = max(reach, LEAST_PX)
    return Box(
        max(0, math.floor(x - reach)),
        max(0, math.floor(y - reach)),
        min(width, math.ceil(x + reach)),
        min(height, math.ceil(y + reach)),
    )


def _joined(boxes: Sequence[Box], image: NDArray[np.uint8]) -> list[Box]:
    """The regions of the boxes; two that hold each other's faces become one, so that nobody is looked at twice."""
    regions = [region for region in (_region(box, image) for box in boxes) if region is not None]
    joined: list[Box] = []
    for region in sorted(regions, key=lambda each: -each.area):
        home = next((index for index, other in enumerate(joined) if shared(region, other) > 0.5 * region.area), None)
        if home is None:
            joined.append(region)
        else:
            joined[home] = _around(joined[home], region)
    return joined


def _around(one: Box, other: Box) -> Box:
    return Box(
        min(one.left, other.left),
        min(one.top, other.top),
        max(one.right, other.right),
        max(one.bottom, other.bottom),
    )
