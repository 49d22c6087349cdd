"""What the live loop costs, how old its results become, and what it leaves behind: ratios of one run, and counts.

    python -m benchmarks.live                           # everything, with 3,000 synthetic frames
    python -m benchmarks.live --frames 100000           # the long run
    python -m benchmarks.live --only overhead,faces

Both sides of a ratio run in turn in one process, so that the machine's speed cancels out. Exit code 1 where a target is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.script import run_script
from devices.base import Frame
from devices.source_state import Phase, SourceState
from edge_runtime.commands.bench import demo_frame
from edge_runtime.detectors import DEFAULT_DETECTOR, Detection, Detector, open_detector
from edge_runtime.geometry import Box
from edge_runtime.live.pipeline import open_pipeline
from edge_runtime.live.stream import LiveLoop
from edge_runtime.live.surroundings import Surroundings
from edge_runtime.pipeline import load
from edge_runtime.preprocess import Framing
from edge_runtime.settings.config import Config, load_config

BUNDLE = "fer2013"
OVERHEAD, TEN_FACES, AGE, READY_S, TOGETHER_MB, GROWTH_MB = 1.05, 2.5, 2.0, 2.0, 150.0, 5.0
"""The targets: three ratios, seconds, and twice MB."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=3000, help="of the endurance run (default: 3000)")
    parser.add_argument("--runs", type=int, default=150, help="of each pair (default: 150)")
    parser.add_argument("--detector", default=DEFAULT_DETECTOR)
    parser.add_argument("--only", default=",".join(PARTS), help=f"some of {', '.join(PARTS)}")
    arguments = parser.parse_args()
    chosen = arguments.only.split(",")
    unknown = [name for name in chosen if name not in PARTS]
    if unknown or arguments.frames < 100 or arguments.runs < 1:
        parser.error(f"--only some of {', '.join(PARTS)}; --frames from 100; --runs from 1")
    missed = [name for name in chosen if not PARTS[name](arguments)]
    print(f"missed: {', '.join(missed)}" if missed else "every target met")
    return 1 if missed else 0


def overhead(arguments: argparse.Namespace) -> bool:
    """A frame through the loop (tracks, quality, decisions, records, metrics, state) against the bare pipeline."""
    image, recognizer = demo_frame(), load(BUNDLE, arguments.detector, detail=1)
    with open(os.devnull, "w") as nowhere:
        loop = _opened(LiveLoop(_config(detector=arguments.detector), around=Surroundings(records_to=nowhere.fileno())))
        source = SourceState("synthetic", Phase.LIVE, time.monotonic())
        live_s, bare_s = _in_turn(
            lambda: loop._step(Frame(image, time.monotonic(), 0), source), lambda: recognizer(image), arguments.runs
        )
        loop.finish()
    _row("live loop, a frame with one face", f"{np.median(live_s) * 1e3:8.2f} ms")
    _row("bare pipeline, the same frame", f"{np.median(bare_s) * 1e3:8.2f} ms")
    ratio = float(np.median(live_s / bare_s))
    _row(f"ratio, median of the pairs (target {OVERHEAD:g})", f"{ratio:8.3f}")
    extra_ms = np.median(live_s - bare_s) * 1e3
    _row("difference, median of the pairs", f"{extra_ms:8.2f} ms")
    return ratio <= OVERHEAD


def faces(arguments: argparse.Namespace) -> bool:
    """Ten faces in a frame against one, in frames of one size."""
    detector = open_detector(arguments.detector)
    one, ten = _crowd(1), _crowd(10)
    found = [len(detector.detect(image)) for image in (one, ten)]
    _row(f"faces that {arguments.detector} finds in the two frames", f"{found[0]} and {found[1]}")
    ratio = _ratio_of_faces(f"ten faces over one (target {TEN_FACES:g})", detector, one, ten, arguments.runs)
    # A detector that costs nothing leaves what a face costs by itself.
    boxes = [found.box for found in detector.detect(ten)]
    for name, count in (("without the detector: one", 1), ("without the detector: ten", len(boxes))):
        pipeline = open_pipeline(_config(), _Fixed(boxes[:count], detector.framing))
        took_s = _timed(lambda pipeline=pipeline: pipeline.see(Frame(ten, time.monotonic(), 0), time.monotonic()), 60)  # type: ignore[misc]
        _row(name, f"{np.median(took_s) * 1e3:8.2f} ms")
    return found == [1, 10] and ratio <= TEN_FACES


def age(_arguments: argparse.Namespace) -> bool:
    """Inference six times too slow for the camera: how old the newest result is."""
    pause_s, ages = 0.2, []
    around = Surroundings(
        detector=_Fixed([Box(200, 120, 300, 220)], Framing("width", 1.0), pause_s),
        observe=lambda _sight, age_s: ages.append(age_s),
    )
    summary = LiveLoop(_config("synthetic?fps=30"), around=around).run(threading.Event(), frames=100)
    inference_s = pause_s + 0.001
    _row("camera 30 frames/s, inference of 200 ms: dropped", f"{summary.newer} of {summary.frames}")
    ratio = float(np.percentile(ages, 99)) / inference_s
    _row(f"p99 age over the inference time (target {AGE:g})", f"{ratio:8.2f}")
    _row("frames in = processed + dropped", str(summary.accounted))
    return ratio <= AGE and summary.accounted


def ready(_arguments: argparse.Namespace) -> bool:
    """From the start of the command to its first record, and what its processes hold at most."""
    command = [sys.executable, "-m", "edge_runtime", "run", "--source", "synthetic"]
    first_s = []
    for _ in range(3):
        began = time.monotonic()
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
            assert process.stdout is not None
            next(line for line in process.stdout if "box" in json.loads(line))
            first_s.append(time.monotonic() - began)
            time.sleep(2)
            held = [_memory_mb(pid) for pid in (process.pid, *_children(process.pid))]
            process.terminate()
            process.stdout.read()
    _row(f"first record after the start (target {READY_S:g} s)", f"{np.median(first_s):8.2f} s, of {len(first_s)}")
    for name, (peak, share) in zip(("the loop", "its camera's process"), held, strict=True):
        _row(f"{name}: peak RSS, own share (PSS)", f"{peak:8.0f} and {share:.0f} MB")
    together_mb = sum(share for _, share in held)
    _row(f"together, shared pages once (target {TOGETHER_MB:g} MB)", f"{together_mb:8.0f} MB")
    return float(np.median(first_s)) <= READY_S and together_mb <= TOGETHER_MB


def endurance(arguments: argparse.Namespace) -> bool:
    """Many frames as fast as they come: memory, threads, descriptors and children after a tenth and at the end."""
    marks: list[_Held] = []
    tenth = max(1, arguments.frames // 10)
    processed = 0

    def note(_sight: Any, _age_s: float) -> None:
        nonlocal processed
        processed += 1
        if processed in (tenth, arguments.frames):
            marks.append(_Held.now())

    fixed = _Fixed([Box(200, 120, 300, 220)], Framing("width", 1.0))
    config = _config("synthetic?size=320x240&fps=0")
    with open(os.devnull, "w") as nowhere:
        around = Surroundings(records_to=nowhere.fileno(), detector=fixed, observe=note)
        summary = LiveLoop(config, around=around).run(threading.Event(), frames=arguments.frames)
    early, late = marks
    _row(
        f"frames in {summary.seconds:.0f} s",
        f"{summary.frames}: {summary.processed} processed, {summary.newer} dropped",
    )
    _row("frames in = processed + dropped", str(summary.accounted))
    same = [(name, getattr(early, name), getattr(late, name)) for name in ("threads", "descriptors", "children")]
    grown = [(name, getattr(early, name), getattr(late, name)) for name in ("rss_mb", "camera_mb")]
    for what, (_, before, after) in zip(("memory", "its camera's process"), grown, strict=True):
        _row(f"{what} after {tenth} and {processed} (target +{GROWTH_MB:g})", f"{before:.1f} and {after:.1f} MB")
    for name, before, after in same:
        _row(f"{name} at both", f"{before} and {after}")
    flat = all(after - before <= GROWTH_MB for _, before, after in grown)
    return summary.accounted and flat and all(before == after for _, before, after in same)


@dataclass(frozen=True)
class _Held:
    """What this process and its camera's hold at a moment."""

    rss_mb: float
    camera_mb: float
    threads: int
    descriptors: int
    children: int

    @classmethod
    def now(cls) -> _Held:
        children = _children(os.getpid())
        return cls(
            _rss_mb(os.getpid()),
            sum(_rss_mb(child) for child in children),
            threading.active_count(),
            len(os.listdir("/proc/self/fd")),
            len(children),
        )


class _Fixed:
    """A detector that finds the same faces in every picture."""

    name = "fixed"

    def __init__(self, boxes: list[Box], framing: Framing, pause_s: float = 0.0) -> None:
        self._boxes, self.framing, self._pause_s = boxes, framing, pause_s

    def detect(self, image: NDArray[np.uint8]) -> list[Detection]:  # noqa: ARG002
        time.sleep(self._pause_s)
        return [Detection(box, 0.9) for box in self._boxes]


def _config(source: str = "synthetic", detector: str = DEFAULT_DETECTOR) -> Config:
    flags = {"source.spec": source, "model.bundle": BUNDLE, "detector.spec": detector}
    return load_config(flags=flags, environment={}).config


def _opened(loop: LiveLoop) -> LiveLoop:
    loop._open(threading.Event())
    return loop


def _ratio_of_faces(name: str, detector: Detector, one: NDArray[np.uint8], ten: NDArray[np.uint8], runs: int) -> float:
    pipelines = [open_pipeline(_config(), detector) for _ in (one, ten)]
    sides = [
        lambda pipeline=pipeline, image=image: pipeline.see(Frame(image, time.monotonic(), 0), time.monotonic())
        for pipeline, image in zip(pipelines, (one, ten), strict=True)
    ]
    one_s, ten_s = _in_turn(sides[0], sides[1], runs)
    _row("one face, ten faces", f"{np.median(one_s) * 1e3:8.2f} and {np.median(ten_s) * 1e3:.2f} ms")
    ratio = float(np.median(ten_s / one_s))
    _row(name, f"{ratio:8.2f}")
    return ratio


def _crowd(count: int) -> NDArray[np.uint8]:
    """So many of the demo's face in a frame of 640 × 480 px with ten places; in the others it stands on its head.

    So both frames have the same texture, and a detector the same work but for the faces.
    """
    image = demo_frame()
    face = open_detector("haar").detect(image)[0].box
    x, y = face.center
    side = face.width * 0.8
    cut = image[round(y - side) : round(y + side), round(x - side) : round(x + side)]
    tile = cv2.resize(cut, (120, 120), interpolation=cv2.INTER_AREA)
    frame = np.full((480, 640, 3), 128, np.uint8)
    for index in range(10):
        top, left = 60 + 200 * (index // 5), 8 + 126 * (index % 5)
        frame[top : top + 120, left : left + 120] = tile if index < count else tile[::-1]
    return frame


def _in_turn(first: Callable[[], object], second: Callable[[], object], runs: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Seconds of both sides, run in turn, after ten rounds that do not count."""
    took_s: list[tuple[float, float]] = []
    for _ in range(runs + 10):
        began = time.perf_counter()
        first()
        middle = time.perf_counter()
        second()
        took_s.append((middle - began, time.perf_counter() - middle))
    pairs = np.array(took_s[10:])
    return pairs[:, 0], pairs[:, 1]


def _timed(work: Callable[[], object], runs: int) -> list[float]:
    took_s = []
    for _ in range(runs + 10):
        began = time.perf_counter()
        work()
        took_s.append(time.perf_counter() - began)
    return took_s[10:]


def _children(pid: int) -> list[int]:
    found = []
    for place in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (place / "children").read_text().split()]
    return found


def _rss_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6


def _memory_mb(pid: int) -> tuple[float, float]:
    """The most that a process held, and what it holds with pages of several processes shared out among them (proc(5))."""

    def kb(file: str, key: str) -> int:
        lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(key))

    return kb("status", "VmHWM:") * 1024 / 1e6, kb("smaps_rollup", "Pss:") * 1024 / 1e6


def _row(name: str, value: str) -> None:
    print(f"{name:<52}{value}", flush=True)


PARTS = {"overhead": overhead, "faces": faces, "age": age, "ready": ready, "endurance": endurance}

if __name__ == "__main__":
    raise SystemExit(run_script("live", main))
