"""`fer-edge run`: a camera's people and what they show, live, until it is told to stop."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from edge_runtime.settings.config import Config, load_config

__all__ = ["flags_of", "run", "stopped_by_signals"]

LAST_RESORT_S = 1.5
"""After a signal the loop has so long to end by itself: a detector in the middle of a picture cannot be interrupted."""


def run(arguments: argparse.Namespace) -> int:
    """Returns 0 after a signal, a recording's end or a limit; whatever keeps it from starting raises, which becomes exit 2."""
    stop = threading.Event()
    with stopped_by_signals(stop):
        logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="fer-edge: %(message)s")
        config = load_config(arguments.config, flags_of(arguments), tuple(arguments.set)).config
        return _live(config, arguments, stop)


def flags_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """The settings that have a flag of their own."""
    return {
        "source.spec": arguments.source,
        "model.bundle": arguments.bundle,
        "model.threads": arguments.threads,
        "detector.spec": arguments.detector,
        "detector.alignment": arguments.align,
        "detector.detail": arguments.detail,
        "accelerator.spec": arguments.accelerator,
        "output.format": arguments.format,
        "output.annotate": arguments.annotate,
        "output.display": False if arguments.no_display else None,
        "log.path": arguments.log,
        "mqtt.url": arguments.mqtt,
        "metrics.port": arguments.metrics,
    }


@contextmanager
def stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    """While the block runs, SIGTERM and SIGINT set `stop`; a second Ctrl-C ends the process at once."""

    def ask(number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        stop.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _live(config: Config, arguments: argparse.Namespace, stop: threading.Event) -> int:
    from edge_runtime.live.stream import LiveLoop
    from edge_runtime.live.surroundings import Surroundings

    if config.output.display:
        print(
            "fer-edge: output.display: no window, for OpenCV is installed without one (headless); going on without",
            file=sys.stderr,
        )
    loop = LiveLoop(config, around=Surroundings(records_to=sys.stdout.fileno()))
    done = threading.Event()
    threading.Thread(target=_last_resort, args=(loop, stop, done), name="last resort", daemon=True).start()
    try:
        summary = loop.run(stop, arguments.frames, arguments.seconds)
    finally:
        done.set()
    print(f"fer-edge: {summary.line()}", file=sys.stderr)
    return 0


def _last_resort(loop: Any, stop: threading.Event, done: threading.Event) -> None:
    stop.wait()
    if not done.wait(LAST_RESORT_S):
        loop.finish(0.4)
        if not done.is_set():
            os._exit(0)
