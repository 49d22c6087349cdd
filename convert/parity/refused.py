"""Candidates that cannot be compared: each is refused by itself, and the others are judged all the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from edge_runtime.errors import ExplainedError

__all__ = ["Refusals", "Refused"]

T = TypeVar("T")


@dataclass(frozen=True)
class Refused:
    """A candidate that was not compared, and why: one line in three parts."""

    name: str
    reason: str

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "reason": self.reason}


class Refusals:
    """Those of one comparison.

    Args:
        tell: told, in one line, why a candidate is refused.
    """

    def __init__(self, tell: Callable[[str], object]) -> None:
        self._tell = tell
        self._refused: list[Refused] = []

    @property
    def all(self) -> tuple[Refused, ...]:
        return tuple(self._refused)

    def survivors(self, names: Sequence[str], action: Callable[[int], T]) -> list[T]:
        """What `action` gives for each place among `names`; those that it raises for are refused."""
        results = []
        for place, name in enumerate(names):
            try:
                results.append(action(place))
            except ExplainedError as error:
                self._refused.append(Refused(name, str(error)))
                self._tell(str(error))
        return results
