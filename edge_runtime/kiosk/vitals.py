"""How this machine fares, second by second: for the corner of the page, its ribbon, and the keeper's charts."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import astuple, dataclass, fields
from typing import Any

from devices.board import Board, read_board
from edge_runtime.clock import Clock, SystemClock
from edge_runtime.kiosk.newest import Newest
from edge_runtime.live.hub import Hub
from edge_runtime.live.state import ENDED, LiveState

__all__ = ["EVERY_S", "KEPT_SAMPLES", "Sample", "Vitals"]

EVERY_S = 1.0
KEPT_SAMPLES = 900
"""Fifteen minutes."""

STALE_AFTER_S = 3.0
_BOARD_EVERY = 5  # samples; on a Raspberry Pi a program is asked for throttling


@dataclass(frozen=True)
class Sample:
    """One second.

    Attributes:
        wall_s: when, seconds since 1970.
        expression: of the largest face, or "nobody".
        faces: how many.
        frames_per_second: results.
        latency_ms: from exposure to result, mean of this second; None without a result.
        temperature_c: of the board; None without a sensor.
    """

    wall_s: float
    expression: str
    faces: int
    frames_per_second: float
    latency_ms: float | None
    temperature_c: float | None


class Vitals:
    """Samples the newest state and the board.

    Args:
        hub, newest: what is sampled.
        results: how many results came so far, and the sum of their ages in seconds (`LiveMetrics.results`).
        board: reads the board's facts.
        clock: for the times of samples.
    """

    def __init__(
        self,
        hub: Hub,
        newest: Newest,
        results: Callable[[], tuple[int, float]],
        board: Callable[[], Board] = read_board,
        clock: Clock | None = None,
    ) -> None:
        self._hub, self._newest, self._results, self._read_board = hub, newest, results, board
        self._clock = clock or SystemClock()
        self._samples: deque[Sample] = deque(maxlen=KEPT_SAMPLES)
        self._before = (0, 0.0)
        self.board: Board | None = None

    async def run(self) -> None:
        """Samples until it is cancelled."""
        count = 0
        while True:
            if count % _BOARD_EVERY == 0:
                self.board = await asyncio.to_thread(self._read_board)
            self.sample()
            count += 1
            await asyncio.sleep(EVERY_S)

    def sample(self) -> None:
        state = self._newest.shown.seen.state
        now = self._results()
        count, age_s = now[0] - self._before[0], now[1] - self._before[1]
        self._before = now
        self._samples.append(
            Sample(
                round(self._clock.wall(), 1),
                state.expression,
                len(state.faces),
                round(state.frames_per_second, 1),
                round(1000 * age_s / count, 1) if count > 0 else None,
                self.temperature_c,
            )
        )

    @property
    def temperature_c(self) -> float | None:
        found = self.board.temperature_c if self.board else None
        return None if found is None else round(found, 1)

    def faults(self, state: LiveState) -> dict[str, str]:
        """What is degraded: what the loop says, and the loop itself where nothing comes from it."""
        faults = dict(state.faults)
        if self._hub.closed:
            faults["loop"] = "the live loop has ended"
        elif state.camera != ENDED and self._newest.age_s() > STALE_AFTER_S:
            faults["loop"] = f"no result for {self._newest.age_s():.0f} s"
        for name in (self.board.throttling if self.board else None) or ():
            if not name.endswith("has occurred"):
                faults["board"] = name
        return faults

    def as_json(self, seconds: int) -> dict[str, Any]:
        """The samples of the last seconds, oldest first: names of columns, and one row a sample."""
        rows = list(self._samples)[-max(1, int(seconds / EVERY_S)) :]
        names = [field.name for field in fields(Sample)]
        return {"every_s": EVERY_S, "columns": names, "rows": [list(astuple(row)) for row in rows]}
