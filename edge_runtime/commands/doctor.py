"""`fer-edge doctor`: what this installation has, and the mend for each problem."""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass

import cv2

from devices.board import Board, read_board
from edge_runtime.bundle import read_bundle
from edge_runtime.classifier import Classifier
from edge_runtime.detectors import open_detector
from edge_runtime.errors import FerEdgeError
from edge_runtime.golden import check
from edge_runtime.illumination import NO_ILLUMINATION
from edge_runtime.interpreter import find_implementation
from edge_runtime.pipeline import DEFAULT_BUNDLE, DEFAULT_DETECTOR
from edge_runtime.version import __version__

__all__ = ["Finding", "run"]


@dataclass(frozen=True)
class Finding:
    """One thing looked at; `mend` is empty where nothing is wrong."""

    subject: str
    found: str
    mend: str = ""


def run(arguments: argparse.Namespace) -> int:
    """Returns 0 where all is well, 1 where there is a problem."""
    board = read_board()
    findings = [
        Finding("fer-edge", f"{__version__}, Python {platform.python_version()}"),
        *_board(board),
        _guarded("interpreter", _interpreter),
    ]
    findings += [_opencv(), *_model(arguments, board), _guarded("detector", lambda: _detector(arguments))]
    problems = [finding for finding in findings if finding.mend]
    if arguments.json:
        print(json.dumps({"healthy": not problems, "findings": [asdict(finding) for finding in findings]}, indent=2))
    else:
        for finding in findings:
            print(f"{'PROBLEM' if finding.mend else 'ok':<8}{finding.subject:<12} {finding.found}")
            if finding.mend:
                print(f"{'':<21}mend: {finding.mend}")
        print(f"\n{len(problems)} problem{'s' * (len(problems) != 1)} found" if problems else "\nall is well")
    return 1 if problems else 0


def _guarded(subject: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except FerEdgeError as error:
        return Finding(subject, error.received, error.mend)


def _board(board: Board) -> list[Finding]:
    memory = "" if board.memory_mb is None else f", {board.memory_mb} MiB"
    temperature = "" if board.temperature_c is None else f", {board.temperature_c:.0f} °C"
    findings = [Finding("board", f"{board.model}, {board.machine}, {board.cores} cores{memory}{temperature}")]
    if board.throttling:
        findings.append(
            Finding(
                "power",
                f"throttled now or since start: {', '.join(board.throttling)}",
                "use the board's own power supply and a heat sink or fan",
            )
        )
    return findings


def _interpreter() -> Finding:
    implementation = find_implementation()
    return Finding("interpreter", f"{implementation.package} {implementation.version}")


def _opencv() -> Finding:
    major = int(cv2.__version__.partition(".")[0])
    mend = "" if major == 4 else 'pip install "opencv-python-headless>=4.10,<5"'
    return Finding("OpenCV", cv2.__version__, mend)


def _model(arguments: argparse.Namespace, board: Board) -> list[Finding]:
    try:
        classifier = Classifier(read_bundle(arguments.bundle or DEFAULT_BUNDLE), arguments.threads)
        verdict = check(classifier.bundle, classifier.model)
    except FerEdgeError as error:
        return [Finding("bundle", error.received, error.mend)]
    bundle, model = classifier.bundle, classifier.model
    delegated = model.delegated()
    words = {True: "on", False: "off", None: "not known"}[delegated]
    slow = "" if delegated else "pip install ai-edge-litert, whose XNNPACK kernels are several times faster"
    light = "" if bundle.input.illumination == NO_ILLUMINATION else f", {bundle.input.illumination}"
    many = f"use --threads {board.cores} or less" if model.threads > board.cores else ""
    return [
        Finding(
            "bundle",
            f"{bundle.name} {bundle.sha256[:12]}, {len(bundle.labels)} labels, {bundle.input.size} px{light}, {len(bundle.model) / 1e6:.2f} MB",
        ),
        Finding("XNNPACK", words, slow),
        Finding("threads", f"{model.threads} of {board.cores} cores", many),
        Finding(
            "self-test",
            verdict.message,
            "" if verdict.passed else "fer-edge bundle verify, then reinstall fer-edge and ai-edge-litert",
        ),
    ]


def _detector(arguments: argparse.Namespace) -> Finding:
    detector = open_detector(arguments.detector or DEFAULT_DETECTOR)
    return Finding("detector", f"{detector.name}; {'no landmarks' if detector.name == 'haar' else 'five landmarks'}")
