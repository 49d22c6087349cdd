"""A likely cause, as it is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Cause", "percent"]


@dataclass(frozen=True)
class Cause:
    """A likely cause.

    Attributes:
        key: of the cause, for programs.
        title: in one line.
        likelihood: 0 to 1; orders causes, and is no probability.
        evidence: sentences.
        mend: what to do.
    """

    key: str
    title: str
    likelihood: float
    evidence: tuple[str, ...]
    mend: str

    def as_json(self) -> dict[str, Any]:
        return {
            "cause": self.key,
            "title": self.title,
            "likelihood": round(self.likelihood, 3),
            "evidence": list(self.evidence),
            "mend": self.mend,
        }

    @property
    def likely(self) -> str:
        """The likelihood in words."""
        return "almost certain" if self.likelihood >= 0.9 else "likely" if self.likelihood >= 0.7 else "possible"


def percent(share: float) -> str:
    """A share from 0 to 1 in words."""
    return f"{100 * share:.1f} %"
