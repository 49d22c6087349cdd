"""Events on their way to a disk that may be slow, full or gone: the live loop never waits for it."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from edge_runtime.errors import OutputError
from edge_runtime.live.events import Event

__all__ = ["Background", "Delivery", "MemoryStore", "Store"]

BATCH = 500
IDLE_S = 60.0


class Store(Protocol):
    """Where events are kept. `EventLog` is one, `MemoryStore` the fake."""

    def append(self, events: Sequence[Event]) -> int:
        """Keeps all of them or none; raises OutputError."""
        ...

    def tidy(self) -> int:
        """Forgets what is too old; raises OutputError."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Delivery:
    """How events fared. Offered ones are kept, lost or waiting, to the last one.

    Attributes:
        kept: committed.
        lost: dropped while nothing could be kept, the oldest first.
        waiting: in memory.
        problem: why nothing can be kept now; empty where all is well.
    """

    kept: int
    lost: int
    waiting: int
    problem: str

    @property
    def offered(self) -> int:
        return self.kept + self.lost + self.waiting


class Background:
    """A thread that keeps events. While the store fails they wait in memory, bounded, and it is tried again.

    Args:
        open_store: makes the store, in the thread; it may raise OutputError, and is called again then.
        most_waiting: events kept in memory at most; the oldest beyond that are lost, and counted.
        first_wait_s: before a failed store is tried again; doubles up to `most_wait_s`.
    """

    def __init__(
        self,
        open_store: Callable[[], Store],
        most_waiting: int = 10_000,
        first_wait_s: float = 1.0,
        most_wait_s: float = 30.0,
    ) -> None:
        self._open_store, self._most = open_store, most_waiting
        self._first_wait_s, self._most_wait_s = first_wait_s, most_wait_s
        self._turn = threading.Condition()
        self._waiting: deque[Event] = deque()
        self._in_hand = 0
        self._kept = self._lost = 0
        self._problem = ""
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="event log", daemon=True)
        self._thread.start()

    def put(self, events: Sequence[Event]) -> None:
        """Takes events; never waits and never fails. After `close` they are lost, and counted."""
        with self._turn:
            if self._closing:
                self._lost += len(events)
                return
            self._waiting.extend(events)
            self._trim()
            self._turn.notify()

    def state(self) -> Delivery:
        with self._turn:
            return Delivery(self._kept, self._lost, len(self._waiting) + self._in_hand, self._problem)

    def close(self, timeout_s: float = 1.5) -> Delivery:
        """Lets the thread keep what waits, for so long; what then remains is lost, and counted. May be called twice."""
        with self._turn:
            self._closing = True
            self._turn.notify()
        self._thread.join(timeout_s)
        with self._turn:
            self._lost += len(self._waiting)
            self._waiting.clear()
        return self.state()

    def _trim(self) -> None:
        while len(self._waiting) + self._in_hand > self._most and self._waiting:
            self._waiting.popleft()
            self._lost += 1

    def _work(self) -> None:
        store: Store | None = None
        wait_s = self._first_wait_s
        while True:
            try:
                store = store or self._open_store()
                if self._next(store):
                    break
                wait_s = self._first_wait_s
            except OutputError as error:
                _closed(store)
                store = None
                with self._turn:
                    self._problem = str(error)
                    # New events must not wake it: a full disk is not asked more often because more happens.
                    if self._closing or self._turn.wait_for(lambda: self._closing, wait_s):
                        break
                wait_s = min(2 * wait_s, self._most_wait_s)
        _closed(store)

    def _next(self, store: Store) -> bool:
        """Keeps what waits, or tidies up where nothing does for a while; True once all is done."""
        with self._turn:
            idle = not self._turn.wait_for(lambda: self._waiting or self._closing, IDLE_S)
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            self._in_hand = len(batch)
            if not batch and self._closing:
                return True
        try:
            if idle:
                store.tidy()
            else:
                store.append(batch)
        except OutputError:
            with self._turn:
                self._in_hand = 0
                self._waiting.extendleft(reversed(batch))
                self._trim()
            raise
        with self._turn:
            self._in_hand, self._problem = 0, ""
            self._kept += len(batch)
        return False


def _closed(store: Store | None) -> None:
    """Gives the store back; the next try opens it anew."""
    if store is not None:
        with contextlib.suppress(OutputError):
            store.close()


class MemoryStore:
    """The shipped fake: keeps events in a list, fails while `broken` says why, and stands still while `stuck` is set."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.broken = ""
        self.stuck = threading.Event()
        self.opened = 0

    def open(self) -> MemoryStore:
        """To be given as `open_store`."""
        self.opened += 1
        self._fail()
        return self

    def append(self, events: Sequence[Event]) -> int:
        while self.stuck.is_set():
            threading.Event().wait(0.005)
        self._fail()
        self.events.extend(events)
        return len(self.events)

    def tidy(self) -> int:
        self._fail()
        return 0

    def close(self) -> None:
        """Nothing to give back."""

    def _fail(self) -> None:
        if self.broken:
            raise OutputError(f"memory: {self.broken}", "a store that works", "mend it")
