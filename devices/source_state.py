"""What is known of a supervised source of frames at any moment."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from devices.frame_buffer import Counts

__all__ = ["Phase", "SourceState"]


class Phase(StrEnum):
    """Where a source is."""

    OPENING = "opening"
    LIVE = "live"
    LOST = "lost"
    ENDED = "ended"
    FAILED = "failed"
    CLOSED = "closed"


@dataclass(frozen=True)
class SourceState:
    """A source as it is now. Any thread may look at it.

    Attributes:
        source: the spec, without passwords.
        phase: opening, live, lost (and being tried again), ended (a recording), failed (trying again is vain) or closed.
        since_s: monotonic time since which that is so.
        fault: what happened, in one line; empty while all is well.
        mend: what to do about it.
        outages: how often the source was lost, or was not there at the start.
        attempts: how often it was tried to open it in this outage.
        counts: of frames, at the last call of `newest`.
        live: whether its frames carry monotonic time; False for a recording, whose frames carry media time. Known once it is opened.
        fps: frames a second, where the source says so.
    """

    source: str
    phase: Phase
    since_s: float
    fault: str = ""
    mend: str = ""
    outages: int = 0
    attempts: int = 0
    counts: Counts = Counts()  # noqa: RUF009 - frozen
    live: bool = True
    fps: float | None = None
