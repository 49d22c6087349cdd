"""One connection that is not waited for without end: neither for a request that does not come, nor for a reader that stopped."""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from edge_runtime.kiosk.guard import MOST_HEAD_BYTES
from edge_runtime.kiosk.problems import PROBLEM_TYPE, problem_bytes

__all__ = ["MOST_CONNECTIONS", "PatientConnection"]

MOST_CONNECTIONS = 400
"""The oldest one that asks nothing makes room for a new one. A process may have 1,024 files by default."""

REQUEST_S = 10.0
"""From the connection, or from the last answer, to a whole head."""

STUCK_S = 20.0
"""A reader that takes nothing for so long is gone."""

_TICK_S = 1.0
_SEND_BUFFER = 262_144  # of the kernel: more would only be old pictures


class PatientConnection(H11Protocol):
    """uvicorn's HTTP/1.1 connection with an end to every wait, and with problem details for what is no HTTP."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        raw = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        self._idle_since: float | None = self.loop.time()
        self._unread: tuple[float, int] | None = None
        self._ticking: asyncio.TimerHandle | None = self.loop.call_later(_TICK_S, self._tick)
        self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._ticking is not None:
            self._ticking.cancel()
            self._ticking = None
        super().connection_lost(exc)

    def handle_events(self) -> None:
        super().handle_events()
        if self.cycle is not None and not self.cycle.response_complete:
            self._idle_since = None

    def on_response_complete(self) -> None:
        self._idle_since = self.loop.time()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP, or has too large a head (431)."""
        error = sys.exception()
        status = getattr(error, "error_status_hint", 400)
        detail = f"{error or msg}; expected a request of HTTP/1.1 with a head of at most {MOST_HEAD_BYTES} bytes"
        body = problem_bytes(status, detail)
        headers = [
            ("content-type", PROBLEM_TYPE),
            ("content-length", str(len(body))),
            ("cache-control", "no-store"),
            ("connection", "close"),
        ]
        try:
            for event in (h11.Response(status_code=status, headers=headers), h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        except h11.LocalProtocolError:  # an answer is under way already
            self.transport.abort()
            return
        self.transport.close()

    def _make_room(self) -> None:
        if len(self.connections) <= MOST_CONNECTIONS:
            return
        waiting = [each for each in self.connections if getattr(each, "_idle_since", None) is not None]
        oldest: Any = min(waiting, key=lambda each: each._idle_since, default=self)  # type: ignore[union-attr]
        oldest.transport.abort()

    def _tick(self) -> None:
        now = self.loop.time()
        waiting = self.transport.get_write_buffer_size()
        if not waiting or self._unread is None or self._unread[1] != waiting:
            self._unread = (now, waiting)
        silent = self._idle_since is not None and now - self._idle_since > REQUEST_S
        if silent or (waiting and now - self._unread[0] > STUCK_S):
            self.transport.abort()
            self._ticking = None
            return
        self._ticking = self.loop.call_later(_TICK_S, self._tick)
