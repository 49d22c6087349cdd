"""Two models on the same faces: how far apart they are, and whether that is more than chance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_runtime.intervals import accuracy_interval, mcnemar_exact
from train.errors import DataError

__all__ = ["Paired", "paired"]


@dataclass(frozen=True)
class Paired:
    """Two models on the same faces; `difference` is the second's accuracy minus the first's, -1 to 1.

    Attributes:
        only_first: faces that only the first one names rightly.
        only_second: faces that only the second one names rightly.
        low, high: the 95 % interval of the difference.
        p_value: of McNemar's exact test: how often chance alone splits the differing faces at least so unevenly.
    """

    faces: int
    only_first: int
    only_second: int
    difference: float
    low: float
    high: float
    p_value: float

    def words(self) -> str:
        points = f"{100 * self.difference:+.2f} points (95 % interval {100 * self.low:+.2f} to {100 * self.high:+.2f})"
        split = f"{self.only_second} faces only it names rightly, {self.only_first} only the first"
        return f"{points}; {split}; McNemar's exact p = {self.p_value:.3g}"


def paired(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Paired:
    """Compares which faces two models name rightly, bool (N,) each, in the same order.

    The interval is Newcombe's (1998, "Improved confidence intervals for the difference between binomial proportions
    based on paired data", method 10); the test is McNemar's in its exact form, a binomial test over the differing faces.

    Raises:
        DataError: no faces, or not as many of each.
    """
    if len(first) != len(second) or not len(first):
        raise DataError(
            f"{len(first)} and {len(second)} answers", "as many of each, at least one", "predict both again"
        )
    count = len(first)
    both, neither = int((first & second).sum()), int((~first & ~second).sum())
    only_first, only_second = int((first & ~second).sum()), int((~first & second).sum())
    one, two = accuracy_interval(both + only_first, count), accuracy_interval(both + only_second, count)
    share_one, share_two = (both + only_first) / count, (both + only_second) / count
    phi = _correlation(both, only_first, only_second, neither)
    difference = share_two - share_one
    down, up = share_two - two.low, two.high - share_two
    low = difference - _joined(down, one.high - share_one, phi)
    high = difference + _joined(up, share_one - one.low, phi)
    p_value = mcnemar_exact(only_first, only_second)
    return Paired(count, only_first, only_second, difference, max(-1.0, low), min(1.0, high), p_value)


def _correlation(both: int, only_first: int, only_second: int, neither: int) -> float:
    """Newcombe's phi, with the correction for continuity that method 10 makes."""
    sums = (both + only_first, only_second + neither, both + only_second, only_first + neither)
    if not all(sums):
        return 0.0
    product = float(both * neither - only_first * only_second)
    if product > 0:
        product = max(product - sum(sums) / 4, 0.0)
    return product / math.sqrt(math.prod(sums))


def _joined(one: float, other: float, phi: float) -> float:
    return math.sqrt(max(0.0, one * one - 2 * phi * one * other + other * other))
