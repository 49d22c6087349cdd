"""Settings of where results go."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from edge_runtime.settings.field import ConflictError, Settings, setting

__all__ = ["LogSettings", "MetricsSettings", "MqttSettings", "OutputSettings"]


@dataclass(frozen=True)
class OutputSettings(Settings):
    """What a run prints, draws and shows."""

    title = "what a run prints, draws and shows"

    format: str = setting("jsonl", "of the records that fer-edge run prints", choices=("jsonl", "csv", "none"))
    annotate: str = setting(
        "", "a video of the frames with boxes and labels, such as seen.mp4; empty: no frame is kept"
    )
    display: bool = setting(
        False, "a window; OpenCV without one (headless), as fer-edge installs it, says so and goes on"
    )


@dataclass(frozen=True)
class LogSettings(Settings):
    """The event log."""

    title = "the event log: who appeared and which label was shown, never a picture; see docs/privacy.md"

    path: str = setting("", "an SQLite file, such as /var/lib/fer-edge/events.db; empty: nothing is kept")
    keep_days: float = setting(30.0, "events older than this are erased", low=0.01, high=36500)
    most_mb: float = setting(64.0, "and the oldest ones, where the file grows beyond this", low=1, high=100000)
    waiting_events: int = setting(
        10000,
        "events kept in memory while the disk does not take them; older ones are lost, and counted",
        low=1,
        high=1000000,
    )


@dataclass(frozen=True)
class MqttSettings(Settings):
    """The MQTT broker, and Home Assistant behind it."""

    title = "the MQTT broker, and Home Assistant behind it; needs fer-edge[mqtt]"

    url: str = setting("", "mqtt://host:1883 or mqtts://host:8883; empty: nothing is sent")
    username: str = setting("", "where the broker asks for one")
    password: str = setting("", "better in a file of its own: password_file", secret=True)
    password_file: str = setting("", "a file whose first line is the password")
    ca_file: str = setting("", "certificates that mqtts trusts instead of the system's")
    topic: str = setting("fer-edge", "what topics begin with")
    device: str = setting("", "this device's name in topics and Home Assistant; empty: the host's name")
    discovery: bool = setting(True, "announce this device to Home Assistant")
    discovery_topic: str = setting("homeassistant", "where Home Assistant listens for announcements")
    state_every_s: float = setting(1.0, "the state is sent when it changes, and at most so often", low=0.05, high=3600)
    waiting_events: int = setting(
        1000, "events kept while the broker is away; older ones are lost, and counted", low=1, high=100000
    )
    keepalive_s: int = setting(15, "the broker says offline after one and a half of these", low=5, high=600)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.url:
            _check_url(self.url)
        if self.password and self.password_file:
            raise ConflictError("password and password_file are both given; one of them is meant")
        if (self.password or self.password_file) and not self.username:
            raise ConflictError("a password without a username")
        for name, value in (("topic", self.topic), ("discovery_topic", self.discovery_topic)):
            if not value or any(mark in value for mark in "#+\0") or value.strip("/") != value:
                raise ValueError(f"{name} = {value!r} is no topic: not empty, without # + and outer slashes")
        if any(mark in self.device for mark in "#+/\0"):
            raise ValueError(f"device = {self.device!r} has one of # + /")


def _check_url(url: str) -> None:
    """Never repeats the URL's password: the message goes to a terminal and a journal."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError("url is no address: expected mqtt://host:1883") from error
    if parts.username is not None or parts.password is not None:
        raise ValueError("url has a user or password in it; they belong in username and password_file")
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or port == 0 or parts.path.strip("/") or parts.query:
        raise ValueError(f"url = {url!r} is not mqtt://host:1883 or mqtts://host:8883")


@dataclass(frozen=True)
class MetricsSettings(Settings):
    """Figures for Prometheus."""

    title = "figures for Prometheus"

    port: int = setting(
        0, "http://127.0.0.1:PORT/metrics, for this machine only, such as 9464; 0: none", low=0, high=65535
    )
