"""So many of so many faces: an accuracy, a recall, an agreement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edge_runtime.intervals import Interval, accuracy_interval

__all__ = ["Share"]


@dataclass(frozen=True)
class Share:
    """`count` of `faces`, at least one face."""

    count: int
    faces: int

    def __post_init__(self) -> None:
        if not 0 <= self.count <= self.faces or self.faces < 1:
            raise ValueError(
                f"{self.count} of {self.faces}: expected at least one face, and no more counted than faces"
            )

    @property
    def value(self) -> float:
        """0 to 1."""
        return self.count / self.faces

    @property
    def interval(self) -> Interval:
        """The 95 % interval (Wilson 1927)."""
        return accuracy_interval(self.count, self.faces)

    def __str__(self) -> str:
        return f"{100 * self.value:.2f} % ({self.interval})"

    def as_json(self) -> dict[str, Any]:
        interval = self.interval
        return {
            "share": self.value,
            "count": self.count,
            "faces": self.faces,
            "interval": [interval.low, interval.high],
        }
