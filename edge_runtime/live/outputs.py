"""Everything that a live run tells others: records, a video, the event log, MQTT and metrics. None of it makes the camera wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from devices.base import Frame
from devices.source_state import SourceState
from edge_runtime.bundle import Bundle
from edge_runtime.detectors import Detector
from edge_runtime.detectors.tiles import detail_of
from edge_runtime.live.events import Event
from edge_runtime.live.line_stream import LineStream
from edge_runtime.live.metrics import LiveMetrics
from edge_runtime.live.records import LIVE_COLUMNS, LiveRecord
from edge_runtime.live.state import LiveState
from edge_runtime.live.surroundings import Surroundings
from edge_runtime.records import RunHeader
from edge_runtime.settings.config import Config
from edge_runtime.sinks import Sink, open_sink
from edge_runtime.sinks.live_video import LiveVideo

if TYPE_CHECKING:
    from edge_runtime.sinks.background import Background
    from edge_runtime.sinks.metrics_server import MetricsServer
    from edge_runtime.sinks.mqtt import MqttSink

__all__ = ["LiveOutputs", "end_together"]

BROKER_GRACE_S = 5.0
"""A broker is not called missing before so many seconds: connecting takes a moment."""


class LiveOutputs:
    """The outputs that the settings ask for. For the thread of the loop.

    Args:
        config: output, log, mqtt and metrics.
        bundle, detector: what answers, for the records' header.
        around: where they go.
        metrics: what is counted.
        stopping: once set, no reader is waited for.

    Raises:
        OutputError, UsageError, ConfigError: one that can never work, such as a video in no folder.
    """

    def __init__(
        self,
        config: Config,
        bundle: Bundle,
        detector: Detector,
        around: Surroundings,
        metrics: LiveMetrics,
        stopping: threading.Event,
    ) -> None:
        self._metrics, self._clock = metrics, around.clock
        self._began_s = around.clock.monotonic()
        self._video = LiveVideo(Path(config.output.annotate)) if config.output.annotate else None
        self._log: Background | None = None
        self._mqtt: MqttSink | None = None
        self._server: MetricsServer | None = None
        self._lines: LineStream | None = None
        self._sink: Sink | None = None
        try:
            self._open(config, bundle, around)
            if around.records_to is not None and config.output.format != "none":
                self._lines = LineStream(around.records_to, stopping)
                header = RunHeader.of(bundle, detector.name, config.detector.alignment, detail_of(detector))
                self._sink = open_sink(config.output.format, self._lines, header, LIVE_COLUMNS)
        except BaseException:
            self.close(0.5)
            raise

    def _open(self, config: Config, bundle: Bundle, around: Surroundings) -> None:
        """What is off is not even imported: SQLite, TLS and HTTP take some ten megabytes."""
        if config.metrics.port:
            from edge_runtime.sinks.metrics_server import MetricsServer

            self._server = MetricsServer(config.metrics.port, self._metrics.registry.render)
        if config.mqtt.url:
            from edge_runtime.sinks.mqtt import MqttSink

            self._mqtt = MqttSink(config.mqtt, around.open_link(config.mqtt), bundle.labels.names)
        if config.log.path:
            from edge_runtime.sinks.background import Background
            from edge_runtime.sinks.event_log import Origin

            origin = Origin(bundle.name, bundle.sha256)
            self._log = Background(
                lambda: around.open_store(config.log, origin, around.clock), config.log.waiting_events
            )

    def result(self, frame: Frame, records: Sequence[LiveRecord], time_s: float, source: SourceState) -> None:
        """Tells what one frame came to.

        Raises:
            BrokenPipeError: nobody reads the records any more.
        """
        if self._lines is not None and self._sink is not None:
            self._lines.lossless = not source.live
            for record in records:
                self._sink.write(record)
        if self._video is not None:
            fps = None if source.live else (source.fps or 25.0)
            self._video.write(frame.image, [record.face for record in records], time_s, fps)

    def events(self, events: Sequence[Event]) -> None:
        """Hands events to whoever keeps or carries them."""
        for event in events:
            if self._sink is not None:
                self._sink.event(event)
        if events and self._log is not None:
            self._log.put(events)
        if events and self._mqtt is not None:
            self._mqtt.put(events)

    def show(self, state: LiveState) -> None:
        """Gives the newest state to MQTT."""
        if self._mqtt is not None:
            self._mqtt.show(state)

    def problems(self) -> Mapping[str, str]:
        """Output → what is wrong with it; empty where nothing is. Counts what the outputs delivered, on the way."""
        log = None if self._log is None else self._log.state()
        mqtt = None if self._mqtt is None else self._mqtt.state()
        self._metrics.deliveries(log, mqtt)
        if self._lines is not None:
            self._metrics.records(self._lines.written, self._lines.lost)
        away = mqtt is not None and not mqtt.connected
        early = self._clock.monotonic() - self._began_s < BROKER_GRACE_S
        return {
            "records": "" if self._lines is None else self._lines.problem,
            "annotate": "" if self._video is None else self._video.problem,
            "log": "" if log is None else log.problem,
            "mqtt": mqtt.problem if mqtt is not None and away and not early else "",
        }

    def lost(self) -> Mapping[str, int]:
        """Output → what it lost so far, where it lost something."""
        counts = {
            "records": 0 if self._lines is None else self._lines.lost,
            "log": 0 if self._log is None else self._log.state().lost,
            "mqtt": 0 if self._mqtt is None else self._mqtt.state().lost,
        }
        return {name: count for name, count in counts.items() if count}

    def closers(self, timeout_s: float) -> dict[str, Callable[[], object]]:
        """How each output is ended, within that time; they may be called side by side."""
        closers: dict[str, Callable[[], object]] = {}
        if self._lines is not None:
            closers["records"] = self._lines.close
        if self._video is not None:
            closers["annotate"] = self._video.close
        if self._log is not None:
            log = self._log
            closers["log"] = lambda: log.close(timeout_s)
        if self._mqtt is not None:
            mqtt = self._mqtt
            closers["mqtt"] = lambda: mqtt.close(timeout_s)
        if self._server is not None:
            server = self._server
            closers["metrics"] = lambda: server.close(timeout_s)
        return closers

    def close(self, timeout_s: float) -> list[str]:
        """Ends all of them side by side; returns the names of those that did not end in time."""
        return end_together(self.closers(timeout_s), timeout_s)


def end_together(closers: Mapping[str, Callable[[], object]], timeout_s: float) -> list[str]:
    """Calls all of them, each in a thread of its own, and returns the names of those that were not done in time."""
    threads = {
        name: threading.Thread(target=closer, name=f"end {name}", daemon=True) for name, closer in closers.items()
    }
    for thread in threads.values():
        thread.start()
    until = time.monotonic() + timeout_s
    for thread in threads.values():
        thread.join(max(0.0, until - time.monotonic()))
    return [name for name, thread in threads.items() if thread.is_alive()]
