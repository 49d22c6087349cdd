"""How much the answers change when one unit alone is quantized and all others stay in float32.

The faces are calibration faces: those that the model is judged on take no part in the order in which units are tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.parity.drift import measure_drift

__all__ = ["SAMPLE", "Sensitivity", "measure_sensitivity", "most_sensitive_first"]

SAMPLE = 64
"""Faces by default. The divergence of neighbouring layers differs by far more than 64 faces leave to chance; agreement,
in steps of 1.6 points, is there for people."""


@dataclass(frozen=True)
class Sensitivity:
    """Of one unit.

    Attributes:
        name: of the unit.
        kinds: its TFLite operators.
        macs: its multiply-accumulates for one face.
        divergence: mean Jensen–Shannon divergence of the answers from those in float32, in bits; None where they are no
            answers.
        agreement: share of the sample with the same answer, 0 to 1; None likewise.
        sqnr_db: signal to noise of its last tensor in the model that keeps nothing, and so with the noise of all layers
            before it; None where it is not known.
        refused: why it cannot be int8 at all, in one line; "" where it can.
    """

    name: str
    kinds: tuple[str, ...]
    macs: int
    divergence: float | None
    agreement: float | None
    sqnr_db: float | None
    refused: str = ""

    def __post_init__(self) -> None:
        if (self.divergence is None) != bool(self.refused) or (self.agreement is None) != bool(self.refused):
            raise ValueError(f"{self.name}: divergence {self.divergence} with the refusal {self.refused!r}")

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "kinds": list(self.kinds), "refused": self.refused or None}


def measure_sensitivity(reference: NDArray[np.float32], answers: NDArray[np.float32]) -> tuple[float, float] | str:
    """Divergence and agreement of two models' probabilities (N, classes) on the same faces; or why there are none."""
    broken = ~np.isfinite(answers).all(axis=1)
    if broken.any():
        return f"NaN or infinite answers for {int(broken.sum())} of {len(answers)} faces"
    if not (answers.sum(axis=1) > 0).all():
        return "no probability above 0 for some face"
    drift = measure_drift(reference, answers, np.arange(len(answers)))
    return drift.divergence, float((reference.argmax(axis=1) == answers.argmax(axis=1)).mean())


def most_sensitive_first(table: Sequence[Sensitivity]) -> tuple[Sensitivity, ...]:
    """Units that cannot be int8 first, then by divergence; of equal ones those with fewer multiply-accumulates, which cost
    less to keep."""
    return tuple(sorted(table, key=lambda each: (not each.refused, -(each.divergence or 0.0), each.macs)))
