"""Listens, and answers in a thread of its own.

with KioskServer(kiosk_app(hub, settings, access), listen("127.0.0.1", 8080)) as server:
    print(server.url)
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp

from edge_runtime.errors import OutputError
from edge_runtime.kiosk.connection import PatientConnection
from edge_runtime.kiosk.guard import MOST_HEAD_BYTES

__all__ = ["KioskServer", "listen"]

_START_S = 20.0
_STOP_S = 5.0
_GRACE_S = 1.0
"""For answers that are under way when the server ends; who has not taken them then is hung up on."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on an address and nowhere else.

    Raises:
        OutputError: an address that is not this machine's, or a port that is taken or not allowed.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(512)
        except OSError:
            listener.close()
            raise
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(
            f"--host {host} --port {port}: {reason}",
            "an address of this machine with a port that is free",
            "name another --port, or end the program that has it",
        ) from error
    return listener


class _Server(uvicorn.Server):
    """uvicorn's, which leaves whoever does not take the rest of an answer connected; this one hangs up."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        waiting = asyncio.get_running_loop().call_later(_GRACE_S, self._hang_up)
        await super().shutdown(sockets)
        waiting.cancel()
        self._hang_up()
        await asyncio.sleep(0)  # for the loop to close what was aborted

    def _hang_up(self) -> None:
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()


class KioskServer:
    """An app behind a listening socket.

    Args:
        app: what answers.
        listener: of `listen`; it is closed with the server.
    """

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        config = uvicorn.Config(
            app,
            http=PatientConnection,
            ws="none",
            lifespan="on",
            loop="asyncio",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=3,
            h11_max_incomplete_event_size=MOST_HEAD_BYTES,
        )
        self._listener = listener
        self._server = _Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="kiosk", daemon=True
        )

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        host = self._listener.getsockname()[0]
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{self.port}/"

    def start(self) -> None:
        """Returns once requests are answered.

        Raises:
            OutputError: the server ended at once, or does not start.
        """
        self._thread.start()
        deadline = time.monotonic() + _START_S
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise OutputError(f"{self.url} did not start", "a page", "see the message before this one")
            time.sleep(0.01)

    def close(self) -> None:
        """Ends streams and gives the port back. May be called twice."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(_STOP_S)
        self._listener.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
