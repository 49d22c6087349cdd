"""Whether the choice of calibration faces decides what a model says: two disjoint sets must give two models that agree.

It costs a second conversion and some thousand answers of each model, a minute for MobileNetV2, and so is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from convert.calibration import Calibration, choose_calibration
from convert.errors import CalibrationError, StabilityError
from convert.recipe import Recipe
from convert.tflite import convert_model
from convert.trial import tflite_answers
from edge_runtime.facesets import FaceSet
from edge_runtime.illumination import normalize_all
from edge_runtime.preprocess import fit_face

__all__ = ["LEAST_AGREEMENT", "Stability", "measure_stability"]

LEAST_AGREEMENT = 0.97
"""Of the decisions for held-back faces: what the gate of parity asks of a quantized model and its original."""

MOST_FACES = 1000
LEAST_FACES = 50
"""Fewer held-back faces would tell agreement in steps of more than two points."""


@dataclass(frozen=True)
class Stability:
    """How well two models agree that differ in their calibration faces alone.

    agreement: the share of equal decisions; faces: how many training faces, in neither set, they were asked about.
    seed, sha256: of the other set.
    """

    agreement: float
    faces: int
    seed: int
    sha256: str


def measure_stability(
    model: Any, recipe: Recipe, faces: FaceSet, calibration: Calibration, content: bytes, where: str = "model"
) -> Stability:
    """Converts once more with as many other faces, and compares decisions on faces of neither set.

    Args:
        model: the Keras model.
        recipe: of the conversion; a calibrated kind.
        faces: the training faces that `calibration` was chosen from. The second model is thrown away, so that it
            does not matter where else they stand.
        calibration: the first set.
        content: the model that came from it.
        where: the model's name, for messages.

    Raises:
        CalibrationError: too few faces for two sets and LEAST_FACES to ask about.
        StabilityError: the models agree on less than LEAST_AGREEMENT of the held-back faces.
    """
    count, size, channels = len(calibration), calibration.pixels.shape[1], calibration.pixels.shape[3]
    rest = faces.where(~np.isin(faces.rows, calibration.rows) & (faces.labels >= 0))
    if len(rest) < count + LEAST_FACES:
        raise CalibrationError(
            f"{calibration.source}: {len(rest)} faces beside the {count} that calibrate",
            f"{count + LEAST_FACES}: a second set and {LEAST_FACES} faces to ask both models about",
            "name larger training data, lower --count or leave --stability out",
        )
    seed = calibration.seed + 1
    second = choose_calibration(rest, calibration.source, size, channels, count, seed, calibration.illumination)
    held = rest.where(~np.isin(rest.rows, second.rows))
    if len(held) > MOST_FACES:
        held = held.where(np.random.default_rng(seed).choice(len(held), MOST_FACES, replace=False))
    pixels = np.stack([fit_face(face, size, channels) for face in held.pixels])
    pixels = normalize_all(pixels, calibration.illumination)
    other = convert_model(model, recipe, second, where)
    first, again = (tflite_answers(one, pixels, where).argmax(axis=1) for one in (content, other))
    agreement = float((first == again).mean())
    if agreement < LEAST_AGREEMENT:
        raise StabilityError(
            f"{where}: two disjoint sets of {count} calibration faces give models that agree on {agreement:.1%} of "
            f"{len(held)} training faces",
            f"at least {LEAST_AGREEMENT:.0%}",
            "raise --count, or keep the worst layers in float32 with a mixed recipe",
        )
    return Stability(round(agreement, 6), len(held), seed, second.sha256)
