"""`fer-edge doctor`: what this installation has, and the mend for each problem."""

from __future__ import annotations

import argparse
import ctypes
import importlib.util
import json
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass

import cv2

from devices.accelerators.edgetpu import EDGETPU_LIBRARY
from devices.attached import attached_tpus, has_ribbon_camera, ribbon_cameras, video_cameras
from devices.board import Board, read_board
from devices.cameras.pi import why_missing
from devices.errors import CameraSetupError
from edge_runtime.bundle import read_bundle
from edge_runtime.classifier import Classifier
from edge_runtime.detectors import DEFAULT_DETECTOR, open_detector
from edge_runtime.detectors.tflite import TFLiteDetector
from edge_runtime.errors import FerEdgeError
from edge_runtime.golden import check
from edge_runtime.illumination import NO_ILLUMINATION
from edge_runtime.interpreter import find_implementation
from edge_runtime.members import DEFAULT_BUNDLE
from edge_runtime.version import __version__

__all__ = ["Finding", "run"]


@dataclass(frozen=True)
class Finding:
    """One thing looked at.

    Attributes:
        subject: what.
        found: how it is.
        mend: what to do about it; empty where nothing is wrong.
        hint: what to do for something that is not there and that pictures and videos do without.
    """

    subject: str
    found: str
    mend: str = ""
    hint: str = ""


def run(arguments: argparse.Namespace) -> int:
    """Returns 0 where all is well, 1 where there is a problem."""
    board = read_board()
    findings = [
        Finding("fer-edge", f"{__version__}, Python {platform.python_version()}"),
        *_board(board),
        _guarded("interpreter", _interpreter),
    ]
    findings += [_opencv(), *_model(arguments, board), _guarded("detector", lambda: _detector(arguments))]
    findings += [*_cameras(board), *_accelerators()]
    problems = [finding for finding in findings if finding.mend]
    if arguments.json:
        print(json.dumps({"healthy": not problems, "findings": [asdict(finding) for finding in findings]}, indent=2))
    else:
        for finding in findings:
            print(f"{'PROBLEM' if finding.mend else 'ok':<8}{finding.subject:<12} {finding.found}")
            if finding.mend:
                print(f"{'':<21}mend: {finding.mend}")
            if finding.hint:
                print(f"{'':<21}hint: {finding.hint}")
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
    governor = "" if board.governor is None else f", governor {board.governor}"
    findings = [Finding("board", f"{board.model}, {board.machine}, {board.cores} cores{memory}{temperature}{governor}")]
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
    if not isinstance(detector, TFLiteDetector):
        return Finding(
            "detector", f"{detector.name}; {'no landmarks' if detector.name == 'haar' else 'five landmarks'}"
        )
    bundle, verdict = detector.bundle, detector.selftest()
    size = f"{detector.facts.width} × {detector.facts.height} px"
    return Finding(
        "detector",
        f"{bundle.name} {bundle.sha256[:12]}, {size}, five landmarks; {verdict.message}",
        "" if verdict.passed else "fer-edge selftest, then reinstall fer-edge and ai-edge-litert",
    )


def _cameras(board: Board) -> list[Finding]:
    """Every camera that is attached, and what is in the way of using it."""
    findings = [
        Finding(
            "camera", f"{camera.source}: {camera.name}{f', {camera.trouble}' if camera.trouble else ''}", camera.mend
        )
        for camera in video_cameras()
    ]
    wanted = has_ribbon_camera() or board.model.startswith("Raspberry Pi")
    if wanted or importlib.util.find_spec("picamera2") is not None:
        try:
            findings += [Finding("camera", f"{camera.source}: {camera.name}") for camera in ribbon_cameras()]
        except CameraSetupError as error:
            # Without a receiver for the ribbon cable it is no problem: a USB camera needs no picamera2.
            needed = has_ribbon_camera()
            findings.append(
                Finding("picamera2", error.received, error.mend if needed else "", "" if needed else why_missing())
            )
    if not any(finding.subject == "camera" for finding in findings):
        findings.append(
            Finding(
                "camera",
                "none found",
                hint="plug in a USB camera, or seat the ribbon cable with the board switched off",
            )
        )
    return findings


def _accelerators() -> list[Finding]:
    """Every Edge TPU that is attached, and the library that it needs."""
    tpus = attached_tpus()
    if not tpus:
        return [Finding("accelerator", "none found, the CPU runs the models", hint="a Coral Edge TPU on USB or PCIe")]
    findings, seen = [], {"usb": 0, "pci": 0}
    for tpu in tpus:
        trouble = f", {tpu.trouble}" if tpu.trouble else ""
        findings.append(
            Finding("accelerator", f"edgetpu:{tpu.kind}:{seen[tpu.kind]} at {tpu.place}{trouble}", tpu.mend)
        )
        seen[tpu.kind] += 1
    try:
        ctypes.CDLL(EDGETPU_LIBRARY)
    except OSError:
        findings.append(
            Finding("edgetpu", f"no {EDGETPU_LIBRARY}", "install libedgetpu1-std from Coral's Debian repository")
        )
    return findings
