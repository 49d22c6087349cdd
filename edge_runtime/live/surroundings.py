"""What a live run takes from the world around it, so that a test can give it another world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from devices.board import Board, read_board
from edge_runtime.clock import Clock, SystemClock
from edge_runtime.detectors import Detector
from edge_runtime.live.pipeline import Sight
from edge_runtime.live.watchdog import Watchdog
from edge_runtime.settings.outputs import LogSettings, MqttSettings

if TYPE_CHECKING:
    from edge_runtime.sinks.background import Store
    from edge_runtime.sinks.event_log import Origin
    from edge_runtime.sinks.mqtt_link import Link

__all__ = ["Surroundings"]

Observer = Callable[[Sight, float], None]
"""Is told what each processed frame came to, and how old the result was, in seconds."""

OpenLink = Callable[[MqttSettings], "Link"]
OpenStore = Callable[[LogSettings, "Origin", Clock], "Store"]


# SQLite and TLS take some ten megabytes, which a run that keeps and sends nothing does without.
def _event_log(settings: LogSettings, origin: Origin, clock: Clock) -> Store:
    from edge_runtime.sinks.event_log import EventLog

    return EventLog(Path(settings.path), settings, origin, clock)


def _paho(settings: MqttSettings) -> Link:
    from edge_runtime.sinks.mqtt_link import PahoLink

    return PahoLink(settings)


@dataclass(frozen=True)
class Surroundings:
    """The real world by default.

    Attributes:
        records_to: descriptor for records, such as 1; None where nobody reads any.
        clock: `monotonic` must be the cameras' own, that of the system.
        watchdog: None for the one that the service manager's variables name.
        detector: None for the one that the settings name.
        read_board: asks the board how warm it is.
        open_link: the way to an MQTT broker.
        open_store: the event log.
        observe: is told of each processed frame.
    """

    records_to: int | None = None
    clock: Clock = field(default_factory=SystemClock)
    watchdog: Watchdog | None = None
    detector: Detector | None = None
    read_board: Callable[[], Board] = read_board
    open_link: OpenLink = _paho
    open_store: OpenStore = _event_log
    observe: Observer | None = None
