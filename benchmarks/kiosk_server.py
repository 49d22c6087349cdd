"""A kiosk's server on a scene instead of a camera, in a process of its own, so that what it costs can be told apart.

    python -m benchmarks.kiosk_server --faces 4 --fps 25

prints its address. A line on standard input changes what is seen: `lost` and `back` for the camera, `fast` for as many
pictures as the page takes, with visitors who come and go.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from dataclasses import replace

from benchmarks.kiosk_scene import Scene, shown_face
from benchmarks.script import run_script
from edge_runtime.geometry import Box
from edge_runtime.kiosk import streams
from edge_runtime.kiosk.access import access_of
from edge_runtime.kiosk.app import About, kiosk_app
from edge_runtime.kiosk.server import KioskServer, listen
from edge_runtime.live.hub import Hub, Seen
from edge_runtime.live.metrics import LiveMetrics
from edge_runtime.settings.kiosk import KioskSettings

_PREPARED = 120
_FAST_PER_SECOND = 400.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, default=4)
    parser.add_argument("--fps", type=float, default=25.0)
    arguments = parser.parse_args()
    hub, metrics, settings = Hub(), LiveMetrics(), KioskSettings()
    app = kiosk_app(hub, settings, access_of(settings), About("a scene", "fer2013", "", "tflite"), metrics)
    stop, told = threading.Event(), {"back"}
    scene = Scene(arguments.faces)
    frames = [scene.seen(index) for index in range(_PREPARED)]  # drawing them is not what is measured
    feeder = threading.Thread(target=_feed, args=(hub, metrics, scene, frames, arguments.fps, stop, told), daemon=True)
    with KioskServer(app, listen("127.0.0.1", 0)) as server:
        feeder.start()
        print(server.url, flush=True)
        for line in sys.stdin:
            told.clear()
            told.add(line.strip())
            if "fast" in told:
                vars(streams)["_MOST_FRAMES_PER_SECOND"] = vars(streams)["_MOST_STATES_PER_SECOND"] = _FAST_PER_SECOND
        stop.set()
        hub.close()


def _feed(
    hub: Hub, metrics: LiveMetrics, scene: Scene, frames: list[Seen], fps: float, stop: threading.Event, told: set[str]
) -> None:
    began, index = time.monotonic(), 0
    while not stop.is_set():
        fast = "fast" in told
        due_s = began + index / (_FAST_PER_SECOND if fast else fps)
        if due_s < time.monotonic() - 1:  # nobody makes up for what a busy machine missed
            began = time.monotonic() - index / (_FAST_PER_SECOND if fast else fps)
        time.sleep(max(0.0, due_s - time.monotonic()))
        if "lost" in told:
            hub.put(scene.lost(index))
            time.sleep(0.1)
            began = time.monotonic() - index / fps
            continue
        seen = frames[index % len(frames)]
        if fast:
            visit = index // 50
            faces = [
                shown_face(f"visit{visit}-{at}", label, 0.7, Box(40.0 * at, 40, 40.0 * at + 80, 140))
                for at, label in enumerate(("happy", "sad", "fear")[: visit % 4])
            ]
            seen = replace(seen, state=replace(seen.state, faces=tuple(faces)))
        assert seen.frame is not None
        frame = replace(seen.frame, time_s=time.monotonic(), index=index)
        metrics.frame({}, 0.03, len(seen.state.faces))
        hub.put(Seen(frame, replace(seen.state, processed=index + 1)))
        index += 1


if __name__ == "__main__":
    raise SystemExit(run_script("kiosk_server", main))
