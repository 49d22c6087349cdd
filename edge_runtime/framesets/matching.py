"""Which boxes are faces: what was found in pictures, held against what is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_runtime.detectors.decode import Found, overlaps
from edge_runtime.framesets.marks import Marks

__all__ = ["OVERLAP", "Matches", "match"]

OVERLAP = 0.5
"""Intersection over union from which a box is a face's (Everingham et al. 2010, PASCAL VOC)."""

_RIGHT, _FALSE, _NEITHER = 1, 0, -1


@dataclass(frozen=True)
class Matches:
    """The boxes of all pictures together, the surest first, without those that are neither right nor wrong.

    Attributes:
        scores: float64 (K,), falling.
        right: bool (K,).
        pictures: int64 (K,): the picture of each box.
        faces: int64 (N,): how many faces of each picture count.
        errors: float64 (F,): of each face that counts, picture by picture, the mean distance of its landmarks over that of
            its eyes; NaN where it was not found or they are not known.
        face_scores: float64 (F,): of the same faces, the score of the box that has found it; 0 where none has.
    """

    scores: NDArray[np.float64]
    right: NDArray[np.bool_]
    pictures: NDArray[np.int64]
    faces: NDArray[np.int64]
    errors: NDArray[np.float64]
    face_scores: NDArray[np.float64]

    @property
    def face_pictures(self) -> NDArray[np.int64]:
        """The picture of each of `errors`."""
        return np.repeat(np.arange(len(self.faces)), self.faces)

    def ends(self) -> NDArray[np.int64]:
        """The last place of each run of equal scores: a threshold cannot part them. An int8 net has at most 256 runs."""
        return np.flatnonzero(np.diff(self.scores, append=-np.inf))


def match(
    found: Sequence[Found], marks: Sequence[Marks], overlap: float = OVERLAP, smallest_px: float = 0.0
) -> Matches:
    """Compares what was found in each picture with what is there.

    A box is right where its intersection over union with a face that no surer box has taken is at least `overlap`. Boxes
    that lie on an ignored place, or on a face below `smallest_px` of height, are neither right nor wrong.
    """
    statuses, scores, errors, pictures, faces, face_scores = [], [], [], [], [], []
    for picture, (seen, there) in enumerate(zip(found, marks, strict=True)):
        large = there.boxes[:, 3] - there.boxes[:, 1] >= smallest_px
        status, taken = _matched(seen, there, large, overlap)
        statuses.append(status)
        scores.append(seen.scores)
        pictures.append(np.full(len(seen), picture))
        faces.append(int(large.sum()))
        errors.append(_errors(seen, there, taken)[large])
        by_face = np.zeros(len(there))
        by_face[list(taken.values())] = seen.scores[list(taken)]
        face_scores.append(by_face[large])
    status = np.concatenate([np.zeros(0, int), *statuses])
    score = np.concatenate([np.zeros(0, np.float32), *scores]).astype(np.float64)
    judged = np.flatnonzero(status != _NEITHER)
    order = judged[np.argsort(-score[judged], kind="stable")]
    return Matches(
        score[order],
        status[order] == _RIGHT,
        np.concatenate([np.zeros(0, np.int64), *pictures])[order].astype(np.int64),
        np.array(faces, np.int64),
        np.concatenate([np.zeros(0), *errors]),
        np.concatenate([np.zeros(0), *face_scores]),
    )


def _matched(
    seen: Found, there: Marks, large: NDArray[np.bool_], overlap: float
) -> tuple[NDArray[np.int64], dict[int, int]]:
    """The status of each box, and which face (value) each right one (key) has taken."""
    status = np.full(len(seen), _FALSE)
    taken: dict[int, int] = {}
    alike = overlaps(seen.boxes, there.boxes)
    on_ignored = _inside(seen.boxes, np.concatenate([there.ignored, there.boxes[~large]]))
    free = np.ones(len(there), bool)
    for box in np.argsort(-seen.scores, kind="stable").tolist():
        best = int(np.where(free, alike[box], -1).argmax()) if free.any() else -1
        if best >= 0 and alike[box, best] >= overlap:
            taken[box], free[best] = best, False
            status[box] = _RIGHT if large[best] else _NEITHER
        elif on_ignored[box]:
            status[box] = _NEITHER
    return status, taken


def _inside(boxes: NDArray[np.float32], places: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Whether half of each box lies in one place, or it covers about the same."""
    if not len(places) or not len(boxes):
        return np.zeros(len(boxes), bool)
    least, most = (
        np.maximum(boxes[:, None, :2], places[None, :, :2]),
        np.minimum(boxes[:, None, 2:], places[None, :, 2:]),
    )
    shared = np.maximum(0, most - least).prod(axis=2)
    areas = np.maximum(1e-6, (boxes[:, 2:] - boxes[:, :2]).prod(axis=1))
    inside: NDArray[np.bool_] = (shared / areas[:, None] >= 0.5).any(axis=1)
    return inside | (overlaps(boxes, places) >= 0.3).any(axis=1)


def _errors(seen: Found, there: Marks, taken: dict[int, int]) -> NDArray[np.float64]:
    errors = np.full(len(there), np.nan)
    for box, face in taken.items():
        points = there.points[face]
        eyes = float(np.linalg.norm(points[0] - points[1]))
        if np.isfinite(points).all() and eyes > 0:
            errors[face] = float(np.linalg.norm(seen.points[box] - points, axis=1).mean()) / eyes
    return errors
