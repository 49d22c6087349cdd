"""`fer-edge serve`: the live loop with a page for visitors, one for the keeper, and the HTTP API."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Protocol

from devices.errors import ExplainedError
from devices.spec import without_password
from edge_runtime.bundle import read_bundle
from edge_runtime.errors import UsageError
from edge_runtime.live.hub import Hub, Seen
from edge_runtime.live.metrics import LiveMetrics
from edge_runtime.live.state import ENDED, LiveState
from edge_runtime.pipeline import Recognizer, load
from edge_runtime.settings.config import Config, load_config

__all__ = ["Loop", "run", "serve"]

_STOP_S = 10.0


class Loop(Protocol):
    """What fills the hub: `edge_runtime.live.stream.LiveLoop`, or a fake."""

    metrics: LiveMetrics

    def run(self, stop: threading.Event) -> object:
        """Puts what it sees into its hub until `stop` is set or its source ends."""


def run(arguments: argparse.Namespace) -> int:
    """Returns 0 once it is told to stop; whatever cannot be used raises, which the command turns into exit 2."""
    loaded = load_config(
        arguments.config,
        flags={
            "source.spec": arguments.source,
            "kiosk.host": arguments.host,
            "kiosk.port": arguments.port,
            "kiosk.token_file": arguments.token_file,
        },
        changes=tuple(arguments.set),
    )
    from edge_runtime.live.stream import LiveLoop

    def live_loop(config: Config, hub: Hub) -> Loop:
        return LiveLoop(config, hub)

    return serve(loaded.config, live_loop)


def serve(config: Config, loop_of: Callable[[Config, Hub], Loop], stop: threading.Event | None = None) -> int:
    """Runs a loop and the server until SIGINT, SIGTERM or `stop`.

    Args:
        config: every setting.
        loop_of: makes the loop that fills a hub.
        stop: ends it from another thread; without one, signals do.

    Raises:
        UsageError: the extra is missing, or an address outside this machine without a token.
        ExplainedError: what the loop raised.
    """
    try:
        from edge_runtime.kiosk.access import access_of
        from edge_runtime.kiosk.app import About, kiosk_app
        from edge_runtime.kiosk.server import KioskServer, listen
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "edge_runtime":
            raise
        raise UsageError(f"no package {error.name}", "the extra [kiosk]", 'pip install "fer-edge[kiosk]"') from error
    access = access_of(config.kiosk)
    bundle = read_bundle(config.model.bundle)

    def open_recognizer() -> Recognizer:
        return load(config.model.bundle, config.detector.spec, config.model.threads, config.detector.alignment)

    about = About(
        source=without_password(config.source.spec),
        bundle=bundle.name,
        bundle_sha256=bundle.sha256,
        detector=config.detector.spec,
        accelerator=config.accelerator.spec,
        log=Path(config.log.path) if config.log.path else None,
        keeps_pictures=bool(config.output.annotate),
        open_recognizer=open_recognizer,
    )
    hub = Hub()
    with listen(config.kiosk.host, config.kiosk.port) as listener:
        loop = loop_of(config, hub)
        server = KioskServer(kiosk_app(hub, config.kiosk, access, about, loop.metrics), listener)
        ended = stop or threading.Event()
        running = _Running(loop, hub, ended)
        with _signals(ended, stop is None), server:
            asked = ", which asks for the token" if access.token else ""
            print(f"fer-edge: the page is {server.url}{asked}", file=sys.stderr, flush=True)
            running.start()
            try:
                running.wait()
            finally:
                ended.set()
                running.join(_STOP_S)
                hub.close()
    if running.error is not None:
        raise running.error
    return 0


class _Running:
    """A loop in a thread. A source that ends leaves the page as it is; an error ends the command."""

    def __init__(self, loop: Loop, hub: Hub, ended: threading.Event) -> None:
        self._loop, self._hub, self._ended = loop, hub, ended
        self._thread = threading.Thread(target=self._run, name="live loop", daemon=True)
        self.error: BaseException | None = None

    def start(self) -> None:
        self._thread.start()

    def wait(self) -> None:
        while not self._ended.wait(1.0):
            pass

    def join(self, timeout_s: float) -> None:
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            self._loop.run(self._ended)
        except ExplainedError as error:
            self.error = error
            self._ended.set()
        except BaseException as error:
            self.error = error
            self._ended.set()
            raise
        else:
            if not self._ended.is_set():
                ended = LiveState(faults={"source": "the recording has ended"}, camera=ENDED)
                self._hub.put(Seen(None, ended))
                print("fer-edge: the source has ended; the page stays until it is stopped", file=sys.stderr, flush=True)


class _signals:  # noqa: N801 — a context manager, read as a word
    """SIGINT and SIGTERM set an event, for as long as the block lasts; only the main thread may ask for that."""

    def __init__(self, ended: threading.Event, wanted: bool) -> None:
        self._ended, self._wanted = ended, wanted and threading.current_thread() is threading.main_thread()

    def __enter__(self) -> None:
        if self._wanted:
            self._before = {number: signal.signal(number, self._stop) for number in (signal.SIGINT, signal.SIGTERM)}

    def __exit__(self, *_error: object) -> None:
        if self._wanted:
            for number, handler in self._before.items():
                signal.signal(number, handler)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._ended.set()
