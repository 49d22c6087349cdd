"""How long something took, most of the time and at worst."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Percentiles"]


@dataclass(frozen=True)
class Percentiles:
    """Of one stage over all runs, in milliseconds."""

    p50_ms: float
    p90_ms: float
    p99_ms: float

    @classmethod
    def of(cls, seconds: list[float]) -> Percentiles:
        return cls(*(round(float(value) * 1e3, 3) for value in np.percentile(seconds, [50, 90, 99])))
