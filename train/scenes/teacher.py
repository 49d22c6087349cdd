"""The teacher: a detector that exists, here YuNet, marks faces so that ours can learn from it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.detectors import Detection
from edge_runtime.detectors.decode import overlaps
from edge_runtime.detectors.yunet import YuNet
from edge_runtime.framesets.marks import POINTS, Marks
from train.errors import DataError

__all__ = ["Taught", "Teacher"]

SURE, DOUBTFUL, HARDLY = 0.75, 0.3, 0.05
"""Scores from which a box is a face, from which it may be one, and from which it counts where a picture is known to show one."""

_SAME = 0.4
_AROUND = 0.15
_SCALES = (1.0, 2.0)
_ONE_FACE_PX = 160
_AGAIN_PX = (96, 128, 192, 256)

_KNOWN_AROUND = 0.3
_KNOWN_PX = (96, 128, 160, 224)
_LEAST_HEIGHT = 0.4
_LEAST_MEAN = 0.1
"""A face that a picture is known to show: its border, the sizes that it is looked at in, the least part of the picture's
height that it fills, and the least mean of its scores over all looks. Below that, boxes are about an ear or an eye."""


@dataclass(frozen=True)
class Taught:
    """The one face of a picture: box float32 (4,) and landmarks float32 (5, 2), NaN where unknown, in its pixels."""

    box: NDArray[np.float32]
    points: NDArray[np.float32]


class Teacher:
    """YuNet, asked more patiently than a board asks it.

    Args:
        path: a YuNet .onnx file.

    Raises:
        DetectorError: it is none.
    """

    def __init__(self, path: Path) -> None:
        self._detector = YuNet(str(path), score_threshold=DOUBTFUL)
        self._patient = YuNet(str(path), score_threshold=HARDLY)
        self.sha256 = hashlib.sha256(path.read_bytes()).hexdigest()

    def one_face(self, image: NDArray[np.uint8]) -> Taught | None:
        """The face of a picture of one person, BGR (H, W, 3); None where there is none, or several, or it is doubtful.

        The border is repeated around it: a face that fills its picture is found more surely with air around it. A face
        that is found is looked at again in four sizes, as it is and mirrored, and the median of all looks is taken: YuNet's
        landmarks of a single look are off by 6 % of the eyes' distance from that.
        """
        height, width = image.shape[:2]
        scale = max(1.0, _ONE_FACE_PX / max(height, width))
        around = round(_AROUND * max(height, width))
        image = cv2.copyMakeBorder(image, *(around,) * 4, cv2.BORDER_REPLICATE)
        first = self._look(image, scale, mirrored=False)
        if first is None:
            return None
        face_px = float(first.box[3] - first.box[1])
        again = [self._look(image, px / face_px, mirrored) for px in _AGAIN_PX for mirrored in (False, True)]
        looks = [first, *(look for look in again if look is not None and _same(look.box, first.box))]
        box, points = (np.median([getattr(look, name) for look in looks], axis=0) for name in ("box", "points"))
        return Taught((box - around).astype(np.float32), (points - around).astype(np.float32))

    def known_face(self, image: NDArray[np.uint8]) -> Taught | None:
        """The face of a picture that is known to show one, BGR (H, W, 3), where a look is not sure of it; None where all see
        too little.

        It is looked at in four sizes, as it is and mirrored, with its border repeated around it. Boxes that are alike speak
        for each other with their scores; the median of those that most speaks for is taken.
        """
        height, width = image.shape[:2]
        around = round(_KNOWN_AROUND * max(height, width))
        image = cv2.copyMakeBorder(image, *(around,) * 4, cv2.BORDER_REPLICATE)
        looks = [(px / max(height, width), mirrored) for px in _KNOWN_PX for mirrored in (False, True)]
        all_boxes, all_points, all_scores, _ = _seen_in(self._patient, image, looks)
        all_boxes, all_points = all_boxes - around, all_points - around
        middles = (all_boxes[:, :2] + all_boxes[:, 2:]) / 2
        may_be = np.all((middles > 0) & (middles < (width, height)), axis=1)
        may_be &= all_boxes[:, 3] - all_boxes[:, 1] >= _LEAST_HEIGHT * height
        all_boxes, all_points, all_scores = all_boxes[may_be], all_points[may_be], all_scores[may_be]
        if not len(all_boxes):
            return None
        alike = overlaps(all_boxes, all_boxes) >= _SAME
        spoken = alike @ all_scores
        best = int(spoken.argmax())
        if spoken[best] < _LEAST_MEAN * len(looks):
            return None
        box, five = (np.median(each[alike[best]], axis=0).astype(np.float32) for each in (all_boxes, all_points))
        return Taught(box, five)

    def _look(self, image: NDArray[np.uint8], scale: float, mirrored: bool) -> Taught | None:
        """The face in the picture as it is, though seen at another scale or mirrored; None without exactly one that is sure."""
        seen, scores = _seen(self._detector, image, scale, mirrored)
        return Taught(seen.boxes[0], seen.points[0]) if len(seen) == 1 and scores[0] >= SURE else None

    def marks(self, image: NDArray[np.uint8]) -> Marks:
        """What is in a place, BGR (H, W, 3): faces that are sure both as it is and twice as large; other boxes are ignored.

        One look alone takes lanterns, gorillas and flower pots for faces.
        """
        all_boxes, all_points, scores, looks = _seen_in(self._detector, image, [(scale, False) for scale in _SCALES])
        sure = scores >= SURE
        alike = overlaps(all_boxes, all_boxes) >= _SAME
        kept: list[int] = []
        for index in np.argsort(-scores, kind="stable").tolist():
            if not alike[index, kept].any():
                kept.append(index)
        seen = [len(set(looks[alike[index] & sure].tolist())) for index in kept]
        certain = [index for index, count in zip(kept, seen, strict=True) if count == len(_SCALES)]
        doubtful = [index for index, count in zip(kept, seen, strict=True) if count < len(_SCALES)]
        return Marks(all_boxes[certain], all_points[certain], all_boxes[doubtful])


def _seen(detector: YuNet, image: NDArray[np.uint8], scale: float, mirrored: bool) -> tuple[Marks, NDArray[np.float32]]:
    """What a detector sees in a picture at another scale or mirrored, in the picture as it is, and its scores."""
    if scale != 1:
        how = cv2.INTER_LINEAR if scale > 1 else cv2.INTER_AREA
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=how)
    found = detector.detect(np.ascontiguousarray(image[:, ::-1]) if mirrored else image)
    back = np.diag([1 / scale, 1 / scale]) @ (_mirror(image.shape[1]) if mirrored else np.eye(2, 3))
    seen = Marks(*_arrays(found), np.zeros((0, 4), np.float32)).moved(back)
    return seen, np.array([each.score for each in found], np.float32)


def _seen_in(
    detector: YuNet, image: NDArray[np.uint8], looks: Sequence[tuple[float, bool]]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
    """What it sees in several looks, each a scale and whether mirrored: boxes, points, scores, and the look's number of each."""
    seen = [_seen(detector, image, scale, mirrored) for scale, mirrored in looks]
    numbers = np.repeat(np.arange(len(looks)), [len(scores) for _, scores in seen])
    boxes, points = (np.concatenate([getattr(marks, name) for marks, _ in seen]) for name in ("boxes", "points"))
    return boxes, points, np.concatenate([scores for _, scores in seen]), numbers


def _mirror(width: int) -> NDArray[np.float64]:
    return np.array([[-1.0, 0, width], [0, 1, 0]])


def _same(a: NDArray[np.float32], b: NDArray[np.float32]) -> bool:
    return bool(overlaps(a[None], b[None])[0, 0] >= _SAME)


def _arrays(found: list[Detection]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    boxes = np.array([each.box.as_tuple() for each in found], np.float32).reshape(-1, 4)
    landmarks = [each.landmarks for each in found]
    if any(each is None for each in landmarks):
        raise DataError("a teacher without landmarks", "one that gives five a face", "take YuNet")
    points = [each.as_tuple() for each in landmarks if each is not None]
    return boxes, np.array(points, np.float32).reshape(-1, POINTS, 2)
