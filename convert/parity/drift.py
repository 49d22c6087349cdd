"""How far a candidate's probabilities lie from the reference's, whether or not the answer changes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Drift", "measure_drift"]


@dataclass(frozen=True)
class Drift:
    """Distances between two sides' probabilities.

    Attributes:
        mean: of |Δp| over all faces and classes, 0 to 1.
        largest: |Δp| of any face and class, 0 to 1.
        divergence: mean Jensen–Shannon divergence over faces (Lin 1991), in bits: 0 for the same, 1 for disjoint answers.
        largest_row: row of the face that `largest` was found on.
    """

    mean: float
    largest: float
    divergence: float
    largest_row: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def measure_drift(reference: NDArray[np.float32], candidate: NDArray[np.float32], rows: NDArray[np.int64]) -> Drift:
    """Measures two sides' probabilities (N, C) on the faces `rows` (N,).

    An int8 output's rows sum to 1 only nearly; for the divergence, which needs distributions, they are scaled to 1.
    """
    one, other = reference.astype(np.float64), candidate.astype(np.float64)
    moved = np.abs(one - other)
    one, other = (_distributions(side) for side in (one, other))
    middle = (one + other) / 2
    divergence = (_divergence(one, middle) + _divergence(other, middle)) / 2
    worst = int(moved.max(axis=1).argmax())
    return Drift(float(moved.mean()), float(moved.max()), float(divergence.mean()), int(rows[worst]))


def _distributions(side: NDArray[np.float64]) -> NDArray[np.float64]:
    side = np.clip(side, 0, None)
    scaled: NDArray[np.float64] = side / side.sum(axis=1, keepdims=True)
    return scaled


def _divergence(one: NDArray[np.float64], middle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Kullback–Leibler in bits, a face; 0 log 0 is 0, and `middle` is positive wherever `one` is."""
    ratio = np.divide(one, middle, out=np.ones_like(one), where=one > 0)
    summed: NDArray[np.float64] = (one * np.log2(ratio)).sum(axis=1)
    return summed
