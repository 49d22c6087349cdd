"""The live loop: the newest frame wins, nothing queues up, every drop is counted, and what is broken is said.

    loop = LiveLoop(load_config(flags={"source.spec": "synthetic"}).config, Hub())
    threading.Thread(target=loop.run, args=(stop,)).start()     # until `stop` is set, or the recording ends

The loop is one thread: it takes the newest frame, passes it through the pipeline, tells the outputs, and looks whether
all is well. Whatever may wait for a device, a disk or a network lives in a process or a thread of its own.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque

import numpy as np

from devices.base import Frame
from devices.source_state import Phase, SourceState
from devices.worker import CameraWorker
from edge_runtime.live.board_watch import BoardWatch
from edge_runtime.live.events import APPEARED, CHANGED, Event, Reporter
from edge_runtime.live.health import Health
from edge_runtime.live.hub import Hub, Seen
from edge_runtime.live.metrics import LiveMetrics
from edge_runtime.live.outputs import LiveOutputs, end_together
from edge_runtime.live.pipeline import LivePipeline, Sight, open_pipeline
from edge_runtime.live.records import LiveRecord, face_of
from edge_runtime.live.run_summary import RunSummary
from edge_runtime.live.source import open_source
from edge_runtime.live.state import LiveState, ShownFace
from edge_runtime.live.surroundings import Surroundings
from edge_runtime.live.watchdog import Watchdog
from edge_runtime.settings.config import Config

__all__ = ["LiveLoop"]

_log = logging.getLogger("fer_edge.live")

WAIT_S = 0.2  # for a frame, before it is looked whether all is well
RATE_OVER_S = 3.0
AGES_KEPT = 4096
END_S = 1.3
"""For everything that is to be given back at the end, side by side."""


class LiveLoop:
    """One live run.

    Args:
        config: every setting.
        hub: where the newest is left for pages and the API; None for nobody.
        around: the world; another one for tests.

    Attributes:
        metrics: what is counted; any thread may render it.
    """

    def __init__(self, config: Config, hub: Hub | None = None, around: Surroundings | None = None) -> None:
        self._config, self._hub, self._around = config, hub or Hub(), around or Surroundings()
        self._clock = self._around.clock
        self._watchdog = self._around.watchdog or Watchdog.from_environment(clock=self._clock)
        self._reporter = Reporter(self._clock)
        self.metrics = LiveMetrics()
        self._source: CameraWorker | None = None
        self._pipeline: LivePipeline | None = None
        self._outputs: LiveOutputs | None = None
        self._board: BoardWatch | None = None
        self._health: Health | None = None
        self._ending = threading.Lock()
        self._unfinished: tuple[str, ...] | None = None
        self._lost_tracks = True
        self._processed = self._faces = 0
        self._ages: deque[float] = deque(maxlen=AGES_KEPT)
        self._results_s: deque[float] = deque()
        self._searches: Counter[str] = Counter()

    def run(self, stop: threading.Event, frames: int = 0, seconds: float = 0.0) -> RunSummary:
        """Runs until `stop` is set, or after so many processed frames or seconds (0 for no limit), or a recording's end.

        Raises:
            SpecError, BundleError, DetectorError, InterpreterError, OutputError, UsageError, ConfigError: it cannot start.
            CameraSetupError: no waiting brings this camera back.
            CameraError: a recording that cannot be read, or breaks off.
            BrokenPipeError: nobody reads the records any more.
        """
        began_s = self._clock.monotonic()
        done = threading.Event()
        threading.Thread(target=self._hurry, args=(stop, done), name="stop", daemon=True).start()
        try:
            self._open(stop)
            until_s = began_s + seconds if seconds else float("inf")
            while not stop.is_set() and (not frames or self._processed < frames) and self._clock.monotonic() < until_s:
                if not self._turn(stop):
                    break
        finally:
            self._watchdog.stopping()
            try:
                self._farewell()
            finally:
                self.finish()
                done.set()
        return self._summary(self._clock.monotonic() - began_s)

    def finish(self, timeout_s: float = END_S) -> None:
        """Gives everything back: outputs whole, devices free. Any thread may call it, where the loop itself cannot any more."""
        with self._ending:
            if self._unfinished is not None:
                return
            closers = {} if self._outputs is None else dict(self._outputs.closers(timeout_s))
            for name, part in (("camera", self._source), ("accelerator", self._pipeline), ("board", self._board)):
                if part is not None:
                    closers[name] = part.close
            self._unfinished = tuple(end_together(closers, timeout_s))

    # One run, in its order

    def _open(self, stop: threading.Event) -> None:
        """The camera first: its process starts while the model is loaded."""
        self._source = open_source(self._config)
        self._board = BoardWatch(self._around.read_board)
        self._pipeline = open_pipeline(self._config, self._around.detector)
        bundle, detector = self._pipeline.classifier.bundle, self._pipeline.detector
        self.metrics.about(bundle.name, bundle.sha256, detector.name)
        self._outputs = LiveOutputs(self._config, bundle, detector, self._around, self.metrics, stop)
        self._health = Health(self._reporter, self._pipeline, self._outputs, self._board, self.metrics)
        # Before the first result, and so before systemd's watchdog waits for anything.
        self._pipeline.warm_up()

    def _turn(self, stop: threading.Event) -> bool:
        """One frame, or a moment without one. False once there will be no more."""
        assert self._source is not None
        frame = self._source.newest(WAIT_S)
        if frame is not None:
            # A frame that has been taken is processed, also at the end: it was counted as such.
            self._step(frame, self._source.state)
        elif not stop.is_set():
            self._idle(self._source.state)
        return self._source.state.phase is not Phase.ENDED or frame is not None

    def _step(self, frame: Frame, source: SourceState) -> None:
        assert self._pipeline is not None
        assert self._outputs is not None
        assert self._health is not None
        taken_s = self._clock.monotonic()
        self._lost_tracks = False
        sight = self._pipeline.see(frame, frame.time_s)
        now = self._clock.monotonic()
        # Media time says nothing about how old a picture is.
        age_s = max(0.0, now - (frame.time_s if source.live else taken_s))
        self._count(sight, age_s, now)
        shown = {face.tracked.track: face.decision for face in sight.faces if face.tracked.confirmed}
        events = self._reporter.faces(shown, sight.ended)
        events += self._health.look(now, source)
        state = self._state(sight, source, age_s)
        if self._around.records_to is not None or self._config.output.annotate:
            self._outputs.result(frame, self._records(sight, frame, source, age_s), frame.time_s, source)
        self._tell(Seen(frame, state), events)
        self._watchdog.result(self._status(state))
        if self._around.observe is not None:
            self._around.observe(sight, age_s)

    def _idle(self, source: SourceState) -> None:
        """No frame now: say why, and forget who was there once the camera is lost."""
        assert self._health is not None
        now = self._clock.monotonic()
        events: list[Event] = []
        if source.phase is Phase.LOST and not self._lost_tracks:
            assert self._pipeline is not None
            self._lost_tracks = True
            events = self._reporter.faces({}, self._pipeline.forget())
        events += self._health.look(now, source)
        if source.phase is Phase.LIVE and not events:
            return  # a slow camera between two frames
        state = self._state(Sight((), (), {}), source, 0.0)
        self._tell(Seen(None, state), events)
        self._watchdog.degraded(self._status(state))

    def _farewell(self) -> None:
        """Whoever is still there leaves with the run."""
        if self._pipeline is not None and self._outputs is not None and self._unfinished is None:
            events = self._reporter.faces({}, self._pipeline.forget())
            try:
                self._tell(Seen(None, LiveState(camera=Phase.CLOSED)), events)
            except BrokenPipeError:
                _log.info("nobody reads the records any more")

    def _hurry(self, stop: threading.Event, done: threading.Event) -> None:
        """Once the end is asked for, an accelerator that hangs is not waited for."""
        while not stop.wait(0.5):
            if done.is_set():
                return
        while not done.wait(0.3):
            if self._pipeline is not None:
                self._pipeline.interrupt()

    # What is said of it

    def _count(self, sight: Sight, age_s: float, now: float) -> None:
        self._processed += 1
        self._faces += len(sight.faces)
        self._ages.append(age_s)
        self._results_s.append(now)
        self.metrics.frame(sight.stages_s, age_s, len(sight.faces))
        self.metrics.search(sight.searched, sight.left_out)
        self._searches[sight.searched] += 1

    def _state(self, sight: Sight, source: SourceState, age_s: float) -> LiveState:
        assert self._pipeline is not None
        now = self._clock.monotonic()
        while self._results_s and now - self._results_s[0] > RATE_OVER_S:
            self._results_s.popleft()
        first_s = self._results_s[0] if self._results_s else now
        rate = (len(self._results_s) - 1) / (now - first_s) if len(self._results_s) > 1 and now > first_s else 0.0
        faces = tuple(
            ShownFace(
                self._reporter.name_of(face.tracked.track),
                face.decision.label,
                face.decision.score,
                face.decision.reason,
                face.decision.emotions,
                face.box,
            )
            for face in sight.faces
            if face.tracked.confirmed
        )
        accelerator, dropped = self._pipeline.accelerator.running_on, source.counts.dropped
        return LiveState(faces, rate, self._reporter.faults, accelerator, source.phase, age_s, self._processed, dropped)

    def _records(self, sight: Sight, frame: Frame, source: SourceState, age_s: float) -> list[LiveRecord]:
        assert self._pipeline is not None
        assert self._source is not None
        time_s = frame.time_s - (self._source.epoch_s if source.live else 0.0)
        wall_s, where = self._clock.wall() - age_s, self._pipeline.accelerator.running_on
        degraded = tuple(sorted(self._reporter.faults))
        return [
            LiveRecord(
                source.source,
                frame.index,
                time_s,
                number,
                face_of(face),
                wall_s,
                age_s,
                self._reporter.name_of(face.tracked.track),
                face,
                where,
                degraded,
                left_out=sight.left_out,
                searched=sight.searched,
            )
            for number, face in enumerate(sight.faces)
        ]

    def _tell(self, seen: Seen, events: list[Event]) -> None:
        assert self._outputs is not None
        for event in events:
            if event.kind in (APPEARED, CHANGED):
                self.metrics.label_changed(event.label)
        self._hub.put(seen, events)
        self._outputs.show(seen.state)
        self._outputs.events(events)

    def _status(self, state: LiveState) -> str:
        """One line for the service manager; it changes a few times a second at most."""
        faults = "; ".join(f"{subject}: {problem}" for subject, problem in state.faults.items())
        people = f"{len(state.faces)} face{'s' * (len(state.faces) != 1)}"
        return f"camera {state.camera}, {state.frames_per_second:.0f} results/s, {people}, on {state.accelerator}" + (
            f"; {faults}" if faults else ""
        )

    def _summary(self, seconds: float) -> RunSummary:
        assert self._source is not None
        counts, ages = self._source.state.counts, np.array(self._ages) * 1e3
        return RunSummary(
            counts.produced,
            self._processed,
            counts.dropped - counts.refused,
            counts.refused,
            self._faces,
            self._source.state.outages,
            seconds,
            tuple(float(age) for age in np.percentile(ages, [50, 99])) if ages.size else (),
            {} if self._outputs is None else self._outputs.lost(),
            self._unfinished or (),
            dict(self._searches),
        )
