"""Reliability: whether a model that is 80 % sure is right 80 % of the time.

Expected calibration error and reliability bins as Guo et al. 2017 ("On Calibration of Modern Neural Networks", section 2)
define them: faces go into 15 bins of confidence, and the gap between mean confidence and accuracy is averaged over faces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import FaceSetError

__all__ = ["BINS", "Bin", "Reliability", "measure_reliability"]

BINS = 15
"""As Guo et al. 2017 take, and almost everyone after them."""

_LEAST = float(np.finfo(np.float32).tiny)
"""A probability of 0 for the right label counts as the smallest that float32 holds, so that the likelihood is finite."""


@dataclass(frozen=True)
class Bin:
    """Faces whose confidence lies in (low, high]; mean confidence and accuracy are 0 where there are none."""

    low: float
    high: float
    faces: int
    confidence: float
    accuracy: float

    @property
    def gap(self) -> float:
        """Positive where the model is surer than it is right."""
        return self.confidence - self.accuracy


@dataclass(frozen=True)
class Reliability:
    """How sure a model is, compared with how right it is.

    Attributes:
        bins: of equal width, from 0 to 1.
        masses: bins of equally many faces.
        negative_log_likelihood: mean of -log(probability of the label), in nats.
        brier: mean squared distance between the probabilities and the label's row, summed over classes: 0 to 2
            (Brier 1950).
    """

    bins: tuple[Bin, ...]
    masses: tuple[Bin, ...]
    negative_log_likelihood: float
    brier: float

    @property
    def faces(self) -> int:
        return sum(each.faces for each in self.bins)

    @property
    def expected_error(self) -> float:
        """Expected calibration error over bins of equal width, 0 to 1."""
        return _expected(self.bins)

    @property
    def equal_mass_error(self) -> float:
        """The same over bins of equally many faces, which depends less on where the bins end (Nguyen & O'Connor 2015)."""
        return _expected(self.masses)

    @property
    def largest_error(self) -> float:
        """The largest gap of any bin of equal width that has faces."""
        return max(abs(each.gap) for each in self.bins if each.faces)

    def summary(self) -> str:
        """The figures in words."""
        return (
            f"expected calibration error {100 * self.expected_error:.2f} % (bins of equal mass:"
            f" {100 * self.equal_mass_error:.2f} %), negative log likelihood {self.negative_log_likelihood:.4f},"
            f" Brier {self.brier:.4f}"
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "expected_calibration_error": self.expected_error,
            "expected_calibration_error_equal_mass": self.equal_mass_error,
            "maximum_calibration_error": self.largest_error,
            "negative_log_likelihood": self.negative_log_likelihood,
            "brier": self.brier,
            "bins": [asdict(each) for each in self.bins],
        }


def measure_reliability(
    probabilities: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]], bins: int = BINS
) -> Reliability:
    """Measures probabilities (N, C) on labels (N,); faces labelled -1 are left out.

    Raises:
        FaceSetError: no labelled face, or a probability that is not a number.
    """
    known = labels >= 0
    chosen, wanted = probabilities[known].astype(np.float64), labels[known]
    if not len(chosen):
        raise FaceSetError("no labelled face", "at least one", "take another split or another label set")
    if not np.isfinite(chosen).all():
        raise FaceSetError(
            "probabilities that are not numbers", "finite ones", "train the model again: it has diverged"
        )
    rows = np.arange(len(chosen))
    confidences, right = chosen.max(axis=1), chosen.argmax(axis=1) == wanted
    hot = np.zeros_like(chosen)
    hot[rows, wanted] = 1
    edges = np.linspace(0, 1, bins + 1)
    # Bins are open below and closed above, as in the paper; rounding may carry a confidence past 1.
    index = np.clip(np.searchsorted(edges, confidences, side="left") - 1, 0, bins - 1)
    widths = [_bin(edges[at], edges[at + 1], confidences[index == at], right[index == at]) for at in range(bins)]
    order = np.argsort(confidences, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    masses = [_bin(confidences[part[0]], confidences[part[-1]], confidences[part], right[part]) for part in parts]
    return Reliability(
        tuple(widths),
        tuple(masses),
        float(-np.log(np.maximum(chosen[rows, wanted], _LEAST)).mean()),
        float(((chosen - hot) ** 2).sum(axis=1).mean()),
    )


def _bin(low: float, high: float, confidences: NDArray[np.float64], right: NDArray[np.bool_]) -> Bin:
    if not len(right):
        return Bin(float(low), float(high), 0, 0.0, 0.0)
    return Bin(float(low), float(high), len(right), float(confidences.mean()), float(right.mean()))


def _expected(bins: Sequence[Bin]) -> float:
    return sum(each.faces * abs(each.gap) for each in bins) / sum(each.faces for each in bins)
