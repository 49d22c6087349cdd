"""The same video through fer-edge, `fer` and MediaPipe's face detection, each in an environment of its own: one table.

    python -m benchmarks.peers                              # 600 frames, three rounds
    python -m benchmarks.peers --frames 60 --rounds 1       # a trial
    python -m benchmarks.peers --detector yunet:face_detection_yunet_2023mar.onnx

The first run installs the peers with pip, which takes minutes and some two gigabytes; later runs take them as they are. The video is the
demo's portrait, walking to and fro before a grey wall. Ours stands there three times: each frame for itself, as the peers work, and as a live
run with tracks and decisions and with close-ups of known faces between searches (`detector.scan_every`), of each frame or of every second
(`detector.every_frames`), which no target judges. Sides run in turn, on one processor, so that the
machine's speed cancels out of the ratios. Exit code 1 where a target is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import cv2
import numpy as np

from benchmarks.environments import ROOT, built_wheel, make, size_mb
from benchmarks.script import run_script
from edge_runtime.pictures import read_picture

WORKER = ROOT / "benchmarks" / "peer_worker.py"
PORTRAIT = ROOT / "edge_runtime" / "demo" / "astronaut.jpg"
SIZE = (640, 480)
WARM_UP = 20
OURS, LIVE, TRACKING, FER, MEDIAPIPE = "fer-edge", "fer-edge-live", "fer-edge-tracking", "fer", "mediapipe"
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1"
)

# Without the several gigabytes of CUDA packages that fer asks for; its own code and model are the published ones.
FER_STEPS = [
    [
        "tensorflow-cpu==2.21.0",
        "tf-keras",
        "numpy<2.3",
        "opencv-contrib-python-headless==4.12.0.88",
        "pandas",
        "matplotlib",
        "requests",
        "tqdm",
        "moviepy<2",
    ],
    ["--no-deps", "fer==25.10.3"],
]
# What MediaPipe asks for, with OpenCV without a window in the place of the one that needs a desktop's libraries.
MEDIAPIPE_STEPS = [
    [
        "absl-py",
        "attrs",
        "flatbuffers",
        "jax",
        "jaxlib",
        "matplotlib",
        "numpy<2",
        "opencv-contrib-python-headless==4.11.0.86",
        "protobuf>=4.25.3,<5",
        "sounddevice",
        "sentencepiece",
    ],
    ["--no-deps", "mediapipe==0.10.21"],
]


@dataclass(frozen=True)
class Side:
    """One row: its name, its environment and what the worker is told."""

    name: str
    kind: str
    folder: Path
    detector: str = ""


@dataclass(frozen=True)
class Outcome:
    """What one run of a side came to."""

    frames_per_second: float
    work_ms: float
    first_s: float
    peak_mb: float
    with_faces: float


@dataclass(frozen=True)
class Target:
    """A ratio of ours over a peer's, and what it is to be; without a bound it is only shown."""

    what: str
    field: str
    peer: str
    bound: float | None = None
    at_least: bool = True
    ours: str = OURS

    def met(self, ratio: float) -> bool:
        if self.bound is None:
            return True
        return ratio >= self.bound if self.at_least else ratio <= self.bound

    def verdict(self, ratio: float) -> str:
        if self.bound is None:
            return ""
        bound = f"{'at least' if self.at_least else 'at most'} {self.bound:g}"
        return f"{bound:<14}{'met' if self.met(ratio) else 'MISSED'}"


TARGETS = (
    Target("frames a second over fer's", "frames_per_second", FER, 10.0),
    Target("live, frames a second over fer's", "frames_per_second", FER, ours=LIVE),
    Target("frames a second over MediaPipe's faces alone", "frames_per_second", MEDIAPIPE),
    Target("live, frames a second over MediaPipe's faces alone", "frames_per_second", MEDIAPIPE, 1.0, ours=LIVE),
    Target("every second frame, over MediaPipe's faces alone", "frames_per_second", MEDIAPIPE, ours=TRACKING),
    Target("time to the first result over fer's", "first_s", FER, 0.2, False),
    Target("peak RSS over fer's", "peak_mb", FER, 0.2, False),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=600, help=f"of the video, more than {WARM_UP} (default: 600)")
    parser.add_argument("--rounds", type=int, default=3, help="of all sides; medians are shown (default: 3)")
    parser.add_argument(
        "--detector", action="append", help="of ours; more than one makes more rows, the first is judged"
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path(tempfile.gettempdir()) / "fer-edge-peers",
        help="of the environments, kept between runs (default: %(default)s)",
    )
    arguments = parser.parse_args()
    if arguments.frames <= WARM_UP or arguments.rounds < 1:
        parser.error(f"--frames above {WARM_UP}, --rounds from 1")
    detectors = [_absolute(detector) for detector in arguments.detector or [""]]
    sides = _sides(arguments.folder, detectors)
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / "moving.mp4"
        compose(video, arguments.frames)
        runs: dict[str, list[Outcome]] = {side.name: [] for side in sides}
        for _ in range(arguments.rounds):
            for side in sides:
                runs[side.name].append(_run(side, video))
    print(f"{arguments.frames} frames of {SIZE[0]} × {SIZE[1]}, {arguments.rounds} round(s), one processor; medians")
    print(f"{'':<34}{'frames/s':>10}{'ms a frame':>12}{'first s':>9}{'RSS MB':>8}{'disk MB':>9}{'with faces':>12}")
    for side in sides:
        shown = _middle(runs[side.name])
        print(
            f"{side.name:<34}{shown.frames_per_second:>10.1f}{shown.work_ms:>12.2f}{shown.first_s:>9.2f}{shown.peak_mb:>8.0f}"
            f"{size_mb(side.folder):>9.0f}{shown.with_faces:>12.1%}"
        )
    print("frames/s: reading the video included; ms a frame: without it; disk: the whole environment, pip included")
    return 0 if _judged(sides, runs) else 1


def compose(video: Path, frames: int) -> None:
    """Writes the video: the portrait goes to and fro and up and down, and comes nearer and goes away, before a grey wall."""
    portrait = read_picture(PORTRAIT)
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter.fourcc(*"mp4v"), 30.0, SIZE)
    if not writer.isOpened():
        raise SystemExit(f"{video}: OpenCV cannot write it; expected a build with mp4v; install opencv-python-headless")
    for number in range(frames):
        turn = 2 * np.pi * number
        scale = SIZE[1] * (0.8 + 0.15 * np.sin(turn / 450)) / portrait.shape[0]
        shown = cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        height, width = shown.shape[:2]
        left = round((SIZE[0] - width) * (0.5 + 0.45 * np.sin(turn / 240)))
        top = round((SIZE[1] - height) * (0.5 + 0.45 * np.cos(turn / 360)))
        frame = np.full((SIZE[1], SIZE[0], 3), 128, np.uint8)
        frame[top : top + height, left : left + width] = shown
        writer.write(frame)
    writer.release()


def _sides(folder: Path, detectors: list[str]) -> list[Side]:
    """Makes the environments."""
    with tempfile.TemporaryDirectory() as wheels:
        make(folder / OURS, [[str(built_wheel(Path(wheels)))]])
    make(folder / FER, FER_STEPS)
    make(folder / MEDIAPIPE, MEDIAPIPE_STEPS)
    ours = [Side(f"fer-edge{f', {Path(each).name}' if each else ''}", OURS, folder / OURS, each) for each in detectors]
    return [
        *ours,
        Side("fer-edge, live with close-ups", LIVE, folder / OURS),
        Side("the same, every second frame", TRACKING, folder / OURS),
        Side("fer 25.10.3 (Haar)", FER, folder / FER),
        Side("MediaPipe 0.10.21, faces alone", MEDIAPIPE, folder / MEDIAPIPE),
    ]


def _run(side: Side, video: Path) -> Outcome:
    """One process from its start to its end."""
    cpu = str(max(os.sched_getaffinity(0)))
    command = [str(side.folder / "bin" / "python"), str(WORKER), side.kind, str(video), str(WARM_UP), cpu]
    errors = video.with_name("errors.txt")
    with open(errors, "wb") as told:
        began = time.monotonic()
        process = subprocess.Popen(
            [*command, *([side.detector] if side.detector else [])],
            stdout=subprocess.PIPE,
            stderr=told,
            text=True,
            cwd=video.parent,
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | ONE_THREAD,
        )
        assert process.stdout is not None
        first_s, facts = float("nan"), None
        for line in process.stdout:
            if line.startswith('{"first"'):
                first_s = time.monotonic() - began
            elif line.startswith('{"frames"'):
                facts = json.loads(line)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if facts is None:
        last = (errors.read_text(errors="replace").strip().splitlines() or ["no message"])[-1]
        raise SystemExit(
            f"{side.name}: exit code {process.returncode}: {last}; remove {side.folder} to install it anew"
        )
    frames, work_s = facts["frames"], facts["work_s"]
    return Outcome(
        frames / (facts["read_s"] + work_s),
        work_s / frames * 1e3,
        first_s,
        usage.ru_maxrss * 1024 / 1e6,
        facts["with_faces"] / frames,
    )


def _middle(outcomes: list[Outcome]) -> Outcome:
    return Outcome(*(median(getattr(each, name) for each in outcomes) for name in Outcome.__dataclass_fields__))


def _judged(sides: list[Side], runs: dict[str, list[Outcome]]) -> bool:
    """Prints each ratio, the median of the rounds' own; whether all targets are met."""
    good = True
    kinds = {side.kind: runs[side.name] for side in reversed(sides)}  # of several detectors, the first
    for target in TARGETS:
        pairs = zip(kinds[target.ours], kinds[target.peer], strict=True)
        ratio = median(getattr(ours, target.field) / getattr(theirs, target.field) for ours, theirs in pairs)
        good = good and target.met(ratio)
        print(f"{target.what:<52}{ratio:>8.2f}   {target.verdict(ratio)}".rstrip())
    return good


def _absolute(detector: str) -> str:
    """Workers stand in another folder."""
    kind, colon, path = detector.partition(":")
    return f"{kind}:{os.path.abspath(path)}" if colon and os.path.exists(path) else detector


if __name__ == "__main__":
    raise SystemExit(run_script("peers", main))
