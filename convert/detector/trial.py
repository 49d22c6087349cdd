"""A first look at a converted detector: its answers for made-up frames beside those of the model it was made from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from convert.detector.facts import NetFacts
from convert.errors import TrialError
from convert.trial import TOLERANCES, Trial, judge
from edge_runtime.detectors.letterbox import letterbox
from edge_runtime.golden import made_up_frames

__all__ = ["made_up_pictures", "try_detector"]

_LENGTHS = {"float32": 1e-2, "float16": 0.25}
"""Between a distance or landmark of a kind and Keras', in strides."""


def made_up_pictures(facts: NetFacts) -> NDArray[np.uint8]:
    """The golden test's frames, as the net reads them: uint8 (N, height, width, channels)."""
    frames, _ = made_up_frames()
    return np.stack([letterbox(frame, facts.width, facts.height, facts.channels)[0] for frame in frames])


def try_detector(original: NDArray[np.float32], converted: NDArray[np.float32], kind: str, where: str) -> Trial:
    """Compares what two nets say of every cell, (N, A, 15) each; the trial's figures are of the scores.

    Raises:
        TrialError: answers that are no numbers, scores that never move though the original's do, or float answers that
            are further off than other kernels explain.
    """
    trial = judge(original[..., 0], converted[..., 0], where, TOLERANCES.get(kind))
    if not np.isfinite(converted).all():
        raise TrialError(
            f"{where}: boxes or landmarks that are no numbers", "numbers", "look for a layer that overflows"
        )
    largest, allowed = float(np.abs(original - converted)[..., 1:].max()), _LENGTHS.get(kind)
    if allowed is not None and largest > allowed:
        raise TrialError(
            f"{where}: a length differs by {largest:.3g} strides from the original's",
            f"at most {allowed:g}",
            "look for weights beyond what this arithmetic holds; if there are none, report this as a defect",
        )
    return trial
