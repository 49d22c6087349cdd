"""What happened, in few words: who appeared, which label was shown, who left, and what broke. Never a picture."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from edge_runtime.clock import Clock
from edge_runtime.live.smoothing import UNCERTAIN, Decision

__all__ = ["APPEARED", "CHANGED", "DEGRADED", "KINDS", "LEFT", "RECOVERED", "Event", "Reporter"]

APPEARED, CHANGED, LEFT, DEGRADED, RECOVERED = "appeared", "changed", "left", "degraded", "recovered"
KINDS = (APPEARED, CHANGED, LEFT, DEGRADED, RECOVERED)


@dataclass(frozen=True)
class Event:
    """One thing that happened.

    Attributes:
        kind: one of `KINDS`.
        monotonic_s: when, on the clock that only goes on.
        wall_s: when, on the wall's clock as it stood then.
        track: who, as a random text of this session; empty for what concerns no person.
        label: the label shown from now on; for "left" the last one; for "degraded" what broke, such as "camera".
        score: its averaged probability; 0 where there is none.
        reason: why the answer is uncertain, or what is said about a fault.
        emotions: averaged probabilities at this moment.
    """

    kind: str
    monotonic_s: float
    wall_s: float
    track: str = ""
    label: str = ""
    score: float = 0.0
    reason: str = ""
    emotions: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"event of kind {self.kind!r}: expected one of {', '.join(KINDS)}")

    def as_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "track": self.track,
            "label": self.label,
            "score": round(self.score, 4),
            "reason": self.reason,
            "emotions": {name: round(value, 4) for name, value in self.emotions.items()},
        }


@dataclass
class _Person:
    name: str
    decision: Decision


class Reporter:
    """Turns decisions of each frame into the few events worth keeping.

    Names of tracks are drawn at random, so that nothing links a person of one session to one of another.

    Args:
        clock: both times of every event.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._people: dict[int, _Person] = {}
        self._faults: dict[str, str] = {}

    @property
    def faults(self) -> Mapping[str, str]:
        """What is degraded now → what is said about it."""
        return dict(self._faults)

    def name_of(self, track: int) -> str:
        """The random name of a track that was reported; empty for another."""
        return self._people[track].name if track in self._people else ""

    def faces(self, decisions: Mapping[int, Decision], ended: Iterable[int] = ()) -> list[Event]:
        """The events of one frame.

        Args:
            decisions: track → what is said of it, for the confirmed tracks that this frame saw.
            ended: tracks that are gone, as `LiveTracker.update` says.
        """
        events = []
        for track in ended:
            person = self._people.pop(track, None)
            if person is not None:
                events.append(self._event(LEFT, person))
        for track, decision in decisions.items():
            person = self._people.get(track)
            if person is None:
                person = self._people[track] = _Person(secrets.token_hex(6), decision)
                events.append(self._event(APPEARED, person))
                continue
            before, person.decision = person.decision, decision
            if before.label != decision.label:
                events.append(self._event(CHANGED, person))
        return events

    def fault(self, subject: str, problem: str) -> list[Event]:
        """One event when a subject breaks ("camera", "no frame for 3 s") and one when it is whole again (empty problem)."""
        broken = subject in self._faults
        if problem:
            self._faults[subject] = problem
        else:
            self._faults.pop(subject, None)
        if broken == bool(problem):
            return []
        kind = DEGRADED if problem else RECOVERED
        return [Event(kind, self._clock.monotonic(), self._clock.wall(), label=subject, reason=problem)]

    def _event(self, kind: str, person: _Person) -> Event:
        decision = person.decision
        reason = decision.reason if decision.label == UNCERTAIN else ""
        emotions = dict(decision.emotions)
        return Event(
            kind,
            self._clock.monotonic(),
            self._clock.wall(),
            person.name,
            decision.label,
            decision.score,
            reason,
            emotions,
        )
