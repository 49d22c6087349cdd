"""One trial of a search: a form of the model, and what the whole gate says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from convert.parity.measures import Comparison
from convert.parity.verdict import Outcome, Verdict

__all__ = ["COST_LINES", "Attempt"]

COST_LINES = ("latency_ratio", "size_ratio", "size_bytes")
"""Lines of a gate about what a model costs: keeping more layers in float32 mends all others, and makes a file larger."""


@dataclass(frozen=True)
class Attempt:
    """One form.

    Attributes:
        kept: names of the units in float32, in the order of the net.
        kind: of the form, one of `convert.kinds.KINDS`; "mixed" where nothing is kept, too: ai-edge-quantizer made it.
        size_bytes, sha256: of its file; None where there is none.
        float_macs: share of its multiply-accumulates in float32.
        comparison, verdict: with the float32 form, on the judged faces; None where it was refused.
        refused: why it could not be judged at all, in one line; "" where it could.
    """

    kept: tuple[str, ...]
    kind: str
    size_bytes: int | None
    sha256: str | None
    float_macs: float
    comparison: Comparison | None
    verdict: Verdict | None
    refused: str = ""

    def __post_init__(self) -> None:
        if (self.comparison is None) != bool(self.refused) or (self.verdict is None) != bool(self.refused):
            raise ValueError(f"an attempt with comparison {self.comparison} and the refusal {self.refused!r}")

    @property
    def outcome(self) -> Outcome:
        """Of the whole gate; a form that answers nothing usable has failed."""
        return Outcome.FAILED if self.verdict is None else self.verdict.outcome

    @property
    def passed(self) -> bool:
        return self.outcome is Outcome.PASSED

    @property
    def answers_hold(self) -> bool:
        """Whether every line passed but for those of `COST_LINES`."""
        if self.verdict is None:
            return False
        judged = [line for line in self.verdict.lines if line.key not in COST_LINES]
        return all(line.outcome in (Outcome.PASSED, Outcome.OFF) for line in judged)

    @property
    def reason(self) -> str:
        """Why it did not pass: the first line of the gate that failed, else the first that was not judged; "" if it did."""
        if self.verdict is None:
            return self.refused
        for outcome in (Outcome.FAILED, Outcome.NOT_JUDGED):
            for line in self.verdict.lines:
                if line.outcome is outcome:
                    return line.text
        return ""

    def as_json(self) -> dict[str, Any]:
        about: dict[str, Any] = {
            "kept": list(self.kept),
            "kind": self.kind,
            "size_bytes": self.size_bytes,
            "sha256": self.sha256,
            "float_macs": self.float_macs,
            "outcome": self.outcome.value,
            "refused": self.refused or None,
        }
        if self.comparison is None or self.verdict is None:
            return about
        measured = self.comparison
        return {
            **about,
            "accuracy": measured.candidate.accuracy.as_json(),
            "paired": measured.paired.as_json(),
            "agreement": measured.agreement.as_json(),
            "drift": measured.drift.as_json(),
            "latency_ratio": measured.latency_ratio,
            "size_ratio": measured.size_ratio,
            "verdict": self.verdict.as_json(),
        }
