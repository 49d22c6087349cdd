"""`python -m convert parity --pictures`: the same pictures and videos through several bundles or detectors."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from convert.commands.comparing import report_folder
from convert.errors import UsageError
from convert.parity.errors import SideError
from convert.parity.gate import Gate, read_gate
from convert.parity.pipeline import OVERLAP, PipelineParity, Shot, compare_shots
from convert.parity.task import order_in
from convert.parity.verdict import Line, Outcome, judge_agreement, worst_outcome
from devices.cameras.video_file import VideoFile
from devices.errors import DeviceError
from edge_runtime.detectors import DEFAULT_DETECTOR
from edge_runtime.errors import FerEdgeError
from edge_runtime.files import write_whole
from edge_runtime.inputs import Input, find_inputs
from edge_runtime.pictures import read_picture
from edge_runtime.pipeline import Recognizer, load
from edge_runtime.running import WRONG_USE
from edge_runtime.tracker import Tracker

__all__ = ["run"]

REPORT, SUMMARY = "pipeline.json", "pipeline.md"
FORMAT = 1
_ALIKE = "the faces that either side found, found by both and named alike"


@dataclass
class _Side:
    """A pipeline, and what it has found so far."""

    name: str
    recognizer: Recognizer
    shots: list[Shot]


def run(arguments: argparse.Namespace) -> int:
    """Returns 0 where every candidate agrees as the gate asks, 1 where one does not, 2 where that cannot be judged."""
    gate = read_gate(arguments.gate)
    asked = gate.agreement
    if asked is None:
        raise UsageError(
            f'gate {gate.name}: agreement = "off"', "a least agreement: it is what pictures are judged by", "set it"
        )
    for option in ("split", "votes", "label_set"):
        if getattr(arguments, option) is not None:
            raise UsageError(
                f"--{option.replace('_', '-')} with --pictures", "--data, which has labels", "leave it out"
            )
    folder = report_folder(arguments.report)
    places = [arguments.reference, *arguments.candidate]
    sides = [_side(place, name, arguments.threads) for place, name in zip(places, _names(places), strict=True)]
    labels = sides[0].recognizer.classifier.labels
    for side in sides[1:]:
        order_in(labels, side.name, side.recognizer.classifier.labels.names)
    findings = find_inputs(arguments.pictures)
    problems = [str(problem) for problem in findings.problems]
    for item in tqdm(findings.inputs, unit="file", disable=None, leave=False):
        try:
            _watch(item, sides)
        except (FerEdgeError, DeviceError) as error:
            problems.append(str(error))
    for problem in problems:
        print(f"convert: {problem}", file=sys.stderr)
    if not sides[0].shots:
        return WRONG_USE
    compared = [compare_shots(sides[0].shots, side.shots) for side in sides[1:]]
    lines = [_judged(each, asked) for each in compared]
    text = "\n".join(_text(sides, compared, lines))
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / REPORT, _json(arguments.pictures, gate, sides, compared, lines, problems))
    write_whole(folder / SUMMARY, f"# Pipelines side by side\n\n```\n{text}\n```\n".encode())
    print(text)
    print(f"report: {folder / SUMMARY}")
    return worst_outcome([line.outcome for line in lines]).exit_code or (WRONG_USE if problems else 0)


def _names(places: Sequence[str]) -> list[str]:
    """The bundle's folder and the detector; all of a place where that is not enough. Raises SideError for one twice."""
    short = []
    for place in places:
        bundle, _, detector = place.partition("@")
        short.append(f"{Path(bundle).name}@{detector.partition(':')[0] or DEFAULT_DETECTOR}")
    names = [place if short.count(name) > 1 else name for place, name in zip(places, short, strict=True)]
    for name in names:
        if names.count(name) > 1:
            raise SideError(f"{name} as two sides", "each side once", "leave one of them out")
    return names


def _side(place: str, name: str, threads: int) -> _Side:
    bundle, _, detector = place.partition("@")
    return _Side(name, load(bundle, detector or DEFAULT_DETECTOR, threads), [])


def _watch(item: Input, sides: Sequence[_Side]) -> None:
    """One file through all sides, a frame at a time: where it breaks off, all of them have seen the same of it."""
    trackers = [Tracker() for _ in sides]
    for frame, image in _images(item):
        found = [side.recognizer(image) for side in sides]
        if item.kind == "video":
            found = [tracker.update(faces) for tracker, faces in zip(trackers, found, strict=True)]
        for side, faces in zip(sides, found, strict=True):
            side.shots.append(Shot(str(item.path), frame, tuple(faces)))


def _images(item: Input) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    if item.kind == "picture":
        yield 0, read_picture(item.path)
        return
    with VideoFile(item.path) as video:
        bar = tqdm(video, total=video.frame_count, unit="frame", desc=item.path.name, disable=None, leave=False)
        for frame in bar:
            yield frame.index, frame.image


def _judged(parity: PipelineParity, asked: float) -> Line:
    share = parity.agreement
    if share is None:
        text = f"agreement: could not be judged, no side found a face; at least {100 * asked:g} % asked"
        return Line("agreement", Outcome.NOT_JUDGED, None, asked, None, None, text)
    return judge_agreement(share, asked, _ALIKE)


def _text(sides: Sequence[_Side], compared: Sequence[PipelineParity], lines: Sequence[Line]) -> Iterator[str]:
    reference = sides[0]
    found = sum(len(shot.faces) for shot in reference.shots)
    yield f"pictures and frames: {len(reference.shots):,}; faces that {reference.name} found: {found:,}"
    for side, parity, line in zip(sides[1:], compared, lines, strict=True):
        yield ""
        yield f"{side.name}: {line.outcome.value}"
        if parity.mean_overlap is not None:
            yield (
                f"  {parity.matched:,} faces found by both (overlap {parity.mean_overlap:.3f} on average, at least"
                f" {parity.least_overlap:.3f}), {parity.alike:,} of them named alike"
            )
        yield f"  {parity.only_reference:,} only by the reference, {parity.only_candidate:,} only by the candidate"
        for track in parity.tracks:
            yield (
                f"  {Path(track.source).name}, face {track.track}: alike in {track.alike:,} of {track.frames:,} frames;"
                f" the label changes {track.reference_changes:,} times, the candidate's {track.candidate_changes:,}"
            )
        yield f"  {line.text}"


def _json(
    pictures: Sequence[Path],
    gate: Gate,
    sides: Sequence[_Side],
    compared: Sequence[PipelineParity],
    lines: Sequence[Line],
    problems: Sequence[str],
) -> bytes:
    def about(side: _Side) -> dict[str, Any]:
        bundle = side.recognizer.bundle
        return {"name": side.name, "bundle_sha256": bundle.sha256, "detector": side.recognizer.detector.name}

    table = {
        "format": FORMAT,
        "outcome": worst_outcome([line.outcome for line in lines]).value,
        "pictures": [path.name for path in pictures],
        "overlap": OVERLAP,
        "gate": {"name": gate.name, "sha256": gate.sha256, "agreement": gate.agreement},
        "reference": about(sides[0]),
        "candidates": [
            {"side": about(side), **parity.as_json(), "line": line.as_json()}
            for side, parity, line in zip(sides[1:], compared, lines, strict=True)
        ],
        "problems": list(problems),
    }
    return (json.dumps(table, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
