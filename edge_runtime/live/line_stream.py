"""Lines to a reader who may be slow, gone, or a full disk: whole lines or none, and never a wait without end."""

from __future__ import annotations

import errno
import os
import select
import threading
import time
from typing import Protocol

__all__ = ["LineStream", "TextOut"]

PATIENCE_S = 0.2
"""How long a reader who does not read is waited for, once; then lines are lost until it reads again."""

FAREWELL_S = 0.3
"""How long the end of a line that was begun is waited for at the end of a run."""

_SLOW = "whoever reads the records does not keep up"
_TICK_S = 0.1
_CHUNK = select.PIPE_BUF  # a pipe that says it can be written takes so much without blocking


class TextOut(Protocol):
    """What formats write to: a text stream, or a `LineStream`."""

    def write(self, text: str, /) -> object: ...

    def flush(self) -> object: ...


class LineStream:
    """A descriptor that is written to line by line. For one thread.

    Args:
        descriptor: a file, pipe or terminal; it stays the caller's.
        stopping: once set, nothing is waited for any more.
        lossless: whether a reader is waited for as long as it takes, as for a recording, of which every frame counts.

    Attributes:
        written, lost: lines.
        problem: why lines are lost now; empty while none are.
    """

    def __init__(self, descriptor: int, stopping: threading.Event, lossless: bool = False) -> None:
        self._descriptor, self._stopping = descriptor, stopping
        self.lossless = lossless
        self._text = ""
        self._rest = b""  # of a line that was begun
        self._room = select.poll()
        self._room.register(descriptor, select.POLLOUT)
        self.written = self.lost = 0
        self.problem = ""

    def write(self, text: str, /) -> int:
        """Takes text; `flush` sends it."""
        self._text += text
        return len(text)

    def flush(self) -> None:
        """Sends what was written, a line or several, whole, or loses it and counts that.

        Raises:
            BrokenPipeError: the reader has gone.
        """
        data, self._text = self._text.encode(), ""
        if not data:
            return
        try:
            sent = self._send(self._rest)
            self._rest = self._rest[sent:]
            if self._rest:
                self.problem = self.problem or _SLOW
                self.lost += 1
                return
            sent = self._send(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            self.problem = f"records cannot be written: {error.strerror or error}"
            self.lost += 1
            return
        if sent == 0:
            self.problem = _SLOW
            self.lost += 1
            return
        self.written += 1
        self._rest = data[sent:]
        self.problem = (self.problem or _SLOW) if self._rest else ""

    def close(self) -> None:
        """Ends a line that was begun, where that is possible at once. Nothing else waits here."""
        until = time.monotonic() + FAREWELL_S
        while self._rest and time.monotonic() < until:
            if not self._writable(_TICK_S):
                continue
            try:
                self._rest = self._rest[os.write(self._descriptor, self._rest[:_CHUNK]) :]
            except OSError:
                return

    def _send(self, data: bytes) -> int:
        """How many bytes went out: all, none, or the beginning of a line whose rest must follow."""
        sent = 0
        while sent < len(data) and self._wait():
            try:
                sent += os.write(self._descriptor, data[sent : sent + _CHUNK])
            except OSError as error:
                if sent and error.errno != errno.EPIPE:  # a disk that became full within a line
                    self.problem = f"records cannot be written: {error.strerror or error}"
                    return sent
                raise
        return sent

    def _wait(self) -> bool:
        """Whether the descriptor can be written without blocking."""
        patience_s = 0.0 if self.problem else PATIENCE_S
        until = time.monotonic() + patience_s
        while not self._writable(min(_TICK_S, patience_s) if not self.lossless else _TICK_S):
            if self._stopping.is_set() or (not self.lossless and time.monotonic() >= until):
                return False
        return True

    def _writable(self, timeout_s: float) -> bool:
        return bool(self._room.poll(timeout_s * 1000))
