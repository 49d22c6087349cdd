"""A live run in a world that tests make: quick detectors, a tiny model, a board, a clock and a broker of their own."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace

from devices.board import read_board
from edge_runtime.detectors import Detection
from edge_runtime.geometry import Box
from edge_runtime.live.hub import Hub
from edge_runtime.live.stream import LiveLoop
from edge_runtime.live.surroundings import Surroundings
from edge_runtime.preprocess import Framing
from edge_runtime.settings.config import load_config
from tests.support import TINY_GREY

COOL = replace(read_board(), temperature_c=45.0, throttling=())
"""This machine as a board without a trouble."""


class Boxes:
    """A detector that finds the same faces in every picture, and takes as long as it is told."""

    name = "boxes"
    framing = Framing("width", 1.0)

    def __init__(self, boxes=((8, 8, 40, 40),), pause_s=0.0):
        self.boxes, self.pause_s, self.calls = boxes, pause_s, 0

    def detect(self, image):
        self.calls += 1
        time.sleep(self.pause_s)
        return [Detection(Box(*box), 0.9) for box in self.boxes]


def settings(source="synthetic?size=64x48&fps=60", **more):
    """A configuration from nothing but these flags; `accelerator__spec` is "accelerator.spec"."""
    flags = {
        "source.spec": source,
        "model.bundle": str(TINY_GREY),
        "quality.least_size_px": 0.0,
        "quality.least_sharpness": 0.0,
        "tracking.confirm_detections": 1,
        "smoothing.settle_s": 0.0,
        "smoothing.threshold": 0.0,
        "smoothing.margin": 0.0,
        "mqtt.device": "here",
        **{name.replace("__", "."): value for name, value in more.items()},
    }
    return load_config(flags=flags, environment={}).config


class Run:
    """A live run in a thread.

    Attributes:
        hub, loop: of the run.
        summary: once it is over.
    """

    def __init__(self, config, frames=0, seconds=0.0, **around):
        around = {"detector": Boxes(), "read_board": lambda: COOL, **around}
        self.hub, self.stop = Hub(), threading.Event()
        self.loop = LiveLoop(config, self.hub, Surroundings(**around))
        self.summary = self.error = None
        self._thread = threading.Thread(target=self._run, args=(frames, seconds))

    def _run(self, frames, seconds):
        try:
            self.summary = self.loop.run(self.stop, frames, seconds)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self.error = error

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.join()

    def join(self, seconds=60):
        self._thread.join(seconds)
        assert not self._thread.is_alive(), "the run did not end"
        if self.error is not None:
            raise self.error
        return self.summary

    def events(self, subject=None):
        """(kind, label or what broke) of every event so far."""
        found = [(event.kind, event.label) for _, event in self.hub.events_after(0)]
        return [each for each in found if subject is None or each[1] == subject]


def finished(config, frames=0, seconds=0.0, **around):
    """A run to its end."""
    run = Run(config, frames, seconds, **around)
    run._thread.start()
    run.join()
    return run


class Lines:
    """A pipe that a run writes its records to, and a thread that reads it."""

    def __init__(self):
        self._read, self.descriptor = os.pipe()
        self.text = ""
        self._thread = threading.Thread(target=self._collect, daemon=True)
        self._thread.start()

    def _collect(self):
        with open(self._read) as reader:
            self.text = reader.read()

    def close(self):
        """What was written."""
        os.close(self.descriptor)
        self._thread.join(20)
        return self.text.splitlines()
