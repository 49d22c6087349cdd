"""`python -m convert parity` on frames with known faces: what a conversion cost a face detector."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from convert.commands.comparing import JUNIT, REPORT, SUMMARY, answering, report_folder
from convert.commands.options import latency_runs, refuse_options, thread_count
from convert.detector_parity.contest import DetectorContest, DetectorFinding, run_detector_contest
from convert.detector_parity.gate import read_detector_gate
from convert.detector_parity.markdown import to_markdown
from convert.detector_parity.page import write_detector_page
from convert.detector_parity.result import DetectorResult
from convert.detector_parity.terminal import to_text
from convert.parity.contest import Entry
from convert.parity.junit import Suite, suites_to_junit
from convert.parity.sides import side_names
from edge_runtime.files import write_whole
from edge_runtime.framesets import FrameSet, read_frame_set
from edge_runtime.running import WRONG_USE

__all__ = ["run"]

_OF_CLASSIFIERS = dict.fromkeys(("split", "votes", "label_set", "illumination"))


def run(arguments: argparse.Namespace) -> int:
    """Returns 0 passed, 1 a line of the gate failed, 2 something could not be judged or was refused."""
    refuse_options(arguments, _OF_CLASSIFIERS, f"the frames of {arguments.data}")
    places = [arguments.reference, *arguments.candidate]
    entries = [Entry(place, name) for place, name in zip(places, side_names(places), strict=True)]
    gate = read_detector_gate(arguments.gate)
    threads, runs = thread_count(arguments.threads), latency_runs(arguments.latency_runs)
    folder = report_folder(arguments.report)
    frames = read_frame_set(arguments.data)
    contest = DetectorContest(entries[0], tuple(entries[1:]), frames, gate, threads, runs)
    finding = run_detector_contest(
        contest,
        lambda name, count: answering(name, count, "frame"),
        lambda line: print(f"convert: {line}", file=sys.stderr),
    )
    if finding is None:
        return WRONG_USE
    page = _write(folder, finding, frames)
    print(to_text(finding.result))
    print(f"report: {page}")
    return finding.result.exit_code


def _write(folder: Path, finding: DetectorFinding, frames: FrameSet) -> Path:
    """All files of the report; the one to open first is returned."""
    result = finding.result
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / REPORT, result.to_json())
    write_whole(folder / SUMMARY, to_markdown(result).encode())
    write_whole(folder / JUNIT, suites_to_junit(_suites(result), result.refused))
    return write_detector_page(folder, finding, frames)


def _suites(result: DetectorResult) -> list[Suite]:
    facts = {
        "reference": result.reference.name,
        "reference sha256": result.reference.facts.sha256,
        "data": f"{result.data.source} {result.data.split}",
        "data sha256": result.data.sha256,
        "frames": str(result.data.frames),
        "faces": str(result.data.faces),
        "gate": result.gate.name,
        "gate sha256": result.gate.sha256,
    }
    return [
        Suite(
            judged.name,
            judged.verdict.lines,
            {**facts, "candidate sha256": judged.comparison.candidate.facts.sha256},
        )
        for judged in result.candidates
    ]
