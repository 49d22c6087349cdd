"""Flipped faces: those that a candidate names otherwise than the reference."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["DIRECTIONS", "Flip", "find_flips"]

DIRECTIONS = ("lost", "won", "other")
"""Only the reference was right; only the candidate; neither."""


@dataclass(frozen=True)
class Flip:
    """One flipped face.

    Attributes:
        index: its place among the answers and labels that were compared, those labelled -1 included.
        row: in its data set.
        label: class index of the data set's label.
        reference, candidate: class index that either side answers.
        reference_confidence, candidate_confidence: either side's probability for its own answer.
        direction: one of `DIRECTIONS`.
    """

    index: int
    row: int
    label: int
    reference: int
    candidate: int
    reference_confidence: float
    candidate_confidence: float
    direction: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def find_flips(
    reference: NDArray[np.float32],
    candidate: NDArray[np.float32],
    labels: NDArray[np.int16],
    rows: NDArray[np.int64],
) -> tuple[Flip, ...]:
    """The flipped faces of two sides' probabilities (N, C), those whose new answer is surest first.

    Faces labelled -1 are left out. Of equally sure ones the first in the data comes first.
    """
    one, other = reference.argmax(axis=1), candidate.argmax(axis=1)
    indices = np.flatnonzero((one != other) & (labels >= 0))
    confidences = candidate[indices, other[indices]]
    flips = []
    for index in indices[np.argsort(-confidences, kind="stable")]:
        label, was, now = int(labels[index]), int(one[index]), int(other[index])
        direction = "lost" if was == label else "won" if now == label else "other"
        flips.append(
            Flip(
                int(index),
                int(rows[index]),
                label,
                was,
                now,
                float(reference[index, was]),
                float(candidate[index, now]),
                direction,
            )
        )
    return tuple(flips)
