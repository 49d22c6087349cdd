"""`fer-edge bench --minutes N`: the live loop for minutes, measured by rules; INVALID where one is broken."""

from __future__ import annotations

import argparse
import json
import threading
from dataclasses import asdict

from devices.board import read_board
from edge_runtime.commands.run import stopped_by_signals
from edge_runtime.interpreter import find_implementation
from edge_runtime.live.single_stream import LEAST_FRAMES, LEAST_S, Measured, Warmth, measure
from edge_runtime.settings.config import Config, load_config
from edge_runtime.version import __version__

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Prints the table or JSON. Returns 0, or 1 for a run that breaks a rule."""
    flags = {
        "source.spec": arguments.source or "synthetic",
        "model.bundle": arguments.bundle,
        "model.threads": arguments.threads,
        "detector.spec": arguments.detector,
        "detector.alignment": arguments.align,
        "detector.detail": arguments.detail,
        "accelerator.spec": arguments.accelerator,
    }
    config = load_config(arguments.config, flags, tuple(arguments.set)).config
    stop = threading.Event()
    with stopped_by_signals(stop):
        measured = measure(config, arguments.minutes * 60, stop, arguments.seconds)
    print(json.dumps(_facts(config, measured), indent=2) if arguments.json else _table(config, measured))
    return 0 if measured.valid else 1


def _facts(config: Config, measured: Measured) -> dict[str, object]:
    board, implementation = read_board(), find_implementation()
    return {
        "fer_edge": __version__,
        "verdict": "VALID" if measured.valid else "INVALID",
        "broken": list(measured.broken),
        "board": board.model,
        "cores": board.cores,
        "governor": board.governor,
        "load_before": measured.load,
        "interpreter": f"{implementation.package} {implementation.version}",
        "source": config.source.spec,
        "bundle": config.model.bundle,
        "detector": config.detector.spec,
        "detect_every_frames": config.detector.every_frames,
        "scan_every_detections": config.detector.scan_every,
        "alignment": config.detector.alignment,
        "accelerator": config.accelerator.spec,
        "threads": config.model.threads,
        "frames": measured.frames,
        "seconds": round(measured.seconds, 1),
        "results_per_second": round(measured.frames / measured.seconds, 2) if measured.seconds else 0.0,
        "faces_per_frame": round(measured.faces_per_frame, 2),
        "dropped_for_a_newer": measured.summary.newer,
        "refused": measured.summary.refused,
        "searches": dict(measured.summary.searches),
        "stages": {stage: asdict(values) for stage, values in measured.stages.items()},
        "thermal": [asdict(moment) for moment in measured.warmth],
    }


def _table(config: Config, measured: Measured) -> str:
    board, implementation = read_board(), find_implementation()
    rate = measured.frames / measured.seconds if measured.seconds else 0.0
    load = "" if measured.load is None else f", load before {measured.load:.1f}"
    lines = [
        f"{board.model}, {board.cores} cores, governor {board.governor or 'not known'}{load}; "
        f"{implementation.package} {implementation.version}, {config.model.threads} thread(s), on {config.accelerator.spec}",
        f"{config.source.spec}; bundle {config.model.bundle}, detector {config.detector.spec} every "
        f"{config.detector.every_frames} frame(s), the whole frame in every {config.detector.scan_every}. search, "
        f"alignment {config.detector.alignment}; {measured.frames} frames in {measured.seconds:.1f} s, {rate:.1f} results/s, "
        f"{measured.faces_per_frame:.2f} faces a frame",
        "",
        f"{'stage':<10}{'p50 ms':>10}{'p90 ms':>10}{'p99 ms':>10}",
        *(
            f"{stage:<10}{values.p50_ms:>10.2f}{values.p90_ms:>10.2f}{values.p99_ms:>10.2f}"
            for stage, values in measured.stages.items()
        ),
        "",
        f"frames    {measured.summary.processed} processed, {measured.summary.newer} dropped for a newer one, "
        f"{measured.summary.refused} refused (warm-up included)",
        f"thermal   {_thermal(measured.warmth)}",
        "",
        f"VALID: {LEAST_FRAMES} frames and {LEAST_S:g} s at least, and no rule broken" if measured.valid else "INVALID",
        *(f"  {reason}" for reason in measured.broken),
    ]
    return "\n".join(lines)


def _thermal(warmth: tuple[Warmth, ...]) -> str:
    """From the first to the last look, and the highest; and what held the board back."""
    degrees = [moment.temperature_c for moment in warmth if moment.temperature_c is not None]
    reasons = sorted({reason for moment in warmth for reason in moment.throttling or ()})
    told = any(moment.throttling is not None for moment in warmth)
    held = ", ".join(reasons) if reasons else "not throttled" if told else "throttling not known here"
    if not degrees:
        return f"no sensor; {held}"
    return f"{degrees[0]:.0f} °C at first, {max(degrees):.0f} °C at most, {degrees[-1]:.0f} °C at last; {held}"
