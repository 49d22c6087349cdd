"""A shipped fake of the live loop: visitors who come, smile and go, put into a hub; and a server around it."""

from __future__ import annotations

import http.client
import json
import math
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import cv2
import numpy as np

from devices.base import Frame
from edge_runtime.geometry import Box
from edge_runtime.kiosk.access import access_of
from edge_runtime.kiosk.app import About, kiosk_app
from edge_runtime.kiosk.server import KioskServer, listen
from edge_runtime.labels import FER2013
from edge_runtime.live.events import DEGRADED, RECOVERED, Event
from edge_runtime.live.hub import Hub, Seen
from edge_runtime.live.metrics import LiveMetrics
from edge_runtime.live.state import LiveState, ShownFace
from edge_runtime.pipeline import load
from edge_runtime.settings.kiosk import KioskSettings
from tests.support import TINY_GREY

SIZE = 640, 480


def emotions_of(label, score=0.8):
    rest = (1 - score) / (len(FER2013) - 1)
    return {name: score if name == label else rest for name in FER2013.names}


def face(label="happy", score=0.8, track="a1", box=None, reason=""):
    named = label if label in FER2013.names else "neutral"
    return ShownFace(track, label, score, reason, emotions_of(named, score), box or Box(200, 120, 360, 300))


def frame(index=0, level=90):
    """A grey picture with a moving bright square."""
    image = np.full((SIZE[1], SIZE[0], 3), level, np.uint8)
    left = 20 + 7 * (index % 60)
    cv2.rectangle(image, (left, 40), (left + 60, 100), (40, 200, 240), -1)
    return Frame(image, time.monotonic(), index)


def seen(index=0, faces=(), faults=None, picture=True):
    state = LiveState(tuple(faces), 24.5, faults or {}, "cpu")
    return Seen(frame(index) if picture else None, state)


class FakeLoop:
    """Puts a frame into a hub every so often: `faces` are shown, unless `lost` is set.

    Args:
        hub: to be filled.
        faces: what is shown; may be set while it runs.
        every_s: seconds between frames.
    """

    def __init__(self, hub, faces=(), every_s=0.04):
        self.metrics = LiveMetrics("tiny", "ab" * 32, "haar")
        self.hub, self.faces, self.every_s = hub, tuple(faces), every_s
        self.lost = self.hung = False

    def run(self, stop):
        index, was_lost = 0, False
        while not stop.wait(self.every_s):
            if self.hung:
                continue
            events = []
            if self.lost != was_lost:
                kind, was_lost = (DEGRADED if self.lost else RECOVERED), self.lost
                events = [Event(kind, time.monotonic(), time.time(), label="camera", reason="no frame for 3 s")]
            if self.lost:
                self.hub.put(seen(faults={"camera": "no frame for 3 s"}, picture=False), events)
                continue
            self.metrics.frame({"detect": 0.01}, 0.02 + 0.005 * math.sin(index / 9), len(self.faces))
            self.hub.put(seen(index, self.faces), events)
            index += 1


@dataclass
class Answer:
    status: int
    headers: dict
    body: bytes

    def json(self):
        return json.loads(self.body)


@dataclass
class Stage:
    """A running server and its loop."""

    hub: Hub
    loop: FakeLoop
    server: KioskServer

    def ask(self, path, method="GET", body=None, host=None, timeout=20, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=timeout)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            connection.putheader("Host", f"127.0.0.1:{self.server.port}" if host is None else host)
            for name, value in headers.items():
                connection.putheader(name.replace("_", "-"), value)
            if body is not None and "Content_Length" not in headers:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders()
            if body:
                # The answer may come before the body is gone.
                with suppress(BrokenPipeError, ConnectionResetError):
                    connection.send(body)
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()


@contextmanager
def stage(faces=(), runs=True, about=None, board=None, every_s=0.04, **settings):
    """A server on a free port of this machine, and a fake loop that runs unless `runs` is False."""
    hub = Hub()
    loop = FakeLoop(hub, faces, every_s)
    chosen = KioskSettings(**settings)
    about = about or About("synthetic", "tiny_grey", "ab" * 32, "haar", open_recognizer=lambda: load(TINY_GREY))
    extra = {} if board is None else {"board": board}
    app = kiosk_app(hub, chosen, access_of(chosen), about, loop.metrics, **extra)
    stop = threading.Event()
    thread = threading.Thread(target=loop.run, args=(stop,), daemon=True)
    with KioskServer(app, listen("127.0.0.1", 0)) as server:
        if runs:
            thread.start()
        try:
            yield Stage(hub, loop, server)
        finally:
            stop.set()
            hub.close()
            if runs:
                thread.join(10)
