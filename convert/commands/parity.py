"""`python -m convert parity`: what a conversion cost, on which faces, and whether the model may ship."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from convert.commands.comparing import JUNIT, REPORT, SUMMARY, answering, report_folder
from convert.commands.options import check_paths, latency_runs, thread_count
from convert.errors import UsageError
from convert.parity.contest import Contest, Entry, Finding, run_contest
from convert.parity.gate import read_gate
from convert.parity.junit import to_junit
from convert.parity.markdown import to_markdown
from convert.parity.page import write_page
from convert.parity.sides import Options, side_names
from convert.parity.task import Data
from convert.parity.terminal import to_text
from edge_runtime.files import write_whole
from edge_runtime.framesets import is_frame_set
from edge_runtime.illumination import NO_ILLUMINATION, check_illumination
from edge_runtime.labels import label_set
from edge_runtime.running import FAILED, WRONG_USE

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Returns 0 passed, 1 a line of the gate failed, 2 something could not be judged or was refused."""
    if arguments.pictures:
        from convert.commands import footage

        return footage.run(arguments)
    if is_frame_set(arguments.data):
        from convert.commands import parity_detectors

        return parity_detectors.run(arguments)
    if arguments.split is None:
        raise UsageError(
            f"--data {arguments.data} without --split", "the split to judge on, or 'all'", "add --split PublicTest"
        )
    check_paths(arguments.data)
    places = [arguments.reference, *arguments.candidate]
    entries = [Entry(place, name) for place, name in zip(places, side_names(places), strict=True)]
    contest = Contest(
        entries[0],
        tuple(entries[1:]),
        Data(arguments.data, arguments.split, arguments.votes),
        None if arguments.label_set is None else label_set(arguments.label_set),
        read_gate(arguments.gate),
        Options(check_illumination(arguments.illumination or NO_ILLUMINATION), thread_count(arguments.threads)),
        latency_runs(arguments.latency_runs),
        arguments.evidence,
    )
    folder = report_folder(arguments.report)
    finding = run_contest(contest, answering, lambda line: print(f"convert: {line}", file=sys.stderr))
    if finding is None:
        return WRONG_USE
    for problem in finding.task.faces.problems:
        print(f"convert: {arguments.data}: {problem}; left out", file=sys.stderr)
    page = _write(folder, finding)
    print(to_text(finding))
    print(f"report: {page}")
    if finding.result.exit_code == FAILED:
        print(f"likely causes: python -m convert explain {folder}")
    # Rows that could not be read were judged on no side: whoever asked for all of them must hear of it.
    return finding.result.exit_code or (WRONG_USE if finding.task.faces.problems else 0)


def _write(folder: Path, finding: Finding) -> Path:
    """All files of the report; the one to open first is returned."""
    result = finding.result
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / REPORT, result.to_json())
    write_whole(folder / SUMMARY, to_markdown(result).encode())
    write_whole(folder / JUNIT, to_junit(result))
    return write_page(folder, result, finding.task.faces, finding.reference, finding.candidates)
