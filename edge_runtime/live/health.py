"""Is all well? Camera, accelerator, outputs, board and light, each told once when it breaks and once when it is whole again."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from devices.frame_buffer import Counts
from devices.source_state import Phase, SourceState
from edge_runtime.live.board_watch import BoardWatch
from edge_runtime.live.events import Event, Reporter
from edge_runtime.live.metrics import LiveMetrics
from edge_runtime.live.outputs import LiveOutputs
from edge_runtime.live.pipeline import LivePipeline

__all__ = ["Health"]

_log = logging.getLogger("fer_edge.live")

LOOK_EVERY_S = 0.25
DARK_AFTER_S = 3.0
_SPEAK_THEMSELVES = ("camera", "accelerator")
"""Two log lines an outage are enough, and these are written where it happens."""


class Health:
    """Looks after the parts of one run. For the thread of the loop."""

    def __init__(
        self, reporter: Reporter, pipeline: LivePipeline, outputs: LiveOutputs, board: BoardWatch, metrics: LiveMetrics
    ) -> None:
        self._reporter, self._pipeline, self._outputs = reporter, pipeline, outputs
        self._board, self._metrics = board, metrics
        self._looked_s = float("-inf")
        self._others: Mapping[str, str] = {}
        self._light = _Light()

    def look(self, now: float, source: SourceState) -> list[Event]:
        """What broke or became whole since. Cheap: outputs, board and light are looked at a few times a second."""
        accelerator = self._pipeline.accelerator
        lost = source.phase in (Phase.LOST, Phase.FAILED)
        due = now - self._looked_s >= LOOK_EVERY_S
        if due:
            self._looked_s = now
            dark = self._light.problem(now, source.counts)
            self._others = {**self._outputs.problems(), "board": self._board.trouble, "light": dark}
        faults = {"camera": (source.fault or "lost") if lost else "", "accelerator": accelerator.fault}
        events: list[Event] = []
        for subject, problem in {**faults, **self._others}.items():
            found = self._reporter.fault(subject, problem)
            if found and subject not in _SPEAK_THEMSELVES:
                _log.warning("%s: %s", subject, problem or "all is well again")
            events += found
        if due or events:
            self.count(source)
        return events

    def count(self, source: SourceState) -> None:
        """Hands the counts of others to the metrics."""
        counts, accelerator = source.counts, self._pipeline.accelerator
        self._metrics.drops(counts.dropped - counts.refused, counts.refused)
        self._metrics.faults(source.outages, accelerator.fallbacks)
        self._metrics.status(self._reporter.faults, accelerator.running_on, self._board.temperature_c)


class _Light:
    """Pictures without light for a while: a cap, a shutter, a dead sensor, or night."""

    def __init__(self) -> None:
        self._before = Counts()
        self._since_s: float | None = None

    def problem(self, now: float, counts: Counts) -> str:
        # A refused frame says nothing of the light.
        came = counts.produced - counts.refused - (self._before.produced - self._before.refused)
        if came > 0:
            black = counts.black - self._before.black
            self._before = counts
            if black < came:
                self._since_s = None
            elif self._since_s is None:
                self._since_s = now
        if self._since_s is None or now - self._since_s < DARK_AFTER_S:
            return ""
        return "only black pictures: a cap, a shutter, or no light"
