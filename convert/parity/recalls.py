"""Class by class: how many faces of an expression are found, by either side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.parity.paired import Paired, compare_right
from convert.parity.shares import Share

__all__ = ["ClassChange", "compare_classes"]


@dataclass(frozen=True)
class ClassChange:
    """Recall of one class on both sides.

    Attributes:
        name: of the class.
        faces: its support: how many faces have this label.
        reference, candidate: recall; None where no face has this label.
        paired: the change of recall in points, on these faces alone. A face of 50 moves it by 2 points.
    """

    name: str
    faces: int
    reference: Share | None
    candidate: Share | None
    paired: Paired | None

    @property
    def drop(self) -> float:
        """Points of recall that the candidate loses. Raises ValueError for a class without faces: ask `faces` first."""
        if self.paired is None:
            raise ValueError(f"class {self.name!r} has no faces: its recall is not known")
        return self.paired.drop

    def as_json(self) -> dict[str, Any]:
        known = self.reference is not None and self.candidate is not None and self.paired is not None
        return {
            "name": self.name,
            "faces": self.faces,
            "reference": self.reference.as_json() if known and self.reference else None,
            "candidate": self.candidate.as_json() if known and self.candidate else None,
            "change": self.paired.as_json() if known and self.paired else None,
        }


def compare_classes(
    reference: NDArray[np.int64], candidate: NDArray[np.int64], labels: NDArray[np.int16], names: Sequence[str]
) -> tuple[ClassChange, ...]:
    """Compares two sides' answers (N,) class by class, on labels (N,), all of them 0 or more."""
    return tuple(_compare(reference, candidate, labels == at, at, name) for at, name in enumerate(names))


def _compare(
    reference: NDArray[np.int64], candidate: NDArray[np.int64], chosen: NDArray[np.bool_], at: int, name: str
) -> ClassChange:
    faces = int(chosen.sum())
    if not faces:
        return ClassChange(name, 0, None, None, None)
    one, other = reference[chosen] == at, candidate[chosen] == at
    return ClassChange(
        name, faces, Share(int(one.sum()), faces), Share(int(other.sum()), faces), compare_right(one, other)
    )
