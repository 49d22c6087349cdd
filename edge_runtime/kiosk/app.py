"""The routes: which path gives what. `server.py` listens; `guard.py` stands before all of this."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from devices.board import Board, read_board
from devices.process import peak_rss_mb
from edge_runtime.errors import FerEdgeError
from edge_runtime.kiosk.access import Access
from edge_runtime.kiosk.assets import asset, page_file
from edge_runtime.kiosk.guard import Guard, with_key
from edge_runtime.kiosk.log_lines import log_lines
from edge_runtime.kiosk.newest import Newest
from edge_runtime.kiosk.openapi import openapi_document
from edge_runtime.kiosk.problems import problem
from edge_runtime.kiosk.reading import PictureReader
from edge_runtime.kiosk.state import state_as_json
from edge_runtime.kiosk.streams import BOUNDARY, Endless, pictures, server_sent_events
from edge_runtime.kiosk.upload import UploadRefusedError, picture_of
from edge_runtime.kiosk.vitals import KEPT_SAMPLES, Vitals
from edge_runtime.live.hub import Hub
from edge_runtime.live.metrics import LiveMetrics
from edge_runtime.metrics import CONTENT_TYPE
from edge_runtime.pipeline import Recognizer, load
from edge_runtime.settings.kiosk import KioskSettings
from edge_runtime.version import __version__

__all__ = ["MOST_STREAMS", "PAGES", "About", "kiosk_app"]

PAGES = {"/": "kiosk.html", "/picture": "picture.html", "/keeper": "keeper.html"}
MOST_STREAMS = 64
"""Live pictures and event streams at one time."""

_MOST_FORM_BYTES = 4096
_JSON = "application/json"


@dataclass(frozen=True)
class About:
    """What the keeper's page says of this installation.

    Attributes:
        source: where frames come from, without a password.
        bundle, bundle_sha256, detector: what answers.
        accelerator: what was asked to compute; what does so now stands in the state.
        log: the event log, which the keeper may take out; None where there is none.
        keeps_pictures: whether this run writes frames to a file; the page tells visitors.
        open_recognizer: for pictures that are sent.
    """

    source: str = ""
    bundle: str = ""
    bundle_sha256: str = ""
    detector: str = ""
    accelerator: str = "cpu"
    log: Path | None = None
    keeps_pictures: bool = False
    open_recognizer: Callable[[], Recognizer] = field(default=load)


class _Kiosk:
    """One app's parts, and a method a route."""

    def __init__(
        self,
        hub: Hub,
        settings: KioskSettings,
        access: Access,
        about: About,
        metrics: LiveMetrics,
        board: Callable[[], Board],
    ) -> None:
        self.hub, self.settings, self.access, self.about, self.metrics = hub, settings, access, about, metrics
        self.newest = Newest(hub)
        self.vitals = Vitals(hub, self.newest, metrics.results, board)
        self.reader = PictureReader(about.open_recognizer)
        self._streams: Counter[str] = Counter()

    @contextlib.asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        self.newest.start()
        sampling = asyncio.create_task(self.vitals.run())
        try:
            yield
        finally:
            sampling.cancel()
            self.newest.stop()
            self.reader.close()

    async def page(self, request: Request) -> Response:
        return Response(page_file(PAGES[request.url.path]), media_type="text/html; charset=utf-8")

    async def asset(self, request: Request) -> Response:
        content, kind = asset(request.path_params["name"])
        return Response(content, media_type=kind)

    async def setup(self, _request: Request) -> Response:
        """What the pages need to know once."""
        return _json(
            {
                "language": self.settings.language,
                "mirror": self.settings.mirror,
                "keeps_pictures": self.about.keeps_pictures,
                "version": __version__,
            }
        )

    async def state(self, _request: Request) -> Response:
        return _json(state_as_json(self.newest.shown, self.vitals))

    async def events(self, request: Request) -> Response:
        last = request.headers.get("last-event-id", "")
        after = int(last) if last.isascii() and last.isdigit() and len(last) < 16 else None

        def state() -> dict[str, Any]:
            return state_as_json(self.newest.shown, self.vitals)

        parts = server_sent_events(self.hub, self.newest, state, after)
        return self._endless("events", parts, "text/event-stream")

    async def stream(self, _request: Request) -> Response:
        kind = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
        return self._endless("pictures", pictures(self.hub, self.newest), kind)

    def _endless(self, what: str, parts: AsyncIterator[bytes], kind: str) -> Response:
        if self._streams.total() >= MOST_STREAMS:
            return problem(503, f"{MOST_STREAMS} streams are open; expected fewer; close a page", {"Retry-After": "5"})

        async def counted() -> AsyncIterator[bytes]:
            self._streams[what] += 1
            try:
                async with contextlib.aclosing(parts) as each:  # type: ignore[type-var]
                    async for part in each:
                        yield part
            finally:
                self._streams[what] -= 1

        return Endless(counted(), kind)

    async def predict(self, request: Request) -> Response:
        try:
            return _json(await self.reader.read(await picture_of(request)))
        except UploadRefusedError as refused:
            # What is left of the body is not waited for.
            headers = {"Connection": "close"} if refused.status in (400, 408, 413, 415) else {}
            if refused.status == 503:
                headers = {"Retry-After": "1"}
            return problem(refused.status, refused.detail, headers)

    async def history(self, request: Request) -> Response:
        text = request.query_params.get("seconds", "300")
        if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= KEPT_SAMPLES):
            return problem(400, f"seconds={text[:40]!r}; expected 1 to {KEPT_SAMPLES}; leave it away for 300")
        return _json(self.vitals.as_json(int(text)))

    async def keeper(self, _request: Request) -> Response:
        """All that the keeper's page shows besides state and history."""
        board, about = self.vitals.board, self.about
        happened = [
            {**event.as_dict(), "wall_s": round(event.wall_s, 3), "number": number}
            for number, event in self.hub.events_after(0)
            if event.kind in ("degraded", "recovered")
        ]
        return _json(
            {
                "version": __version__,
                "source": about.source,
                "bundle": about.bundle,
                "bundle_sha256": about.bundle_sha256,
                "detector": about.detector,
                "accelerator": about.accelerator,
                "log": about.log is not None,
                "board": None
                if board is None
                else {
                    "model": board.model,
                    "cores": board.cores,
                    "memory_mb": board.memory_mb,
                    "temperature_c": board.temperature_c,
                    "throttling": board.throttling,
                    "governor": board.governor,
                },
                "peak_memory_mb": round(peak_rss_mb(), 1),
                "streams": {"pictures": self._streams["pictures"], "events": self._streams["events"]},
                "faults": happened[-50:],
            }
        )

    async def log(self, _request: Request) -> Response:
        if self.about.log is None:
            return problem(404, "no event log; expected log.path in the configuration; see docs/outputs.md")
        try:
            lines = await log_lines(self.about.log)
        except FerEdgeError as error:
            return problem(404, str(error))
        name = {"Content-Disposition": 'attachment; filename="fer-edge-events.jsonl"'}
        return StreamingResponse(lines, headers=name, media_type="application/jsonl")

    async def health(self, _request: Request) -> Response:
        faults = self.vitals.faults(self.newest.shown.seen.state)
        failing = "loop" in faults
        document = {"status": "failing" if failing else "degraded" if faults else "ok", "faults": faults}
        return _json(document, 503 if failing else 200)

    async def metrics_text(self, _request: Request) -> Response:
        return Response(self.metrics.registry.render(), media_type=CONTENT_TYPE)

    async def openapi(self, _request: Request) -> Response:
        return _json(openapi_document(asks_token=bool(self.access.token)))

    async def token(self, request: Request) -> Response:
        """The form of a browser without the cookie."""
        body = bytearray()
        try:
            async with asyncio.timeout(10):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > _MOST_FORM_BYTES:
                        return problem(413, "a form of more than 4096 bytes; expected a token", {"Connection": "close"})
        except (TimeoutError, ClientDisconnect):
            return problem(408, "no whole form in 10 s; expected a token", {"Connection": "close"})
        given = parse_qs(body.decode("latin-1")).get("token", [""])[-1].strip()
        if not self.access.admits(given):
            return Response(page_file("token.html"), 401, {"WWW-Authenticate": "Bearer"}, "text/html; charset=utf-8")
        return with_key(RedirectResponse("/", 303), self.access)


def kiosk_app(
    hub: Hub,
    settings: KioskSettings,
    access: Access,
    about: About | None = None,
    metrics: LiveMetrics | None = None,
    board: Callable[[], Board] = read_board,
) -> Starlette:
    """The ASGI app.

    Args:
        hub: where the live loop leaves what it sees.
        settings, access: how the pages look, and who may ask.
        about: for the keeper's page.
        metrics: the loop's; without them `/metrics` has zeros.
        board: reads the board's facts.
    """
    kiosk = _Kiosk(hub, settings, access, about or About(), metrics or LiveMetrics(), board)
    routes = [
        *(Route(path, kiosk.page) for path in PAGES),
        Route("/assets/{name}", kiosk.asset),
        Route("/api/setup", kiosk.setup),
        Route("/api/state", kiosk.state),
        Route("/api/events", kiosk.events),
        Route("/api/stream", kiosk.stream),
        Route("/api/predict", kiosk.predict, methods=["POST"]),
        Route("/api/history", kiosk.history),
        Route("/api/keeper", kiosk.keeper),
        Route("/api/log", kiosk.log),
        Route("/healthz", kiosk.health),
        Route("/metrics", kiosk.metrics_text),
        Route("/openapi.json", kiosk.openapi),
    ]
    if access.token:
        routes.append(Route("/token", kiosk.token, methods=["POST"]))
    guard = Middleware(Guard, access, ("/assets/", "/token"), tuple(PAGES), page_file("token.html"))
    handlers: dict[Any, Any] = {HTTPException: _http_problem, Exception: _unexpected}
    return Starlette(routes=routes, middleware=[guard], exception_handlers=handlers, lifespan=kiosk.lifespan)


async def _http_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = request.url.path[:100]
    details = {
        404: f"{path}, which is not here; expected a path of /openapi.json",
        405: f"{request.method[:20]} {path}; expected {(error.headers or {}).get('Allow', 'another method')}",
    }
    return problem(error.status_code, details.get(error.status_code, error.detail), error.headers)


async def _unexpected(_request: Request, _error: Exception) -> Response:
    return problem(500, "an error of the server; expected none; its traceback stands in the server's log")


def _json(document: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(document, ensure_ascii=False, allow_nan=False), status, media_type=_JSON)
