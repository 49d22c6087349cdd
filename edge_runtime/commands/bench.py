"""`fer-edge bench`: how long each stage takes on this machine, warm, and what starting costs."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from devices.board import read_board
from devices.process import age_s, peak_rss_mb
from edge_runtime import DEMO_PICTURE
from edge_runtime.commands.opening import recognizer_of
from edge_runtime.errors import PictureError, UsageError
from edge_runtime.percentiles import Percentiles
from edge_runtime.pictures import decode_picture, read_picture
from edge_runtime.pipeline import Recognizer
from edge_runtime.version import __version__

__all__ = ["demo_frame", "run"]

LEAST_RUNS = 200
WARM_UP_RUNS = 20
FRAME_SIZE = (640, 480)


def demo_frame() -> NDArray[np.uint8]:
    """The demo's portrait in the middle of a grey frame of 640 × 480 px, BGR."""
    portrait = read_picture(DEMO_PICTURE)
    frame = np.full((FRAME_SIZE[1], FRAME_SIZE[0], 3), 128, np.uint8)
    height, width = portrait.shape[:2]
    top, left = (frame.shape[0] - height) // 2, (frame.shape[1] - width) // 2
    frame[top : top + height, left : left + width] = portrait
    return frame


def run(arguments: argparse.Namespace) -> int:
    """Prints the table or JSON and returns 0; a single stream that breaks a rule returns 1."""
    if arguments.minutes or arguments.seconds:
        from edge_runtime.commands.single_stream import run as run_single_stream

        return run_single_stream(arguments)
    if arguments.runs < LEAST_RUNS:
        raise UsageError(
            f"--runs {arguments.runs}", f"at least {LEAST_RUNS}, or p99 says nothing", f"--runs {LEAST_RUNS}"
        )
    began = time.perf_counter()
    recognizer = recognizer_of(arguments, detail=1)
    load_s = time.perf_counter() - began
    encoded, name = _picture(arguments.picture)
    image = decode_picture(encoded, name)
    faces = recognizer(image)
    first_result_s = age_s()
    stages = _measure(recognizer, encoded, name, arguments.runs)
    model = recognizer.classifier.model
    board = read_board()
    facts = {
        "fer_edge": __version__,
        "board": board.model,
        "cores": board.cores,
        "picture": name,
        "width": image.shape[1],
        "height": image.shape[0],
        "faces": len(faces),
        "bundle": recognizer.bundle.name,
        "bundle_sha256": recognizer.bundle.sha256,
        "detector": arguments.detector or recognizer.detector.name,
        "alignment": recognizer.alignment,
        "detail": recognizer.detail,
        "interpreter": f"{model.implementation.package} {model.implementation.version}",
        "xnnpack": model.delegated(),
        "threads": model.threads,
        "runs": arguments.runs,
        "load_ms": round(load_s * 1e3, 1),
        "first_result_ms": None if first_result_s is None else round(first_result_s * 1e3),
        "peak_rss_mb": round(peak_rss_mb(), 1),
        "stages": {stage: asdict(percentiles) for stage, percentiles in stages.items()},
    }
    print(json.dumps(facts, indent=2) if arguments.json else _table(facts, stages))
    return 0


def _picture(path: Path | None) -> tuple[bytes, str]:
    if path is None:
        _, encoded = cv2.imencode(".jpg", demo_frame())
        return encoded.tobytes(), "demo portrait"
    read_picture(path)
    try:
        return path.read_bytes(), str(path)
    except OSError as error:
        raise PictureError(f"{path}: {error.strerror}", "a readable picture", "check the path") from error


def _measure(recognizer: Recognizer, encoded: bytes, name: str, runs: int) -> dict[str, Percentiles]:
    seconds: dict[str, list[float]] = {stage: [] for stage in ("read", "detect", "crop", "classify", "total")}
    for index in range(WARM_UP_RUNS + runs):
        began = time.perf_counter()
        image = decode_picture(encoded, name)
        read = time.perf_counter()
        _, times = recognizer.timed(image)
        ended = time.perf_counter()
        if index < WARM_UP_RUNS:
            continue
        for stage, took in zip(
            seconds, (read - began, times.detect_s, times.crop_s, times.classify_s, ended - began), strict=True
        ):
            seconds[stage].append(took)
    return {stage: Percentiles.of(values) for stage, values in seconds.items()}


def _table(facts: dict[str, object], stages: dict[str, Percentiles]) -> str:
    first = f"{facts['first_result_ms']} ms" if facts["first_result_ms"] is not None else "not known here"
    xnnpack = {True: "on", False: "off", None: "not known"}[facts["xnnpack"]]  # type: ignore[index]
    lines = [
        f"{facts['board']}, {facts['cores']} cores; {facts['interpreter']}, XNNPACK {xnnpack}, {facts['threads']} thread(s)",
        f"{facts['picture']}, {facts['width']} × {facts['height']} px, {facts['faces']} face(s); bundle {facts['bundle']}, detector {facts['detector']}; {facts['runs']} warm runs",
        "",
        f"{'stage':<10}{'p50 ms':>10}{'p90 ms':>10}{'p99 ms':>10}",
        *(
            f"{stage:<10}{values.p50_ms:>10.2f}{values.p90_ms:>10.2f}{values.p99_ms:>10.2f}"
            for stage, values in stages.items()
        ),
        "",
        f"model and detector load  {facts['load_ms']} ms",
        f"first result             {first} after the start of the process",
        f"peak memory              {facts['peak_rss_mb']} MB",
    ]
    return "\n".join(lines)
