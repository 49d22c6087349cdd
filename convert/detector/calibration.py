"""Calibration frames: the sample from which the ranges of a quantized detector's tensors are measured.

They show people and places that the detector may learn from, and never those that it is judged on: ranges fitted to these
would flatter it. Which people and places a frame set shows is told by the hash of what it was drawn from, and its split.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.calibration import LEAST_COUNT, Calibration, check_training_split, full_range
from convert.detector.facts import NetFacts
from convert.errors import CalibrationError
from edge_runtime.detectors.letterbox import letterbox
from edge_runtime.framesets import FrameSet

__all__ = ["as_read", "choose_frames", "judged_frames_calibrated"]


def as_read(frames: FrameSet, facts: NetFacts, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Frames as a net reads them, uint8 (N, height, width, channels)."""
    size = facts.width, facts.height
    return np.stack([letterbox(frames.image(row), *size, facts.channels)[0] for row in rows.tolist()])


def choose_frames(
    frames: FrameSet, facts: NetFacts, count: int, seed: int, evaluation: FrameSet | None = None
) -> Calibration:
    """A seeded sample of training frames, scaled to the net's input. Frames of one single grey level are passed over.

    Args:
        frames: of the training split.
        facts: of the net.
        count: how many.
        seed: that chooses them.
        evaluation: frames that the detector is to be judged on.

    Raises:
        CalibrationError: frames of another split, too few of them, or people, places or pixels of `evaluation`.
    """
    check_training_split(frames.split, frames.source)
    if count < LEAST_COUNT:
        raise CalibrationError(f"count {count}", f"at least {LEAST_COUNT} calibration frames", "raise --count")
    if evaluation is not None:
        _check_apart(frames, evaluation)
    pixels = frames.frames.reshape(len(frames), -1)
    usable = np.flatnonzero(pixels.min(axis=1) < pixels.max(axis=1))
    if len(usable) < count:
        raise CalibrationError(
            f"{frames.source}: {len(usable)} usable frames of {len(frames)} (not of one single grey level)",
            f"at least {count}",
            "draw more with `python -m train scenes draw --split training`, or lower --count",
        )
    rows = np.sort(np.random.default_rng(seed).choice(usable, count, replace=False))
    chosen, darkest, brightest = full_range(as_read(frames, facts, rows))
    return Calibration(
        chosen,
        frames.source,
        frames.split,
        tuple(int(row) for row in rows),
        seed,
        darkest,
        brightest,
        hashlib.sha256(chosen.tobytes()).hexdigest(),
        compared=0 if evaluation is None else len(evaluation),
        drawn_from=frames.source_sha256,
    )


def judged_frames_calibrated(table: Mapping[str, Any], frames: FrameSet, facts: NetFacts) -> bool:
    """Whether a net would be judged on people and places, or on the very pixels, that set its ranges.

    Args:
        table: of `Calibration.as_table`, as a card or a manifest keeps it.
        frames: to judge on.
        facts: of the net.
    """
    if table.get("drawn_from") == frames.source_sha256 and str(table.get("split")) == frames.split:
        return True
    rows, sha256 = table.get("rows"), table.get("sha256")
    if not isinstance(rows, str) or not rows or not all(row.isdecimal() for row in rows.split()):
        return False
    numbers = np.array([int(row) for row in rows.split()])
    if numbers.max() >= len(frames):
        return False
    pixels, _, _ = full_range(as_read(frames, facts, numbers))
    return hashlib.sha256(pixels.tobytes()).hexdigest() == sha256


def _check_apart(frames: FrameSet, evaluation: FrameSet) -> None:
    mend = "draw the frames to judge on with --split held-out"
    if (frames.source_sha256, frames.split) == (evaluation.source_sha256, evaluation.split):
        raise CalibrationError(
            f"{frames.source}: calibration and evaluation frames of one source and split, {frames.split}",
            "other people and places on each side",
            mend,
        )
    judged = set(evaluation.frame_hashes())
    both = [row for row, key in enumerate(frames.frame_hashes()) if key in judged]
    if both:
        raise CalibrationError(
            f"{frames.source}: {len(both)} of {len(frames)} calibration frames are evaluation frames, the first is {both[0]}",
            "no picture on both sides",
            mend,
        )
