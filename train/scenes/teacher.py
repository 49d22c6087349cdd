"""The teacher: a detector that exists, here YuNet, marks faces so that ours can learn from it."""

from __future__ import annotations

import hashlib
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

__all__ = ["DOUBTFUL", "Taught", "Teacher"]

SURE, DOUBTFUL = 0.75, 0.3
"""Scores from which a box is a face, and from which it may be one. Between them a face is taught only where a picture is known to show one."""

_SAME = 0.4
_AROUND = 0.15
_SCALES = (1.0, 2.0)
_ONE_FACE_PX = 160
_AGAIN_PX = (96, 128, 192, 256)


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
        self.sha256 = hashlib.sha256(path.read_bytes()).hexdigest()

    def one_face(self, image: NDArray[np.uint8], least: float = SURE) -> Taught | None:
        """The face of a picture of one person, BGR (H, W, 3); None where there is none, or several, or it is doubtful.

        `least` is the score of a face that is not doubtful. Where it is known that the picture shows one, `DOUBTFUL` will do.

        The border is repeated around it: a face that fills its picture is found more surely with air around it. A face
        that is found is looked at again in four sizes, as it is and mirrored, and the median of all looks is taken: YuNet's
        landmarks of a single look are off by 6 % of the eyes' distance from that.
        """
        height, width = image.shape[:2]
        scale = max(1.0, _ONE_FACE_PX / max(height, width))
        around = round(_AROUND * max(height, width))
        image = cv2.copyMakeBorder(image, *(around,) * 4, cv2.BORDER_REPLICATE)
        first = self._look(image, scale, mirrored=False, least=least)
        if first is None:
            return None
        face_px = float(first.box[3] - first.box[1])
        again = [self._look(image, px / face_px, mirrored, least) for px in _AGAIN_PX for mirrored in (False, True)]
        looks = [first, *(look for look in again if look is not None and _same(look.box, first.box))]
        box, points = (np.median([getattr(look, name) for look in looks], axis=0) for name in ("box", "points"))
        return Taught((box - around).astype(np.float32), (points - around).astype(np.float32))

    def _look(self, image: NDArray[np.uint8], scale: float, mirrored: bool, least: float) -> Taught | None:
        """The face in the picture as it is, though seen at another scale or mirrored; None without exactly one that is sure enough."""
        if scale != 1:
            how = cv2.INTER_LINEAR if scale > 1 else cv2.INTER_AREA
            image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=how)
        found = self._detector.detect(np.ascontiguousarray(image[:, ::-1]) if mirrored else image)
        if len(found) != 1 or found[0].score < least:
            return None
        seen = Marks(*_arrays(found), np.zeros((0, 4), np.float32))
        back = np.diag([1 / scale, 1 / scale]) @ (_mirror(image.shape[1]) if mirrored else np.eye(2, 3))
        seen = seen.moved(back)
        return Taught(seen.boxes[0], seen.points[0])

    def marks(self, image: NDArray[np.uint8]) -> Marks:
        """What is in a place, BGR (H, W, 3): faces that are sure both as it is and twice as large; other boxes are ignored.

        One look alone takes lanterns, gorillas and flower pots for faces.
        """
        boxes, points, scores, looks = [], [], [], []
        for look, scale in enumerate(_SCALES):
            found = self._detector.detect(image if scale == 1 else cv2.resize(image, None, fx=scale, fy=scale))
            at_boxes, at_points = _arrays(found)
            boxes.append(at_boxes / scale)
            points.append(at_points / scale)
            scores += [detection.score for detection in found]
            looks += [look] * len(found)
        all_boxes, all_points, sure = np.concatenate(boxes), np.concatenate(points), np.array(scores) >= SURE
        alike = overlaps(all_boxes, all_boxes) >= _SAME
        kept: list[int] = []
        for index in np.argsort(-np.array(scores, np.float32), kind="stable").tolist():
            if not alike[index, kept].any():
                kept.append(index)
        seen = [len({looks[other] for other in np.flatnonzero(alike[index] & sure)}) for index in kept]
        certain = [index for index, count in zip(kept, seen, strict=True) if count == len(_SCALES)]
        doubtful = [index for index, count in zip(kept, seen, strict=True) if count < len(_SCALES)]
        return Marks(all_boxes[certain], all_points[certain], all_boxes[doubtful])


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
