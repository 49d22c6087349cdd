"""Photographs the kiosk's pages in every state, in headless Chromium, for docs/kiosk.md and for whoever changes a page.

    python -m benchmarks.kiosk_pictures                     # those of docs/kiosk.md, into docs/images/kiosk
    python -m benchmarks.kiosk_pictures --every --to looks  # every state in every size, light and dark

The page, its server and its browser are the real ones. Before the camera stands the demo's portrait with made-up expressions,
so that each has its colour; what the picture page says of the portrait is the shipped bundle's own answer.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.chromium import Chromium, program
from benchmarks.kiosk_scene import Scene
from benchmarks.script import run_script
from devices.board import Board
from edge_runtime import DEMO_PICTURE
from edge_runtime.bundle import read_bundle
from edge_runtime.kiosk import vitals
from edge_runtime.kiosk.access import access_of
from edge_runtime.kiosk.app import About, kiosk_app
from edge_runtime.kiosk.server import KioskServer, listen
from edge_runtime.live.events import DEGRADED, RECOVERED, Event
from edge_runtime.live.hub import Hub
from edge_runtime.live.metrics import LiveMetrics
from edge_runtime.settings.kiosk import KioskSettings

WIDEST = 1280
"""Pixels: what is larger is photographed as it would look on paper of that width."""

SIZES = ((800, 480), (1280, 720), (1080, 1920), (3840, 2160))
STORY = (
    ("", 25), ("neutral", 14), ("happy", 38), ("uncertain", 9), ("surprise", 12), ("happy", 20), ("", 31),
    ("neutral", 22), ("sad", 11), ("uncertain", 6), ("neutral", 17), ("angry", 8), ("happy", 24), ("", 12), ("surprise", 7), ("happy", 44),
)  # fmt: skip
"""Who came in the last five minutes: an expression, or nobody, and seconds."""

_SAMPLE_S = 0.02
_QUALITY = 82
_PATIENCE_S = 150.0


@dataclass(frozen=True)
class Shot:
    """One photograph.

    Attributes:
        state: what is seen, of `STATES`.
        size: of the screen, in pixels.
        dark: whether the visitor's system is dark.
        language: of the page.
    """

    state: str
    size: tuple[int, int]
    dark: bool = False
    language: str = "en"

    @property
    def name(self) -> str:
        return f"{self.state}-{self.size[0]}x{self.size[1]}-{'dark' if self.dark else 'light'}.jpg"


PAGES: tuple[Shot, ...] = (
    Shot("live", (1280, 720)),
    Shot("four", (1280, 720), dark=True),
    Shot("live", (800, 480), dark=True),
    Shot("live", (1080, 1920), language="de"),
    Shot("four", (3840, 2160)),
    Shot("uncertain", (800, 480), language="es"),
    Shot("attract", (1080, 1920), dark=True),
    Shot("attract", (1280, 720), language="fr"),
    Shot("lost", (1280, 720), dark=True),
    Shot("token", (800, 480)),
    Shot("picture", (1280, 720)),
    Shot("keeper", (1280, 720)),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--to", type=Path, default=Path("docs/images/kiosk"), help="folder (default: docs/images/kiosk)"
    )
    parser.add_argument("--every", action="store_true", help="every state in every size, light and dark")
    parser.add_argument("--only", default="", help="states, with commas between")
    arguments = parser.parse_args()
    if program() is None:
        print("no Chromium on this machine: apt install chromium", file=sys.stderr)
        return 2
    wanted = PAGES
    if arguments.every:
        wanted = tuple(Shot(state, size, dark) for state in STATES for size in SIZES for dark in (False, True))
    only = arguments.only.split(",") if arguments.only else list(STATES)
    arguments.to.mkdir(parents=True, exist_ok=True)
    with _stage() as stage, Chromium() as browser:
        for shot in wanted:
            if shot.state in only:
                path = arguments.to / shot.name
                photograph(shot, path, stage, browser)
                print(f"{path}  {path.stat().st_size / 1000:.0f} KB", flush=True)
    return 0


class Stage:
    """A server of the kiosk, one more that asks for a token, and what stands before their camera."""

    def __init__(self, hub: Hub, metrics: LiveMetrics, url: str, closed_url: str) -> None:
        self.url, self.closed_url = url, closed_url
        self._hub, self._metrics = hub, metrics
        self._scene, self._lost = Scene(0), False

    def shows(self, faces: Mapping[str, float]) -> None:
        self._scene, self._lost = Scene(len(faces), faces or None), False

    def loses_its_camera(self) -> None:
        self._lost = True

    def tell_story(self) -> None:
        index = 0
        for label, seconds in STORY:
            scene = Scene(1 if label else 0, {label: 0.8} if label else None).seen(0)
            until_s = time.monotonic() + seconds * _SAMPLE_S
            while time.monotonic() < until_s:
                index += 1
                self._metrics.frame({}, 0.034 + 0.004 * ((index * 7) % 5), 1)
                rate = 24.0 + (index // 40) % 3
                self._hub.put(replace(scene, state=replace(scene.state, frames_per_second=rate, processed=index)))
                time.sleep(_SAMPLE_S / 3)
        self._hub.put(scene, [_event(DEGRADED, 4000, "no frame for 2.5 s"), _event(RECOVERED, 3991, "")])

    def feed(self, stop: threading.Event) -> None:
        index = 7500
        while not stop.wait(0.04):
            if self._lost:
                self._hub.put(self._scene.lost(index))
            else:
                self._metrics.frame({}, 0.036, 1)
                self._hub.put(self._scene.seen(index))
            index += 1


def photograph(shot: Shot, path: Path, stage: Stage, browser: Chromium) -> None:
    """Sets up the state, waits until the page shows it, and writes a JPEG."""
    page, faces, ready = STATES[shot.state]
    stage.shows(faces)
    url = stage.closed_url if shot.state == "token" else stage.url
    width, height = shot.size
    browser.open(f"{url}{page}?lang={shot.language}", width, height, shot.dark, calm=True)
    browser.wait(f"location.href.startsWith('{url}{page}') && document.readyState === 'complete'", _PATIENCE_S)
    if shot.state == "lost":
        browser.wait(STATES["live"][2], _PATIENCE_S)
        stage.loses_its_camera()
    if shot.state == "picture":
        for _ in range(2):  # the first one loads the model
            browser.wait("!document.querySelector('#webcam').disabled", _PATIENCE_S)
            browser.run("document.querySelector('#found').replaceChildren()")
            browser.choose_file("#file", DEMO_PICTURE)
            browser.wait(ready, _PATIENCE_S)
    browser.wait(ready, _PATIENCE_S)
    time.sleep(0.8)
    scale = min(1.0, WIDEST / width, WIDEST / height)
    if shot.state in ("picture", "keeper"):  # pages that scroll
        height = max(height, browser.run("document.documentElement.scrollHeight"))
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": scale}
    browser.screenshot(path, "jpeg", quality=_QUALITY, clip=clip, captureBeyondViewport=True)


@contextmanager
def _stage() -> Iterator[Stage]:
    """Servers whose last minutes are `STORY`."""
    hub, metrics, stop = Hub(), LiveMetrics("fer2013", "", "tflite"), threading.Event()
    about = About("picamera2?size=640x480&fps=30", "fer2013", read_bundle("fer2013").sha256, "tflite")
    with tempfile.TemporaryDirectory() as folder:
        secret = Path(folder) / "token"
        secret.write_text("a-token-that-nobody-has\n")
        settings, closed = KioskSettings(), KioskSettings(token_file=str(secret))
        app = kiosk_app(hub, settings, access_of(settings), about, metrics, _board)
        closed_app = kiosk_app(hub, closed, access_of(closed), about, metrics, _board)
    every_s, vars(vitals)["EVERY_S"] = vitals.EVERY_S, _SAMPLE_S
    try:
        with (
            KioskServer(app, listen("127.0.0.1", 0)) as server,
            KioskServer(closed_app, listen("127.0.0.1", 0)) as other,
        ):
            stage = Stage(hub, metrics, server.url, other.url)
            stage.tell_story()
            vars(vitals)["EVERY_S"] = every_s
            feeder = threading.Thread(target=stage.feed, args=(stop,), daemon=True)
            feeder.start()
            yield stage
            stop.set()
            feeder.join(10)
            hub.close()
    finally:
        vars(vitals)["EVERY_S"] = every_s


def _event(kind: str, ago_s: float, reason: str) -> Event:
    return Event(kind, time.monotonic() - ago_s, time.time() - ago_s, label="camera", reason=reason)


def _board() -> Board:
    """With all that a board may tell; nothing of this was measured."""
    return Board("made up for this picture", "aarch64", 4, 8062, 57.3, (), "3.13.5", "ondemand")


_LIVE = "!document.body.classList.contains('waiting') && document.querySelectorAll('.card').length === {n} && document.querySelector('#roll rect')"
_ONE, _FOUR = {"happy": 0.93}, {"happy": 0.93, "surprise": 0.71, "neutral": 0.64, "sad": 0.58}
STATES: dict[str, tuple[str, Mapping[str, float], str]] = {
    "live": ("", _ONE, _LIVE.format(n=1)),
    "four": ("", _FOUR, _LIVE.format(n=4)),
    "uncertain": ("", {"uncertain": 0.37}, _LIVE.format(n=1) + " && document.querySelector('.card .drawn.uncertain')"),
    "attract": ("", {}, "document.body.classList.contains('attract') && document.querySelector('#roll rect')"),
    "lost": ("", _ONE, "document.body.classList.contains('attract') && document.querySelector('#faults li')"),
    "token": ("", {}, "document.querySelector('form.token')"),
    "picture": ("picture", _ONE, "document.querySelector('#found .card h2')"),
    "keeper": ("keeper", _ONE, "document.querySelectorAll('#charts svg').length === 3"),
}
"""State → page, expressions before the camera, and when the page shows it."""

if __name__ == "__main__":
    raise SystemExit(run_script("kiosk_pictures", main))
