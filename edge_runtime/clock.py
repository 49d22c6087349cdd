"""Two clocks: one that only goes on, for all that is measured, and the one on the wall, which people read and NTP steps."""

from __future__ import annotations

import time
from typing import Protocol

__all__ = ["Clock", "ManualClock", "SystemClock"]


class Clock(Protocol):
    """What everything that lives longer than a frame asks for the time."""

    def monotonic(self) -> float:
        """Seconds that never go back, from no particular moment."""
        ...

    def wall(self) -> float:
        """Seconds since 1970, as the system believes."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def monotonic(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time()


class ManualClock:
    """A clock that tests and simulations move by hand: `pass_time` moves both, `step_wall` only the one on the wall."""

    def __init__(self, monotonic: float = 1000.0, wall: float = 1_750_000_000.0) -> None:
        self._monotonic, self._wall = monotonic, wall

    def monotonic(self) -> float:
        return self._monotonic

    def wall(self) -> float:
        return self._wall

    def pass_time(self, seconds: float) -> None:
        self._monotonic += seconds
        self._wall += seconds

    def step_wall(self, seconds: float) -> None:
        self._wall += seconds
