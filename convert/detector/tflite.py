"""Keras to TFLite for a detector: uint8 pixels in, and for each level scores, boxes and landmarks out.

The outputs stay apart, so that each has a scale of its own in an int8 file; and they stay int8 where pixels are uint8: nine
operators fewer, and the runtime reads the scales anyway.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from convert.calibration import Calibration
from convert.detector.check import DETECTOR_KINDS, check_detector
from convert.detector.source import KerasDetector
from convert.detector.trial import made_up_pictures, try_detector
from convert.errors import GraphError, SourceError, UsageError
from convert.graph import read_operators
from convert.recipe import Recipe
from convert.tflite import Conversion, by_tensorflow
from edge_runtime.detectors.net import DetectorNet
from edge_runtime.errors import InterpreterError

__all__ = ["check_detector_kind", "convert_detector"]


def check_detector_kind(kind: str) -> None:
    """Raises UsageError for a kind of arithmetic that detectors are not converted to."""
    if kind not in DETECTOR_KINDS:
        raise UsageError(
            f"--kind {kind} for a face detector", f"one of {', '.join(DETECTOR_KINDS)}", "choose int8 for a board"
        )


def convert_detector(model: Any, recipe: Recipe, calibration: Calibration | None, where: str = "model") -> Conversion:
    """Converts a Keras detector; the result has passed `check_detector` and a trial on made-up frames.

    Args:
        model: as `python -m train fit --recipe face_detector` saves it.
        recipe: of one of DETECTOR_KINDS.
        calibration: frames of the model's own size and channels; None where the recipe's kind needs none.
        where: the model's name, for messages.

    Raises:
        UsageError: a recipe of another kind.
        SourceError: a model of another form, or whose scores are no shares.
        GraphError: the converter refuses it, LiteRT refuses its result, or that breaks a static fact.
        TrialError: the result answers with NaN, always the same, or (float32, float16) otherwise than Keras.
    """
    check_detector_kind(recipe.kind)
    if recipe.calibrated != (calibration is not None):
        raise ValueError(f"kind {recipe.kind!r} with{'out' if calibration is None else ''} calibration")
    original = KerasDetector(model, where)
    facts = original.facts
    pixels = None if calibration is None else calibration.pixels
    if pixels is not None and pixels.shape[1:] != facts.shape:
        raise ValueError(f"calibration {pixels.shape} for {facts}")
    pictures = made_up_pictures(facts)
    answers = original.answer(pictures)
    if not np.isfinite(answers).all() or answers[..., 0].min() < 0 or answers[..., 0].max() > 1:
        raise SourceError(
            f"{where}: scores from {answers[..., 0].min():.3g} to {answers[..., 0].max():.3g}",
            "scores from 0 to 1, and lengths that are numbers",
            "let the scores leave a sigmoid; train it again if they are NaN",
        )
    content = by_tensorflow(model, (1, *facts.shape), recipe, pixels, where, "int8")
    graph = read_operators(content, where)
    check_detector(graph, recipe.kind, facts, where, recipe.io)
    try:
        net = DetectorNet(content, facts.shape, facts.strides, name=where)
    except InterpreterError as error:
        raise GraphError(error.received, "a model that LiteRT runs", "take another kind") from error
    trial = try_detector(answers, np.stack([net.answer(picture) for picture in pictures]), recipe.kind, where)
    return Conversion(content, graph, (), trial)
