"""Keeps native libraries' own remarks off the terminal: libjpeg, libpng, FFmpeg and LiteRT write straight to file descriptor 2."""

from __future__ import annotations

import os
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["quiet_libraries"]

_REMARK = re.compile(
    rb"""\s*$
    | \[\ *(?:WARN|ERROR|FATAL|INFO|DEBUG):\d+@.*          # OpenCV's log
    | >\ .*                                                # the further lines of an OpenCV error
    | must\ be\ |\ *'[^']*'\ is\ \d
    | OpenCV:\ FFMPEG:.*
    | .*oneDNN\ custom\ operations\ are\ on.*              # TensorFlow, at any log level
    | .*All\ log\ messages\ before\ absl::InitializeLog.*
    | INFO:\ Created\ TensorFlow\ Lite\ .*                 # LiteRT
    | \[[^\]]*@\ 0x[0-9a-f]+\].*                           # FFmpeg
    | \ *Last\ message\ repeated\ .*
    | libpng\ (?:warning|error):.*
    | Corrupt\ JPEG\ data:|Premature\ end\ of\ JPEG|Inconsistent\ progression\ sequence|Invalid\ SOS\ parameters  # libjpeg
    | Unknown\ Adobe\ color\ transform|Warning:\ unknown\ JFIF|Caution:\ quantization\ tables|Unsupported\ marker\ type
    """,
    re.VERBOSE,
)


class _Redirection:
    """Where file descriptor 2 goes while any thread decodes. One for the process, because the descriptor is."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._terminal = -1
        self._caught = -1
        self._read = 0  # how far `_caught` has been handed on

    def begin(self) -> None:
        with self._lock:
            if self._users == 0:
                self._terminal = self._redirect()
            self._users += 1

    def end(self) -> None:
        with self._lock:
            self._users -= 1
            if self._terminal < 0:
                return
            self._pass_on()  # first, so that hardly a line written after the redirection can come before one of these
            if self._users:
                return
            os.dup2(self._terminal, 2)
            self._pass_on(last=True)
            os.close(self._terminal)
            os.close(self._caught)

    def _redirect(self) -> int:
        """A copy of the old descriptor 2, or -1 where nothing is redirected: without one there is nothing to keep quiet."""
        try:
            terminal = os.dup(2)
        except OSError:
            return -1
        try:
            self._caught, self._read = _unnamed_file(), 0
        except OSError:  # no descriptor left: better a remark on the terminal than no picture
            os.close(terminal)
            return -1
        os.dup2(self._caught, 2)
        return terminal

    def _pass_on(self, last: bool = False) -> None:
        """Hands on what other threads wrote meanwhile, and drops the decoders' remarks. A line not yet ended waits."""
        text = os.pread(self._caught, os.fstat(self._caught).st_size - self._read, self._read)
        if not last:
            text = text[: text.rfind(b"\n") + 1]
        self._read += len(text)
        others = b"".join(line for line in text.splitlines(keepends=True) if not _REMARK.match(line))
        with suppress(OSError):  # whoever read it has gone
            while others:
                others = others[os.write(self._terminal, others) :]


def _unnamed_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("remarks")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


_redirection = _Redirection()


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """While the block runs, what decoders write to standard error is dropped; lines of others arrive when it ends, each whole
    and once; two that are written while it ends may change places.

    For short blocks (one decode). Threads may overlap. Costs some ten microseconds.
    """
    _redirection.begin()
    try:
        yield
    finally:
        _redirection.end()
