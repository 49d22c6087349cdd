"""Cameras over many faults and many frames, with the shipped fake: how soon a fault is told, how soon it is over, what leaks.

    python -m benchmarks.endurance_cameras
    python -m benchmarks.endurance_cameras --cycles 12 --frames 5000

Four sources in one process go through stalls, deaths of their process, and losses whose close() never returns, in turn.
Afterwards one source gives frames as fast as it can. Exit code 1 where a limit is passed.
"""

from __future__ import annotations

import argparse
import logging
import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.script import run_script
from devices.cameras.synthetic import number_in
from devices.worker import CameraWorker, Phase

SOURCES = 4
FIRST_S = 2.0
REPORTED_S, BACK_S, GROWTH_MB = 3.0, 2.0, 5.0


@dataclass(frozen=True)
class Kind:
    """One kind of fault: its script from `at_s` on, how long it lasts, and how long its cycle is."""

    name: str
    script: str
    lasts_s: float
    cycle_s: float

    def text(self, at_s: float) -> str:
        return self.script.format(at=f"{at_s:.1f}s:{self.lasts_s}")


KINDS = (
    Kind("stall", "stall@{at}", 3.2, 6.5),
    Kind("own stop hangs", "lost@{at},stop@{at}", 1.5, 5.0),
    Kind("death", "die@{at}", 1.5, 5.0),
)


@dataclass
class Course:
    """One source and what happened to it."""

    source: CameraWorker
    faults: list[tuple[Kind, float]]
    lost_s: list[float] = field(default_factory=list)
    back_s: list[float] = field(default_factory=list)
    phase: Phase = Phase.OPENING
    taken: int = 0

    def step(self) -> None:
        frame = self.source.newest(0.01)
        self.taken += frame is not None
        now_s, phase = time.monotonic() - self.source.epoch_s, self.source.state.phase
        if phase is Phase.LOST and self.phase is not Phase.LOST:
            self.lost_s.append(now_s)
        if phase is Phase.LIVE and self.phase is Phase.LOST:
            self.back_s.append(now_s)
        self.phase = phase


class Lines(logging.Handler):
    """Counts log lines."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:  # noqa: ARG002 - the base class calls it so
        self.count += 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cycles", type=int, default=100)
    parser.add_argument("--frames", type=int, default=100_000)
    arguments = parser.parse_args()
    good = cycles(arguments.cycles)
    return 0 if frames(arguments.frames) and good else 1


def cycles(count: int) -> bool:
    """Prints how the sources came through their faults; False where a limit was passed."""
    lines = Lines()
    logger = logging.getLogger("fer_edge.camera")
    logger.addHandler(lines)
    logger.propagate = False
    before = held()
    courses = [_course(range(first, count, SOURCES)) for first in range(min(SOURCES, count))]
    ends_s = max(at_s + kind.cycle_s for course in courses for kind, at_s in course.faults)
    began, live = time.monotonic(), (0, 0, 0)
    while time.monotonic() - began < ends_s:
        for course in courses:
            course.step()
        if live == (0, 0, 0) and all(course.phase is Phase.LIVE for course in courses):
            live = held()
    at_end = held()
    for course in courses:
        course.source.close()
    after = held()
    reported, back = [], []
    for course in courses:
        assert len(course.lost_s) == len(course.back_s) == len(course.faults), (course.lost_s, course.back_s)
        for (kind, at_s), lost_s, back_s in zip(course.faults, course.lost_s, course.back_s, strict=True):
            reported.append(lost_s - at_s)
            back.append(back_s - at_s - kind.lasts_s)
    counts = [course.source.state.counts for course in courses]
    exact = all(
        each.produced == each.delivered + each.dropped and each.delivered == course.taken
        for each, course in zip(counts, courses, strict=True)
    )
    print(f"{count} faults: {', '.join(kind.name for kind in KINDS)}; {len(courses)} sources at once")
    print(
        f"{'reported after, median and worst':<46}{_middle(reported):6.2f} {max(reported):6.2f} s (limit {REPORTED_S:g})"
    )
    print(f"{'back after its end, median and worst':<46}{_middle(back):6.2f} {max(back):6.2f} s (limit {BACK_S:g})")
    print(f"{'log lines':<46}{lines.count:6d} (limit {2 * count})")
    print(f"{'descriptors, threads, children: before':<46}{before}")
    print(f"{'  while live at first, and after all faults':<46}{live} {at_end}")
    print(f"{'  after closing':<46}{after}")
    print(f"{'frames produced = delivered + dropped':<46}{exact}")
    good = max(reported) < REPORTED_S and max(back) < BACK_S and lines.count <= 2 * count
    return good and exact and before == after and live == at_end


def frames(count: int) -> bool:
    """Prints what a long run costs; False where frames are lost from the books or memory grows."""
    warm, numbers, last = 0.0, 0, -1
    with CameraWorker(f"synthetic?size=320x240&fps=0&frames={count}") as source:
        child = 0
        began = time.monotonic()
        while source.state.phase is not Phase.ENDED:
            frame = source.newest(1.0)
            if frame is None:
                continue
            number = number_in(frame.image)
            assert number == frame.index > last, f"frame {frame.index} carries {number} and follows {last}"
            numbers, last = numbers + 1, frame.index
            if not warm and last > count // 10:
                warm, child = rss_mb(), _children()
        took_s = time.monotonic() - began
        grown, children = rss_mb() - warm, _children()
    counts = source.state.counts
    exact = counts.produced == count == counts.delivered + counts.dropped and counts.delivered == numbers
    print(f"{count} frames of 320 × 240 as fast as they come: {took_s:.1f} s, {count / took_s:.0f} frames/s")
    print(f"{'produced, delivered, dropped':<46}{counts.produced} {counts.delivered} {counts.dropped}, exact: {exact}")
    print(f"{'memory grown after the first tenth':<46}{grown:6.2f} MB (limit {GROWTH_MB:g})")
    return exact and grown < GROWTH_MB and children <= child


def held() -> tuple[int, int, int]:
    """Descriptors, threads and children of this process."""
    return len(os.listdir("/proc/self/fd")), threading.active_count(), _children()


def rss_mb() -> float:
    """Memory of this process in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) * 1024 / 1e6


def _children() -> int:
    return sum(len(path.read_text().split()) for path in Path("/proc/self/task").glob("*/children"))


def _course(numbers: range) -> Course:
    at_s, faults = FIRST_S, []
    for number in numbers:
        kind = KINDS[number % len(KINDS)]
        faults.append((kind, at_s))
        at_s += kind.cycle_s
    script = ",".join(kind.text(at_s) for kind, at_s in faults)
    return Course(CameraWorker(f"synthetic?size=160x120&fps=30&fault={script}"), faults)


def _middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


if __name__ == "__main__":
    raise SystemExit(run_script("endurance_cameras", main))
