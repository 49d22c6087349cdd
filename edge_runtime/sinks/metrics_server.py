"""`http://127.0.0.1:PORT/metrics` for a Prometheus on this machine; nobody else is answered."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import TracebackType
from typing import Any, Self

from edge_runtime.errors import OutputError
from edge_runtime.metrics import CONTENT_TYPE

__all__ = ["MetricsServer"]

HOST = "127.0.0.1"
PATIENCE_S = 2.0
_OUR_NAMES = ("127.0.0.1", "localhost")


class MetricsServer:
    """Answers in a thread of its own, one request at a time, each within two seconds.

    Args:
        port: 0 for any that is free; `port` says which.
        render: the metrics as text.

    Raises:
        OutputError: the port is taken or not allowed.
    """

    def __init__(self, port: int, render: Callable[[], str]) -> None:
        class Handler(_Handler):
            text = staticmethod(render)

        try:
            self._server = _Server((HOST, port), Handler)
        except OSError as error:
            raise OutputError(
                f"metrics.port {port}: {error.strerror}", "a port that is free", "set another metrics.port"
            ) from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="metrics", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def close(self, timeout_s: float = 1.0) -> None:
        """Gives the port back. May be called twice."""
        stopping = threading.Thread(target=self._server.shutdown, name="metrics stop", daemon=True)
        stopping.start()
        self._thread.join(timeout_s)
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Server(HTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: whoever hangs up in the middle has no answer, and that is all."""


class _Handler(BaseHTTPRequestHandler):
    text: Callable[[], str]
    timeout = PATIENCE_S
    server_version, sys_version = "fer-edge", ""

    def do_GET(self) -> None:
        # A page elsewhere may point a name of its own at this machine; its Host is not ours.
        if self.headers.get("Host", "").rpartition(":")[0] not in _OUR_NAMES:
            self.send_error(403)
        elif self.path != "/metrics":
            self.send_error(404)
        else:
            body = self.text().encode()
            self.send_response(200)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        """Nothing: a scrape every few seconds is no news."""
