"""Events and state over MQTT. The live loop never waits for a broker: what cannot be sent waits, bounded, and losses are counted.

with MqttSink(settings, PahoLink(settings), labels) as sink:
    sink.put(events)       # each is delivered once at least, late if need be
    sink.show(state)       # only the newest is sent
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from edge_runtime.live.events import Event
from edge_runtime.live.state import LiveState
from edge_runtime.settings.outputs import MqttSettings
from edge_runtime.sinks.home_assistant import (
    OFFLINE,
    ONLINE,
    Message,
    Topics,
    discovery,
    event_message,
    state_messages,
)
from edge_runtime.sinks.mqtt_link import Heard, Link

__all__ = ["Delivered", "MqttSink"]

MOST_IN_FLIGHT = 20
"""Events that the broker has not acknowledged yet; the link itself would take them without bound."""


@dataclass(frozen=True)
class Delivered:
    """How events fared over MQTT; offered ones are sent, lost or waiting, to the last one.

    Attributes:
        connected: whether the broker is there now.
        sent: events that the broker acknowledged.
        lost: events dropped while it was away, the oldest first.
        waiting: events in memory, those under way included.
        connections: how often the broker was reached.
        problem: why it is not there; empty where it is.
    """

    connected: bool
    sent: int
    lost: int
    waiting: int
    connections: int
    problem: str


class MqttSink:
    """One device on a broker, with a thread that sends.

    Args:
        settings: topics, and how much waits.
        link: the way to the broker; started here.
        labels: the bundle's names, for Home Assistant's list of expressions.
    """

    def __init__(self, settings: MqttSettings, link: Link, labels: Sequence[str]) -> None:
        self._settings, self._link, self._labels = settings, link, tuple(labels)
        self.topics = Topics.of(settings)
        self._lock = threading.Lock()
        self._events: deque[Event] = deque()
        self._state: LiveState | None = None
        self._closing = False
        self._connected = False
        self._sent = self._lost = self._connections = 0
        self._problem = "not connected yet"
        # What follows belongs to the thread alone.
        self._inbox: queue.SimpleQueue[Heard | None] = queue.SimpleQueue()
        self._in_flight: set[int] = set()
        self._shown: tuple[Message, ...] = ()
        self._shown_s = float("-inf")
        self._farewell: int | None = None
        birth = (self.topics.birth,) if settings.discovery else ()
        link.start(Message(self.topics.availability, OFFLINE, retain=True), birth, self._inbox.put)
        self._thread = threading.Thread(target=self._work, name="mqtt", daemon=True)
        self._thread.start()

    def put(self, events: Sequence[Event]) -> None:
        """Takes events; never waits and never fails."""
        with self._lock:
            if self._closing:
                self._lost += len(events)
                return
            self._events.extend(events)
            while len(self._events) > self._settings.waiting_events:
                self._events.popleft()
                self._lost += 1
        self._inbox.put(None)

    def show(self, state: LiveState) -> None:
        """Takes the newest state; an older one that was not sent yet is forgotten."""
        with self._lock:
            self._state = state
        self._inbox.put(None)

    def state(self) -> Delivered:
        with self._lock:
            waiting = len(self._events) + len(self._in_flight)
            return Delivered(self._connected, self._sent, self._lost, waiting, self._connections, self._problem)

    def close(self, timeout_s: float = 1.5) -> Delivered:
        """Sends what it can and says offline, within so many seconds; what remains is lost, and counted. May be called twice."""
        began = time.monotonic()
        with self._lock:
            self._closing = True
        self._inbox.put(None)
        self._thread.join(timeout_s * 0.7)
        self._link.stop(max(0.1, timeout_s - (time.monotonic() - began)))
        with self._lock:
            self._lost += len(self._events) + len(self._in_flight)
            self._events.clear()
            self._in_flight = set()
        return self.state()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _work(self) -> None:
        while True:
            try:
                heard = self._inbox.get(timeout=self._patience_s())
            except queue.Empty:
                heard = None
            if heard is not None and self._hear(heard):
                return
            if self._connected:
                self._send()
            if self._closing and not self._connected:
                return

    def _patience_s(self) -> float:
        """A state that came too soon after the last one is sent a little later."""
        if self._state is None or not self._connected:
            return 60.0
        return min(60.0, max(0.005, self._shown_s + self._settings.state_every_s - time.monotonic()))

    def _hear(self, heard: Heard) -> bool:
        """Takes in what the link says; True once the farewell was acknowledged."""
        if heard.connected is not None:
            with self._lock:
                self._connected = heard.connected
                self._connections += heard.connected
                self._problem = "" if heard.connected else heard.reason or "connection lost"
            if heard.connected:
                self._introduce()
        elif heard.acknowledged is not None:
            if heard.acknowledged == self._farewell:
                return True
            with self._lock:
                if heard.acknowledged in self._in_flight:
                    self._in_flight.discard(heard.acknowledged)
                    self._sent += 1
        elif heard.message is not None and heard.message.payload == ONLINE and self._connected:
            # Home Assistant started anew and has forgotten us.
            self._introduce()
        return False

    def _introduce(self) -> None:
        if self._settings.discovery:
            for message in discovery(self.topics, self._labels):
                self._link.publish(message)
        self._link.publish(Message(self.topics.availability, ONLINE, retain=True))
        for message in self._shown:
            self._link.publish(message)

    def _send(self) -> None:
        self._send_state()
        while len(self._in_flight) < MOST_IN_FLIGHT:
            with self._lock:
                if not self._events:
                    break
                event = self._events.popleft()
                # Counted as under way before it is handed over, so that no reader finds it missing.
                self._in_flight.add(-1)
            number = self._link.publish(event_message(self.topics, event))
            with self._lock:
                if -1 not in self._in_flight:
                    return  # closed meanwhile, and counted as lost
                self._in_flight.discard(-1)
                self._in_flight.add(number)
        if self._closing and not self._events and not self._in_flight and self._farewell is None:
            self._farewell = self._link.publish(Message(self.topics.availability, OFFLINE, retain=True, assured=True))

    def _send_state(self) -> None:
        with self._lock:
            state = self._state
        now = time.monotonic()
        if state is None or (now - self._shown_s < self._settings.state_every_s and not self._closing):
            return
        with self._lock:
            if self._state is state:
                self._state = None
        messages = state_messages(self.topics, state)
        if messages != self._shown:
            self._shown, self._shown_s = messages, now
            for message in messages:
                self._link.publish(message)
