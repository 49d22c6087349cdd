"""Where the live loop leaves what it saw last, and from where pages, the API and metrics take it. Nothing queues up here.

hub = Hub()
hub.put(Seen(frame, state))                     # the loop, once a frame
seen = hub.after(number, timeout_s=1.0)         # a reader: the newest that is newer than what it has
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from devices.base import Frame
from edge_runtime.live.events import Event
from edge_runtime.live.state import LiveState

__all__ = ["KEPT_EVENTS", "Hub", "Seen"]

KEPT_EVENTS = 1000


@dataclass(frozen=True, eq=False)
class Seen:
    """What the loop came to.

    Attributes:
        frame: the picture, BGR; None where there is none, as while a camera is lost.
        state: who is there and what is degraded.
        number: counts up from 1; the hub gives it.
    """

    frame: Frame | None
    state: LiveState
    number: int = 0


class Hub:
    """The newest `Seen`, the last events, and how many look on. For any number of threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._newest = Seen(None, LiveState())
        self._events: deque[tuple[int, Event]] = deque(maxlen=KEPT_EVENTS)
        self._event_number = 0
        self._watchers = 0
        self._closed = False

    @property
    def newest(self) -> Seen:
        return self._newest

    @property
    def watchers(self) -> int:
        """How many readers look at pictures now: none, and the loop need not draw any."""
        return self._watchers

    @property
    def closed(self) -> bool:
        return self._closed

    def put(self, seen: Seen, events: Iterable[Event] = ()) -> None:
        """Leaves what was seen, and what happened since."""
        with self._changed:
            self._newest = replace(seen, number=self._newest.number + 1)
            for event in events:
                self._event_number += 1
                self._events.append((self._event_number, event))
            self._changed.notify_all()

    def after(self, number: int, timeout_s: float) -> Seen | None:
        """The newest, once it is newer than `number`; None where nothing came in time, or the hub was closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._newest.number > number, timeout_s)
            return self._newest if self._newest.number > number else None

    def events_after(self, number: int) -> list[tuple[int, Event]]:
        """The kept events with a higher number, oldest first."""
        with self._changed:
            return [each for each in self._events if each[0] > number]

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Counts a reader of pictures as long as the block lasts."""
        with self._changed:
            self._watchers += 1
        try:
            yield
        finally:
            with self._changed:
                self._watchers -= 1

    def close(self) -> None:
        """Wakes every reader for the last time."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
