"""The way to a broker: the seam, paho-mqtt behind it, and the fake that ships with it."""

from __future__ import annotations

import secrets
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from edge_runtime.errors import ConfigError, UsageError
from edge_runtime.settings.config import read_secret
from edge_runtime.settings.outputs import MqttSettings
from edge_runtime.sinks.home_assistant import Message

__all__ = ["FakeLink", "Heard", "Link", "PahoLink"]


@dataclass(frozen=True)
class Heard:
    """What a link has to say. Exactly one of these is meant.

    Attributes:
        connected: True on a new connection, False on a lost or refused one.
        reason: why it is lost.
        acknowledged: the number of a message that the broker has.
        message: something on a subscribed topic.
    """

    connected: bool | None = None
    reason: str = ""
    acknowledged: int | None = None
    message: Message | None = None


class Link(Protocol):
    """One connection to a broker that comes back by itself. What it hears comes from a thread of its own."""

    def start(self, will: Message, subscriptions: tuple[str, ...], hear: Callable[[Heard], None]) -> None:
        """Begins to connect, without waiting. The broker sends `will` once this link is gone without a word."""
        ...

    def publish(self, message: Message) -> int:
        """Hands a message over; once the broker has an assured one, its number comes back by `Heard.acknowledged`."""
        ...

    def stop(self, timeout_s: float) -> None:
        """Ends the connection; gives up on a hanging one after so many seconds."""
        ...


class PahoLink:
    """paho-mqtt 2, with its own thread, reconnecting after 1 to 30 s.

    Raises:
        UsageError: paho-mqtt is not installed.
        ConfigError: a password or certificate file that cannot be read.
    """

    def __init__(self, settings: MqttSettings) -> None:
        try:
            from paho.mqtt import client as paho
            from paho.mqtt.enums import CallbackAPIVersion
        except ModuleNotFoundError as error:
            raise UsageError(
                "mqtt.url, and no package paho-mqtt", "paho-mqtt 2", 'pip install "fer-edge[mqtt]"'
            ) from error
        parts = urlsplit(settings.url)
        tls = parts.scheme == "mqtts"
        self._host, self._port = parts.hostname or "localhost", parts.port or (8883 if tls else 1883)
        self._keepalive_s = settings.keepalive_s
        # A name of its own each time: a broker throws out the older of two clients with one name.
        self._client: Any = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"fer-edge-{secrets.token_hex(6)}")
        self._client.reconnect_delay_set(1, 30)
        if settings.username:
            password = read_secret(Path(settings.password_file)) if settings.password_file else settings.password
            self._client.username_pw_set(settings.username, password or None)
        if tls:
            try:
                self._client.tls_set_context(ssl.create_default_context(cafile=settings.ca_file or None))
            except (OSError, ssl.SSLError) as error:
                raise ConfigError(
                    f"mqtt.ca_file {settings.ca_file}: {error}",
                    "a readable file of certificates (PEM)",
                    "check the file",
                ) from error

    def start(self, will: Message, subscriptions: tuple[str, ...], hear: Callable[[Heard], None]) -> None:
        client = self._client
        refused = False

        # paho holds locks while it calls these: they hand on and never call back into it, but for subscribing.
        def connected(_client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
            nonlocal refused
            refused = reason.is_failure
            if refused:
                hear(Heard(connected=False, reason=str(reason)))
                return
            for topic in subscriptions:
                client.subscribe(topic)
            hear(Heard(connected=True))

        def disconnected(_client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
            # A refusal is followed by a disconnection, which knows less about why.
            if not refused:
                hear(Heard(connected=False, reason=str(reason)))

        def unreachable(_client: Any, _data: Any) -> None:
            hear(Heard(connected=False, reason=f"{self._host}:{self._port} cannot be reached"))

        def published(_client: Any, _data: Any, number: int, _reason: Any, _properties: Any) -> None:
            hear(Heard(acknowledged=number))

        def message(_client: Any, _data: Any, received: Any) -> None:
            hear(Heard(message=Message(received.topic, received.payload, received.retain)))

        client.on_connect, client.on_disconnect, client.on_connect_fail = connected, disconnected, unreachable
        client.on_publish, client.on_message = published, message
        client.will_set(will.topic, will.payload, qos=1, retain=will.retain)
        client.connect_async(self._host, self._port, self._keepalive_s)
        client.loop_start()

    def publish(self, message: Message) -> int:
        return int(self._client.publish(message.topic, message.payload, int(message.assured), message.retain).mid)

    def stop(self, timeout_s: float) -> None:
        def end() -> None:
            self._client.disconnect()
            self._client.loop_stop()

        # loop_stop waits for its thread, which may hang in a connection that is being made.
        ending = threading.Thread(target=end, name="mqtt stop", daemon=True)
        ending.start()
        ending.join(timeout_s)


class FakeLink:
    """The shipped fake: a broker in memory that goes away and comes back when told to.

    `retained` and `received` are what a subscriber would have seen. Messages that were handed over and not acknowledged are
    delivered when it comes back, as paho does.
    """

    def __init__(self, up: bool = True) -> None:
        self.received: list[Message] = []
        self.retained: dict[str, bytes] = {}
        self.stopped = False
        self._up, self._acknowledges = up, True
        self._number = 0
        self._in_flight: dict[int, Message] = {}
        self._hear: Callable[[Heard], None] = _unheard
        self._will: Message | None = None
        self._lock = threading.RLock()

    def start(self, will: Message, subscriptions: tuple[str, ...], hear: Callable[[Heard], None]) -> None:
        self._will, self._hear, self.subscriptions = will, hear, subscriptions
        hear(Heard(connected=True) if self._up else Heard(connected=False, reason="cannot be reached"))

    def publish(self, message: Message) -> int:
        with self._lock:
            self._number += 1
            if message.assured:
                self._in_flight[self._number] = message
            elif self._up:
                self._keep(message)
            if self._up:
                self._deliver()
            return self._number

    def stop(self, timeout_s: float) -> None:  # noqa: ARG002
        self.stopped = True

    def acknowledge(self, wanted: bool) -> None:
        """Whether the broker answers: False is one that takes everything and says nothing."""
        with self._lock:
            self._acknowledges = wanted
            if self._up:
                self._deliver()

    def go_down(self) -> None:
        """The connection breaks; the broker sends the last will."""
        with self._lock:
            self._up = False
            if self._will is not None:
                self._keep(self._will)
            self._hear(Heard(connected=False, reason="connection lost"))

    def come_up(self) -> None:
        with self._lock:
            self._up = True
            self._deliver()
            self._hear(Heard(connected=True))

    def say(self, topic: str, payload: bytes) -> None:
        """Somebody else publishes."""
        self._hear(Heard(message=Message(topic, payload)))

    def _deliver(self) -> None:
        if not self._acknowledges:
            return
        for number, message in sorted(self._in_flight.items()):
            self._keep(message)
            self._hear(Heard(acknowledged=number))
        self._in_flight.clear()

    def _keep(self, message: Message) -> None:
        self.received.append(message)
        if message.retain:
            self.retained[message.topic] = message.payload


def _unheard(heard: Heard) -> None:
    """What is said before `start`."""
    raise AssertionError(f"{heard} before the link was started")
