"""Signs of life for systemd, and only earned ones: sd_notify(3) over $NOTIFY_SOCKET.

    watchdog = Watchdog.from_environment()
    for frame in camera:
        ...                       # the whole pipeline
        watchdog.result()         # READY at the first, then a ping where one is due
    watchdog.stopping()

No thread pings: the loop that may hang is the one that speaks, so a hang is silence. Outside systemd all of this does nothing.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping

from edge_runtime.clock import Clock, SystemClock

__all__ = ["Watchdog"]

SHARE = 0.25
"""Of WatchdogSec between two pings: an irregular frame still leaves the next one below half."""

EXTEND_S = 30.0
"""How much longer systemd is asked to wait for the first result of a camera that is not there yet."""

EXTEND_EVERY_S = 10.0

STATUS_EVERY_S = 1.0
"""A status may hold a frame rate, which changes with each frame; nobody reads so fast."""


class Watchdog:
    """Speaks to the service manager.

    Args:
        address: of the socket, as `$NOTIFY_SOCKET` gives it: a path, or "@…"; None says nothing to nobody.
        interval_s: WatchdogSec; None where no watchdog waits.
        clock: when a ping is due.
    """

    def __init__(self, address: str | None, interval_s: float | None = None, clock: Clock | None = None) -> None:
        self._address = f"\0{address[1:]}" if address and address.startswith("@") else address
        self._interval_s, self._clock = interval_s, clock or SystemClock()
        self._pinged_s = self._extended_s = float("-inf")
        self._status, self._told_s = "", float("-inf")
        self.ready = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None, clock: Clock | None = None) -> Watchdog:
        """From $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID, where they are meant for this process."""
        environment = os.environ if environment is None else environment
        interval_s: float | None = None
        if environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid()):
            with contextlib.suppress(ValueError):
                interval_s = int(environment.get("WATCHDOG_USEC", "")) / 1e6
        return cls(environment.get("NOTIFY_SOCKET") or None, interval_s, clock)

    def result(self, status: str = "") -> None:
        """A frame has passed the whole pipeline. Says READY the first time, pings where one is due, and tells the status."""
        if not self.ready:
            self.ready = True
            self._pinged_s = self._clock.monotonic()
            self._say("READY=1", *self._new_status(status))
            return
        self._alive(status)

    def degraded(self, status: str) -> None:
        """No result, and known why: "camera lost; next try in 8 s". The loop lives, and says so each time around.

        Before the first result this asks for more time instead: READY is never claimed without a result.
        """
        if self.ready:
            self._alive(status)
            return
        now, news = self._clock.monotonic(), self._new_status(status)
        if news or now - self._extended_s >= EXTEND_EVERY_S:
            self._extended_s = now
            self._say(f"EXTEND_TIMEOUT_USEC={round(EXTEND_S * 1e6)}", *news)

    def stopping(self) -> None:
        """The end was asked for and is under way."""
        self._say("STOPPING=1", "STATUS=stopping")

    def _alive(self, status: str) -> None:
        now = self._clock.monotonic()
        due = self._interval_s is not None and now - self._pinged_s >= SHARE * self._interval_s
        news = self._new_status(status)
        if due:
            self._pinged_s = now
        if due or news:
            self._say(*(["WATCHDOG=1"] if due else []), *news)

    def _new_status(self, status: str) -> list[str]:
        """The status as a line of the message, where it changed."""
        line, now = status.replace("\n", " "), self._clock.monotonic()
        if not line or line == self._status or now - self._told_s < STATUS_EVERY_S:
            return []
        self._status, self._told_s = line, now
        return [f"STATUS={line}"]

    def _say(self, *lines: str) -> None:
        if not self._address:
            return
        # A service manager that does not listen must not stop the work; systemd itself judges by silence.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.setblocking(False)
            out.sendto("\n".join(lines).encode(), self._address)
