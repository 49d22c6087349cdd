"""How good a detector is: average precision, recall at few false faces, and how far its landmarks are off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_runtime.detectors.decode import Found
from train.scenes.marks import Marks, overlaps

__all__ = ["Curve", "Judgement", "judge"]

RIGHT, FALSE, NEITHER = 1, 0, -1


@dataclass(frozen=True)
class Curve:
    """What each threshold gives, from the surest box on: scores falling, recall rising, all float64 (K,).

    `false_a_picture` is how many boxes are no face, divided by the pictures.
    """

    scores: NDArray[np.float64]
    recall: NDArray[np.float64]
    precision: NDArray[np.float64]
    false_a_picture: NDArray[np.float64]


@dataclass(frozen=True)
class Judgement:
    """The figures of one detector on some pictures; shares are 0..1.

    Attributes:
        faces, pictures: how many were judged.
        average_precision: area under precision over recall, of every point, precision made to fall (Everingham et al.
            2010, as PASCAL VOC has it since then).
        recall_at_one: recall where there is one false face a picture.
        threshold_at_one: the score at that point.
        landmark_error: mean distance of landmarks over the distance of the eyes, of the faces found; None where none is known.
        curve: all thresholds.
    """

    faces: int
    pictures: int
    average_precision: float
    recall_at_one: float
    threshold_at_one: float
    landmark_error: float | None
    curve: Curve


def judge(found: Sequence[Found], marks: Sequence[Marks], overlap: float = 0.5, smallest_px: float = 0.0) -> Judgement:
    """Compares what was found in each picture with what is there.

    A box is right where its intersection over union with a face that no surer box has taken is at least `overlap`. Boxes
    that lie on an ignored place, or on a face below `smallest_px` of height, are neither right nor wrong.
    """
    statuses, scores, errors, faces = [], [], [], 0
    for seen, there in zip(found, marks, strict=True):
        large = there.boxes[:, 3] - there.boxes[:, 1] >= smallest_px
        faces += int(large.sum())
        status, taken = _matched(seen, there, large, overlap)
        statuses.append(status)
        scores.append(seen.scores)
        errors += _errors(seen, there, taken)
    status = np.concatenate([np.zeros(0, int), *statuses])
    score = np.concatenate([np.zeros(0, np.float32), *scores]).astype(np.float64)
    judged = np.flatnonzero(status != NEITHER)
    order = judged[np.argsort(-score[judged], kind="stable")]
    right = np.cumsum(status[order] == RIGHT)
    false = np.cumsum(status[order] == FALSE)
    curve = Curve(
        score[order],
        right / max(1, faces),
        right / np.maximum(1, right + false),
        false / max(1, len(found)),
    )
    few = np.flatnonzero(curve.false_a_picture <= 1)
    return Judgement(
        faces,
        len(found),
        _area(curve),
        float(curve.recall[few[-1]]) if len(few) else 0.0,
        float(curve.scores[few[-1]]) if len(few) else 1.0,
        float(np.mean(errors)) if errors else None,
        curve,
    )


def _matched(
    seen: Found, there: Marks, large: NDArray[np.bool_], overlap: float
) -> tuple[NDArray[np.int64], dict[int, int]]:
    """The status of each box, and which face (value) each right one (key) has taken."""
    status = np.full(len(seen), FALSE)
    taken: dict[int, int] = {}
    alike = overlaps(seen.boxes, there.boxes)
    on_ignored = _inside(seen.boxes, np.concatenate([there.ignored, there.boxes[~large]]))
    for box in np.argsort(-seen.scores, kind="stable").tolist():
        free = np.array([face not in taken.values() for face in range(len(there))], bool)
        best = int(np.where(free, alike[box], -1).argmax()) if free.any() else -1
        if best >= 0 and alike[box, best] >= overlap:
            taken[box] = best
            status[box] = RIGHT if large[best] else NEITHER
        elif on_ignored[box]:
            status[box] = NEITHER
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


def _errors(seen: Found, there: Marks, taken: dict[int, int]) -> list[float]:
    errors = []
    for box, face in taken.items():
        points = there.points[face]
        eyes = float(np.linalg.norm(points[0] - points[1]))
        if np.isfinite(points).all() and eyes > 0:
            errors.append(float(np.linalg.norm(seen.points[box] - points, axis=1).mean()) / eyes)
    return errors


def _area(curve: Curve) -> float:
    if not len(curve.recall):
        return 0.0
    falling = np.maximum.accumulate(curve.precision[::-1])[::-1]
    return float((np.diff(curve.recall, prepend=0.0) * falling).sum())
