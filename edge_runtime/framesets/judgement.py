"""How good a detector is: average precision, recall at few false faces, and how far its landmarks are off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.detectors.decode import Found
from edge_runtime.framesets.marks import Marks
from edge_runtime.framesets.matching import OVERLAP, Matches, match

__all__ = ["CURVE_POINTS", "Curve", "Judgement", "average_precisions", "judge", "judge_matches"]

CURVE_POINTS = 201
"""Of a curve that is written down: a step of 0.005 of the score."""

_AT_ONCE = 2_000_000
"""Numbers of one table in memory at a time."""


@dataclass(frozen=True)
class Curve:
    """What each threshold gives, from the surest box on: scores falling, recall rising, all float64 (K,).

    Boxes of one score are one point, as no threshold parts them. `false_a_picture` is how many boxes are no face, divided
    by the pictures.
    """

    scores: NDArray[np.float64]
    recall: NDArray[np.float64]
    precision: NDArray[np.float64]
    false_a_picture: NDArray[np.float64]

    def as_table(self) -> dict[str, list[float]]:
        """At most CURVE_POINTS of it, evenly over the scores, so that a threshold can be chosen at either end; rounded.

        Each is the last point from which its score is reached.
        """
        levels = np.linspace(1, 0, CURVE_POINTS)
        at = np.unique(np.searchsorted(-self.scores, -levels, side="right") - 1)
        at = at[at >= 0]
        return {name: np.round(array[at], 5).tolist() for name, array in vars(self).items()}


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


def judge(
    found: Sequence[Found], marks: Sequence[Marks], overlap: float = OVERLAP, smallest_px: float = 0.0
) -> Judgement:
    """The figures for what was found in each picture; arguments as of `matching.match`."""
    return judge_matches(match(found, marks, overlap, smallest_px))


def judge_matches(matches: Matches) -> Judgement:
    """The same for boxes that are matched already."""
    faces, pictures = int(matches.faces.sum()), len(matches.faces)
    ends = matches.ends()
    right: NDArray[np.int64] = np.cumsum(matches.right, dtype=np.int64)[ends]
    false: NDArray[np.int64] = ends + 1 - right
    curve = Curve(
        matches.scores[ends], right / max(1, faces), right / np.maximum(1, right + false), false / max(1, pictures)
    )
    few = np.flatnonzero(curve.false_a_picture <= 1)
    known = matches.errors[np.isfinite(matches.errors)]
    return Judgement(
        faces,
        pictures,
        float(_areas(right[None], false[None], np.array([faces]))[0]),
        float(curve.recall[few[-1]]) if len(few) else 0.0,
        float(curve.scores[few[-1]]) if len(few) else 1.0,
        float(known.mean()) if len(known) else None,
        curve,
    )


def average_precisions(matches: Matches, drawn: NDArray[np.int64]) -> NDArray[np.float64]:
    """The average precision of each resample of the pictures.

    Args:
        matches: of N pictures.
        drawn: int64 (D, N): how often each picture is in each resample.

    Returns:
        float64 (D,).
    """
    ends = matches.ends()
    # Recall rises only where a score has a right box, and no later point without one is more precise.
    rising = ends[np.diff(np.cumsum(matches.right)[ends], prepend=0) > 0]
    right, boxes = (_counted(matches, drawn, rising, which) for which in (matches.right, None))
    faces = drawn @ matches.faces
    at_once = max(1, _AT_ONCE // max(1, len(rising)))
    starts = range(0, len(drawn), at_once)
    rows = [slice(start, start + at_once) for start in starts]
    return np.concatenate([np.zeros(0), *(_areas(right[each], (boxes - right)[each], faces[each]) for each in rows)])


def _counted(
    matches: Matches, drawn: NDArray[np.int64], ends: NDArray[np.int64], which: NDArray[np.bool_] | None
) -> NDArray[np.int32]:
    """How many boxes, or of them those of `which`, each resample has up to each of `ends`: (D, K)."""
    pictures = len(matches.faces)
    counted = np.zeros((len(drawn), len(ends)), np.int32)
    at_once = max(1, _AT_ONCE // max(1, pictures))
    reached = np.zeros(pictures)
    for start in range(0, len(ends), at_once):
        part = ends[start : start + at_once]
        first = 0 if start == 0 else int(ends[start - 1]) + 1
        own = np.arange(first, int(part[-1]) + 1)
        own = own if which is None else own[which[own]]
        table = np.zeros((pictures, len(part)))
        np.add.at(table, (matches.pictures[own], np.searchsorted(part, own)), 1)
        table[:, 0] += reached
        table = np.cumsum(table, axis=1)
        reached = table[:, -1]
        counted[:, start : start + at_once] = drawn.astype(np.float64) @ table
    return counted


def _areas(right: NDArray[Any], false: NDArray[Any], faces: NDArray[np.int64]) -> NDArray[np.float64]:
    """Areas under curves: right and false boxes (D, K) up to each threshold, and faces (D,)."""
    recall = right / np.maximum(1, faces)[:, None]
    precision = right / np.maximum(1, right + false)
    falling = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    areas: NDArray[np.float64] = (np.diff(recall, prepend=0.0, axis=1) * falling).sum(axis=1)
    return areas
