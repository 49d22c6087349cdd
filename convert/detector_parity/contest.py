"""One run from its sides to its result: all of them look at the same frames, then measures and gate decide.

A candidate that cannot be compared is refused by itself, and the others are judged all the same; without the reference
there is nothing to judge.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from convert.detector.calibration import judged_frames_calibrated
from convert.detector_parity.gate import DetectorGate
from convert.detector_parity.measures import Seen
from convert.detector_parity.result import DetectorResult, measure_detectors
from convert.detector_parity.sides import FinderSide, open_finder
from convert.parity.contest import Entry, Progress
from convert.parity.errors import SideError
from convert.parity.latency import machine_name, measure_latencies, with_latency
from convert.parity.refused import Refusals
from edge_runtime.framesets import FrameSet
from edge_runtime.version import __version__

__all__ = ["DetectorContest", "DetectorFinding", "run_detector_contest"]


@dataclass(frozen=True)
class DetectorContest:
    """What is to be compared.

    Attributes:
        reference, candidates: the sides.
        frames: that all of them look at.
        gate: that judges.
        threads: that a net computes with while it does.
        latency_runs: for the median latency of each side, at least `latency.ROUNDS`; 0 measures none.
    """

    reference: Entry
    candidates: tuple[Entry, ...]
    frames: FrameSet
    gate: DetectorGate
    threads: int
    latency_runs: int


@dataclass(frozen=True)
class DetectorFinding:
    """What came of it: the measures and the verdict, and what each side found."""

    result: DetectorResult
    reference: Seen
    candidates: tuple[Seen, ...]


def run_detector_contest(
    contest: DetectorContest, progress: Progress, refuse: Callable[[str], object]
) -> DetectorFinding | None:
    """Compares all sides.

    Args:
        contest: what is to be compared.
        progress: told how many frames were looked at.
        refuse: told, in one line, why a candidate is refused.

    Returns:
        What came of it; None where every candidate was refused.

    Raises:
        ConvertError, FerEdgeError: the reference or the frames cannot be used.
    """
    refusals = Refusals(refuse)

    def opened(entry: Entry) -> FinderSide:
        side = open_finder(entry.place, entry.name, contest.threads)
        _check_calibration(side, contest.frames)
        return side

    def seen(side: FinderSide) -> Seen:
        about = side.about
        found = side.find(contest.frames, progress(about.name, len(contest.frames)))
        return Seen(about.name, about.kind, about.net, about.facts, found)

    first = opened(contest.reference)
    entries = contest.candidates
    others = refusals.survivors([entry.name for entry in entries], lambda place: opened(entries[place]))
    if not others:
        return None
    one = seen(first)
    looked = refusals.survivors([side.about.name for side in others], lambda place: seen(others[place]))
    if not looked:
        return None
    names = {each.name for each in looked}
    sides = [first, *(side for side in others if side.about.name in names)]
    timed = _timed(sides, [one, *looked], contest)
    result = measure_detectors(timed[0], timed[1:], contest.frames, contest.gate, _environment(contest), refusals.all)
    return DetectorFinding(result, timed[0], tuple(timed[1:]))


def _check_calibration(side: FinderSide, frames: FrameSet) -> None:
    """Raises SideError for a net whose ranges were set by people and places that it would be judged on."""
    table = side.about.calibration
    if table is not None and judged_frames_calibrated(table, frames, side.about.net):
        raise SideError(
            f"{side.about.name}: its {table.get('count')} calibration frames and those of {frames.source}, {frames.split},"
            " show the same people and places",
            "frames that took no part in its conversion, which would flatter it",
            "judge it on frames of `python -m train scenes draw --split held-out`",
        )


def _timed(sides: Sequence[FinderSide], seen: Sequence[Seen], contest: DetectorContest) -> list[Seen]:
    """What was seen, with what one frame takes each side on this machine."""
    if not contest.latency_runs:
        return list(seen)
    machine = machine_name()
    taken = measure_latencies(sides, [side.first(contest.frames) for side in sides], contest.latency_runs)
    return [
        Seen(each.name, each.kind, each.net, with_latency(each.facts, latency, machine), each.found)
        for each, latency in zip(seen, taken, strict=True)
    ]


def _environment(contest: DetectorContest) -> dict[str, str]:
    environment = {
        "fer-edge": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "system": f"{platform.system()} {platform.release()}",
        "machine": machine_name(),
        "threads": str(contest.threads),
    }
    if contest.latency_runs:
        environment["latency"] = (
            f"median of {contest.latency_runs} runs of one frame, net and decoding, one thread, sides in turns"
        )
    return environment
