"""How sure an accuracy is, and how sure it is that two differ."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Interval", "accuracy_interval", "mcnemar_exact"]

_Z95 = 1.959963984540054
"""The 97.5 % point of the normal distribution: 2.5 % are left out at either end."""


@dataclass(frozen=True)
class Interval:
    """From `low` to `high`, both shares from 0 to 1."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high <= 1:
            raise ValueError(f"interval {self.low} to {self.high}: expected 0 <= low <= high <= 1")

    def __str__(self) -> str:
        return f"{100 * self.low:.1f} to {100 * self.high:.1f} %"


def accuracy_interval(correct: int, count: int) -> Interval:
    """The 95 % interval of an accuracy of `correct` out of `count` (Wilson 1927, the score interval).

    Unlike the textbook's plus and minus, it stays within 0 to 1 and has a width at 0 and at 100 %.

    Raises:
        ValueError: no faces, or more correct ones than faces.
    """
    if not 0 <= correct <= count or count < 1:
        raise ValueError(f"{correct} correct of {count}: expected at least one face, and no more correct than faces")
    share, square = correct / count, _Z95**2
    middle = (share + square / (2 * count)) / (1 + square / count)
    spread = _Z95 / (1 + square / count) * math.sqrt(share * (1 - share) / count + square / (4 * count**2))
    # At 0 and at 100 % an end is exact, and rounding must not carry it outside.
    low = 0.0 if correct == 0 else max(0.0, middle - spread)
    high = 1.0 if correct == count else min(1.0, middle + spread)
    return Interval(low, high)


def mcnemar_exact(lost: int, won: int) -> float:
    """How often a fair coin splits the differing faces at least so unevenly (McNemar 1947, the exact binomial form)."""
    differing, fewer = lost + won, min(lost, won)
    ways = term = 1
    for chosen in range(1, fewer + 1):
        term = term * (differing - chosen + 1) // chosen
        ways += term
    # Whole numbers up to the one division: no factorial overflows, however many faces differ.
    return float(min(1.0, 2 * ways / 2**differing))
