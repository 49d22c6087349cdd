"""How sure a side is, compared with how right it is: expected calibration error (Guo et al. 2017, section 2)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["BINS", "Bin", "Reliability", "measure_reliability"]

BINS = 15
"""As Guo et al. 2017 take."""


@dataclass(frozen=True)
class Bin:
    """Faces whose confidence lies in (low, high]; mean confidence and accuracy are 0 where there are none."""

    low: float
    high: float
    faces: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Reliability:
    """`BINS` bins of equal width, from 0 to 1."""

    bins: tuple[Bin, ...]

    @property
    def expected_error(self) -> float:
        """Expected calibration error, 0 to 1: the gap between confidence and accuracy, averaged over faces."""
        faces = sum(each.faces for each in self.bins)
        return sum(each.faces * abs(each.confidence - each.accuracy) for each in self.bins) / faces

    def as_json(self) -> dict[str, Any]:
        return {"expected_calibration_error": self.expected_error, "bins": [asdict(each) for each in self.bins]}


def measure_reliability(probabilities: NDArray[np.float32], labels: NDArray[np.int16]) -> Reliability:
    """Measures probabilities (N, C) on labels (N,), all of them 0 or more."""
    confidences = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    edges = np.linspace(0, 1, BINS + 1)
    # Bins are open below and closed above, as in the paper; rounding may carry a confidence past 1.
    index = np.clip(np.searchsorted(edges, confidences, side="left") - 1, 0, BINS - 1)
    bins = []
    for at in range(BINS):
        inside = index == at
        faces = int(inside.sum())
        confidence, accuracy = (float(confidences[inside].mean()), float(right[inside].mean())) if faces else (0.0, 0.0)
        bins.append(Bin(float(edges[at]), float(edges[at + 1]), faces, confidence, accuracy))
    return Reliability(tuple(bins))
