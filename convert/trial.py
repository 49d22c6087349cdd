"""A first look at a converted model: its answers for made-up pictures beside those of the model it was made from.

What parity measures on real faces comes later; this finds what is broken altogether before a file is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from convert.errors import TrialError
from convert.quiet import quiet_tensorflow

__all__ = ["TOLERANCES", "Trial", "judge", "keras_answers", "made_up_pictures", "tflite_answers"]

TOLERANCES = {"float32": 1e-4, "float16": 0.05}
"""Between a probability of a kind and Keras'. Other float32 kernels add in another order; float16 rounds weights to 11
bits, and clips those beyond 65,504. What integers may cost is for parity to judge, on faces."""

COUNT = 32
_MOVED = 0.05
"""Where the original moves no probability by more than this from picture to picture, a constant answer proves nothing."""


@dataclass(frozen=True)
class Trial:
    """How near a converted model is to its original on `count` made-up pictures.

    largest: of the differences between probabilities; agreement: the share of equal decisions.
    """

    count: int
    largest: float
    agreement: float


def made_up_pictures(size: int, channels: int, count: int = COUNT, seed: int = 7) -> NDArray[np.uint8]:
    """Patches of light and dark, of every brightness and contrast, uint8 (count, size, size, channels)."""
    random = np.random.default_rng(seed)
    pictures = []
    for _ in range(count):
        low, high = sorted(random.integers(0, 256, 2).tolist())
        patches = random.integers(low, high + 1, (6, 6, channels)).astype(np.uint8)
        pictures.append(cv2.resize(patches, (size, size), interpolation=cv2.INTER_LINEAR).reshape(size, size, channels))
    return np.stack(pictures)


def keras_answers(model: Any, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What a Keras model answers for uint8 pictures, in inference."""
    with quiet_tensorflow():
        return np.asarray(model(pictures.astype(np.float32), training=False), np.float32)


def tflite_answers(content: bytes, pictures: NDArray[np.uint8], where: str) -> NDArray[np.float32]:
    """What a .tflite file answers for uint8 pictures; an int8 input gets them less 128.

    Raises:
        InterpreterError: LiteRT refuses the model.
    """
    from edge_runtime.interpreter import Model

    model = Model(content, name=where)
    if model.input.dtype == "int8":
        stored = (pictures.astype(np.int16) - 128).astype(np.int8)
        return np.concatenate([model.dequantized(model.run(picture[None])) for picture in stored])
    return np.concatenate([model.dequantized(model.run(picture[None])) for picture in pictures])


def judge(
    original: NDArray[np.float32], converted: NDArray[np.float32], where: str, tolerance: float | None = None
) -> Trial:
    """Compares two models' answers for the same pictures, (N, classes) each.

    Args:
        tolerance: the largest difference that a probability may have; None judges only whether it answers at all.

    Raises:
        TrialError: another count of classes, answers that are no numbers or always the same, or beyond the tolerance.
    """
    if converted.shape != original.shape:
        raise TrialError(
            f"{where}: answers of shape {converted.shape}",
            f"{original.shape}, as the original gives",
            "convert it again",
        )
    broken = ~np.isfinite(converted).all(axis=1)
    if broken.any():
        raise TrialError(
            f"{where}: NaN or infinite answers for {int(broken.sum())} of {len(converted)} made-up pictures",
            "probabilities",
            "look for a layer whose values overflow in this arithmetic; float32 has the widest range",
        )
    if np.ptp(original, axis=0).max() > _MOVED and np.ptp(converted, axis=0).max() == 0:
        raise TrialError(
            f"{where}: the same answer for all of {len(converted)} made-up pictures",
            "answers that differ, as the original's do",
            "look at the calibration faces and at layers of extreme ranges; `mixed` can keep those in float32",
        )
    largest = float(np.abs(original - converted).max())
    if tolerance is not None and largest > tolerance:
        raise TrialError(
            f"{where}: a probability differs by {largest:.3g} from the original's",
            f"at most {tolerance:g}",
            "look for weights beyond what this arithmetic holds; if there are none, report this as a defect",
        )
    agreement = float((original.argmax(axis=1) == converted.argmax(axis=1)).mean())
    return Trial(len(original), round(largest, 8), round(agreement, 6))
