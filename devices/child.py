"""A child process that can be killed: how it is started, spoken to, and how it ends with its parent.

The child is a fresh interpreter, not a fork: the parent may hold threads and locks of OpenCV and LiteRT. Nothing but the
descriptors that are named reaches it, and what it is told goes through a socket, so that no password stands in `ps`.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from devices.errors import ExplainedError, one_line

__all__ = ["STDERR_VARIABLE", "Child", "Parent", "enter", "unnamed_file"]

STDERR_VARIABLE = "FER_EDGE_DEVICE_STDERR"
"""Set to 1, what libraries in child processes write to standard error is shown; libcamera and FFmpeg write a lot."""

_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from devices.child import enter; enter(int(sys.argv[2]), int(sys.argv[3]))"
)
_MESSAGE_BYTES = 65_536
_PR_SET_PDEATHSIG = 1  # prctl(2)

Message = dict[str, Any]


class Child:
    """The parent's side.

    Args:
        entry: "module:function", called in the child as `function(parent: Parent, arguments)`.
        arguments: what can be JSON.
        files: descriptors that the child inherits under the same numbers.

    Attributes:
        pid: of the process.
    """

    def __init__(self, entry: str, arguments: Message, files: Sequence[int] = ()) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        path = json.dumps([os.path.abspath(place) for place in sys.path])
        shown = None if os.environ.get(STDERR_VARIABLE) == "1" else subprocess.DEVNULL
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _START, path, str(theirs.fileno()), str(os.getpid())],
                pass_fds=(theirs.fileno(), *files),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=shown,
            )
        except BaseException:
            self._socket.close()
            raise
        finally:
            theirs.close()
        self.pid = self._process.pid
        self._socket.settimeout(1)
        self.send({"entry": entry, "arguments": arguments})

    def fileno(self) -> int:
        """For `select`: readable when there is a message or the child has gone."""
        return self._socket.fileno()

    def send(self, message: Message) -> None:
        """Says something to the child; a child that has gone does not hear it."""
        with contextlib.suppress(OSError):
            self._socket.send(json.dumps(message).encode())

    def receive(self, timeout_s: float = 0) -> Message | None:
        """The next message, or None where none came in time.

        Raises:
            EOFError: the child has gone.
        """
        if not wait_readable([self._socket.fileno()], timeout_s):
            return None
        try:
            data = self._socket.recv(_MESSAGE_BYTES)
        except OSError:
            data = b""
        if not data:
            raise EOFError
        message: Message = json.loads(data)
        return message

    def kill(self) -> None:
        """Ends the child at once, whatever it does. `gone` says when the system has done so."""
        self._process.kill()

    def gone(self, timeout_s: float = 0) -> bool:
        """Whether the child has ended, and gives its descriptors back if so."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        self._socket.close()
        return True

    def ending(self) -> str:
        """How a child that has gone ended: "signal SIGSEGV" or "exit code 1"."""
        code = self._process.returncode
        if code is not None and code < 0:
            try:
                return f"signal {signal.Signals(-code).name}"
            except ValueError:
                return f"signal {-code}"
        return f"exit code {code}"

    def end(self, stop_s: float) -> bool:
        """Asks the child to stop, kills it after `stop_s`, and says whether it has gone."""
        self.send({"stop": True})
        if self.gone(stop_s):
            return True
        self.kill()
        return self.gone(2.0)


class Parent:
    """The child's side: a line to the parent."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line

    def send(self, message: Message) -> None:
        self._line.send(json.dumps(message).encode())

    def receive(self) -> Message:
        """Waits for the parent's next message. Without a parent the process ends here."""
        try:
            data = self._line.recv(_MESSAGE_BYTES)
        except OSError:
            data = b""
        if not data:
            os._exit(1)
        message: Message = json.loads(data)
        return message

    def listen(self, hear: Callable[[Message], None]) -> None:
        """Calls `hear` with each message from now on, in a thread of its own."""

        def loop() -> None:
            while True:
                hear(self.receive())

        threading.Thread(target=loop, name="parent", daemon=True).start()


def enter(descriptor: int, parent_pid: int) -> NoReturn:
    """The child's first and last function."""
    # Whoever starts and stops the parent sends signals to the whole group or service; the parent decides for its children.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _die_with(parent_pid)
    parent = Parent(socket.socket(fileno=descriptor))
    told = parent.receive()
    module_name, _, function_name = told["entry"].partition(":")
    try:
        getattr(importlib.import_module(module_name), function_name)(parent, told["arguments"])
        code = 0
    except ExplainedError as error:
        _tell(parent, error.received, error.expected, error.mend)
        code = 2
    except Exception as error:  # noqa: BLE001 - whatever a vendor's library throws reaches the parent as one line
        _tell(parent, f"{type(error).__name__}: {error}", "a working device", f"set {STDERR_VARIABLE}=1 to see more")
        code = 1
    os._exit(code)  # past atexit and other threads: vendors' libraries hang there


def _tell(parent: Parent, received: str, expected: str, mend: str) -> None:
    with contextlib.suppress(OSError):
        parent.send({"error": [one_line(part)[:2000] for part in (received, expected, mend)]})


def _die_with(parent_pid: int) -> None:
    """The kernel kills this process when its parent ends, even where it hangs in a driver call."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:  # it ended before prctl was called
        os._exit(1)


def wait_readable(descriptors: Sequence[int], timeout_s: float) -> bool:
    """Whether one of the descriptors can be read within the time. `poll`: `select` fails above descriptor 1023."""
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    until = time.monotonic() + timeout_s
    return bool(poll.poll(max(0.0, until - time.monotonic()) * 1000))


def unnamed_file(name: str) -> int:
    """A descriptor of memory that has no name and so cannot be left behind."""
    return os.memfd_create(name, os.MFD_CLOEXEC)
