"""Two sides on the same faces: how far apart their accuracies are, how sure that is, and how many faces would be enough.

Only the faces that one side alone names rightly carry information. With 3,589 faces of which 2 % differ so, a drop of 0.2
points has an interval of about ±0.46: its upper end is near 0.66. The same drop on 500 faces ends near 1.6.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.parity.errors import ParityError
from edge_runtime.intervals import mcnemar_exact

__all__ = ["BOOTSTRAP_DRAWS", "BOOTSTRAP_SEED", "Paired", "compare_right"]

BOOTSTRAP_SEED = 20130704
BOOTSTRAP_DRAWS = 10_000
"""The ends of the interval then move by some 0.03 standard errors from seed to seed."""

_Z95 = 1.959963984540054
_IMAGINED = 1
"""Faces added to either kind of differing faces before resampling, as Bonett & Price 2012 ("Adjusted Wald confidence
interval for a difference of binomial proportions based on paired data") add them. Resampling faces that never differ
says "±0" even for ten of them; with these, n such faces give about ±300/n points: the rule of three."""


@dataclass(frozen=True)
class Paired:
    """A candidate against a reference. Differences are in points of accuracy, candidate minus reference, -100 to 100.

    Attributes:
        faces: how many were judged.
        lost: faces that only the reference names rightly.
        won: faces that only the candidate names rightly.
        low, high: the 95 % interval of the difference, by bootstrap over faces.
        p_value: of McNemar's exact test.
    """

    faces: int
    lost: int
    won: int
    low: float
    high: float
    p_value: float

    @property
    def difference(self) -> float:
        return 100 * (self.won - self.lost) / self.faces

    @property
    def drop(self) -> float:
        """Points that the candidate loses; negative where it gains."""
        return 100 * (self.lost - self.won) / self.faces

    @property
    def drop_lower(self) -> float:
        return 0.0 - self.high

    @property
    def drop_upper(self) -> float:
        return 0.0 - self.low

    @property
    def discordance(self) -> float:
        """The share of faces that one side alone names rightly, 0 to 1."""
        return (self.lost + self.won) / self.faces

    def faces_needed(self, bound: float, drop: float | None = None) -> int | None:
        """About how many faces it takes to show that the drop is at most `bound` points.

        As many as bring the upper end of the interval down to the bound, were drop and discordance to stay as they are
        here. With n faces, discordance d, drop e and bound b as shares, one imagined face of either kind, and half a face
        because counts are whole: e + z √((d + 2/n - e²) / n) + 1/(2n) ≤ b, solved for n.

        Args:
            bound: in points.
            drop: in points, instead of the observed one.

        Returns:
            None where the drop is not below the bound: no number of faces would show it.
        """
        drop = self.drop if drop is None else drop
        margin = (bound - drop) / 100
        if margin <= 0:
            return None
        linear = margin + _Z95**2 * max(self.discordance - (drop / 100) ** 2, 0.0)
        constant = 2 * _IMAGINED * _Z95**2 - 1 / 4
        return math.ceil((linear + math.sqrt(linear**2 + 4 * margin**2 * constant)) / (2 * margin**2))

    def as_json(self) -> dict[str, Any]:
        return {
            "difference_points": self.difference,
            "interval_points": [self.low, self.high],
            "faces": self.faces,
            "lost": self.lost,
            "won": self.won,
            "mcnemar_p": self.p_value,
            "bootstrap": {"seed": BOOTSTRAP_SEED, "draws": BOOTSTRAP_DRAWS},
        }


def compare_right(reference: NDArray[np.bool_], candidate: NDArray[np.bool_]) -> Paired:
    """Compares which faces two sides name rightly, bool (N,) each, in the same order.

    Raises:
        ParityError: no faces, or not as many of each.
    """
    if reference.shape != candidate.shape or not len(reference):
        raise ParityError(
            f"{len(reference)} and {len(candidate)} answers", "as many of each, at least one", "answer the same faces"
        )
    faces = len(reference)
    lost, won = int((reference & ~candidate).sum()), int((~reference & candidate).sum())
    low, high = _bootstrap(faces, lost, won)
    return Paired(faces, lost, won, low, high, mcnemar_exact(lost, won))


def _bootstrap(faces: int, lost: int, won: int) -> tuple[float, float]:
    """Percentile interval (Efron 1979), in points.

    A face drawn at random is lost, won or neither, so a resample of the faces is one multinomial draw of three counts.
    """
    shares = np.array([lost + _IMAGINED, won + _IMAGINED, faces - lost - won]) / (faces + 2 * _IMAGINED)
    drawn = np.random.default_rng(BOOTSTRAP_SEED).multinomial(faces, shares, BOOTSTRAP_DRAWS)
    low, high = np.percentile(100 * (drawn[:, 1] - drawn[:, 0]) / faces, (2.5, 97.5))
    difference = 100 * (won - lost) / faces
    return min(float(low), difference), max(float(high), difference)
