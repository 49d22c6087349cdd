"""One frame after the other for minutes, as the live loop works, in the manner of MLPerf Inference's single stream.

The next frame is taken when the one before is done; at least 1,024 frames and 60 seconds; percentiles of each stage and of
the time from capture to result; how warm the board became. A run that breaks a rule is INVALID, and says which
(MLPerf Inference: Reddi et al. 2020, section IV; 1,024 queries and 60 s are its single stream's least).
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from devices.board import Board, read_board
from edge_runtime.live.events import DEGRADED
from edge_runtime.live.hub import Hub
from edge_runtime.live.pipeline import STAGES, Sight
from edge_runtime.live.run_summary import RunSummary
from edge_runtime.live.stream import LiveLoop
from edge_runtime.live.surroundings import Surroundings
from edge_runtime.percentiles import Percentiles
from edge_runtime.settings.config import Config
from edge_runtime.settings.outputs import LogSettings, MetricsSettings, MqttSettings, OutputSettings

__all__ = ["LEAST_FRAMES", "LEAST_S", "Measured", "Warmth", "measure"]

LEAST_FRAMES = 1024
LEAST_S = 60.0
WARM_UP_FRAMES = 20
LEAST_SHARE_WITH_FACES = 0.5
"""A stage that has nothing to do in most frames is not measured by them."""

GIVE_UP_S = 1800.0
TOTAL, AGE = "total", "age"


@dataclass(frozen=True)
class Warmth:
    """The board at one moment of the run: seconds since its start, °C, and what held it back."""

    at_s: float
    temperature_c: float | None
    throttling: tuple[str, ...] | None


@dataclass(frozen=True)
class Measured:
    """What a run came to.

    Attributes:
        broken: the rules that it broke, in words; empty for a valid run.
        frames, seconds: that were counted, after warming up.
        stages: of each stage of the pipeline, their "total", and "age": from capture to result. Empty without a frame.
        faces_per_frame: mean.
        summary: of the whole run, warm-up included.
        warmth: the thermal record.
        load: of the machine (one minute's average of runnable processes) before it began; None where it is not told.
    """

    broken: tuple[str, ...]
    frames: int
    seconds: float
    stages: dict[str, Percentiles]
    faces_per_frame: float
    summary: RunSummary
    warmth: tuple[Warmth, ...]
    load: float | None

    @property
    def valid(self) -> bool:
        return not self.broken


class _Tally:
    """Takes down every frame, and says when there are enough."""

    def __init__(self, least_s: float, enough: Callable[[], None]) -> None:
        self._least_s, self._enough = least_s, enough
        self._seen = 0
        self._began_s = self.seconds = 0.0
        self.stages: dict[str, list[float]] = {stage: [] for stage in (*STAGES, TOTAL, AGE)}
        self.faces: list[int] = []

    def take(self, sight: Sight, age_s: float) -> None:
        now = time.monotonic()
        self._seen += 1
        if self._seen <= WARM_UP_FRAMES:
            self._began_s = now
            return
        for stage, took_s in sight.stages_s.items():
            self.stages[stage].append(took_s)
        self.stages[TOTAL].append(sum(sight.stages_s.values()))
        self.stages[AGE].append(age_s)
        self.faces.append(len(sight.faces))
        self.seconds = now - self._began_s
        if len(self.faces) >= LEAST_FRAMES and self.seconds >= self._least_s:
            self._enough()


def measure(
    config: Config,
    least_s: float,
    stop: threading.Event,
    most_s: float = 0.0,
    around: Surroundings | None = None,
    read: Callable[[], Board] = read_board,
) -> Measured:
    """Runs the live loop, without outputs, until there are enough frames and seconds, or `stop` is set.

    Args:
        config: of source, model, detector and so on; what it says of outputs is left out.
        least_s: of the run.
        stop: ends it early; then it is INVALID, if rules are broken by that.
        most_s: ends it after so many seconds, whatever the rules say; 0 for half an hour beyond `least_s`.
        around: the world; another one for tests.
        read: asks the board.

    Raises:
        What `LiveLoop.run` raises.
    """
    over = threading.Event()
    tally = _Tally(least_s, over.set)
    began_s = time.monotonic()
    warmth: list[Warmth] = []

    def note() -> Board:
        board = read()
        warmth.append(Warmth(round(time.monotonic() - began_s, 1), board.temperature_c, board.throttling))
        return board

    def pass_on() -> None:
        while not over.is_set():
            if stop.wait(0.1):
                over.set()

    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    silent = OutputSettings(format="none")
    config = replace(config, output=silent, log=LogSettings(), mqtt=MqttSettings(), metrics=MetricsSettings())
    hub = Hub()
    loop = LiveLoop(config, hub, replace(around or Surroundings(), observe=tally.take, read_board=note))
    watcher = threading.Thread(target=pass_on, name="bench stop", daemon=True)
    watcher.start()
    try:
        summary = loop.run(over, seconds=most_s or least_s + GIVE_UP_S)
    finally:
        over.set()
    note()
    degraded = [f"{event.label} degraded: {event.reason}" for _, event in hub.events_after(0) if event.kind == DEGRADED]
    broken = _broken(tally, summary, warmth) + degraded + (["interrupted"] if stop.is_set() else [])
    stages = {stage: Percentiles.of(values) for stage, values in tally.stages.items() if values}
    faces = float(np.mean(tally.faces)) if tally.faces else 0.0
    return Measured(tuple(broken), len(tally.faces), tally.seconds, stages, faces, summary, tuple(warmth), load)


def _broken(tally: _Tally, summary: RunSummary, warmth: list[Warmth]) -> list[str]:
    """The rules that a run broke."""
    frames = len(tally.faces)
    broken = []
    if frames < LEAST_FRAMES:
        broken.append(f"{frames} frames, fewer than {LEAST_FRAMES}")
    if tally.seconds < LEAST_S:
        broken.append(f"{tally.seconds:.1f} s, less than {LEAST_S:g} s")
    with_faces = sum(count > 0 for count in tally.faces)
    if frames and with_faces < LEAST_SHARE_WITH_FACES * frames:
        broken.append(f"a face in {with_faces} of {frames} frames only")
    if summary.refused:
        broken.append(f"{summary.refused} frames torn or of a wrong size")
    if not summary.accounted:
        broken.append("frames that were neither processed nor dropped")
    before, after = warmth[0].throttling or (), warmth[-1].throttling or ()
    broken += [f"{reason} during the run" for reason in after if reason not in before]
    return broken
