"""A detector that was trained before: read back, and taken as the beginning of another training."""

from __future__ import annotations

import zipfile
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from edge_runtime.detectors.decode import JUDGED_FROM, Found
from edge_runtime.detectors.letterbox import letterbox
from train.detection.trainee import found_in, in_one_table
from train.errors import ModelError
from train.files import check_model_file, model_at
from train.models.face_detector import STRIDES, VALUES

__all__ = ["SavedDetector", "carry_detector", "load_detector"]


def load_detector(path: Path) -> keras.Model:
    """A saved detector, of a run folder or a .keras file: pixels to scores 0..1, distances and landmarks, level by level.

    Raises:
        ModelError: missing, damaged, or no detector.
    """
    file = model_at(path)
    check_model_file(file)
    try:
        model: keras.Model = keras.models.load_model(file, compile=False)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, zipfile.BadZipFile) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise ModelError(f"{file}: {reason}", "an undamaged .keras file", "copy or train it again") from error
    found = [output.shape[-1] for output in model.outputs]
    if found != list(VALUES.values()) * len(STRIDES):
        raise ModelError(
            f"{file}: outputs of {found} values a cell",
            f"{len(VALUES)} for each of {len(STRIDES)} levels, as a detector has",
            "name a model that `python -m train fit --recipe face_detector` saved",
        )
    return model


def carry_detector(net: keras.Model, weights: str) -> str:
    """Copies a saved detector's weights into `net`, layer by layer, whatever size of picture it reads, and says so in a line.

    Layers are matched by name: the activation behind the saved scores puts its layers into another order.

    Raises:
        ModelError: missing, damaged, or a net of other options or channels.
    """
    if weights == "none":
        return ""
    source, own = _weighted(load_detector(Path(weights).expanduser())), _weighted(net)
    shapes = [
        {name: [tuple(one.shape) for one in layer.weights] for name, layer in each.items()} for each in (source, own)
    ]
    odd = next((name for name in {**shapes[1], **shapes[0]} if shapes[0].get(name) != shapes[1].get(name)), None)
    if odd is not None:
        found, expected = (each.get(odd, "no such layer") for each in shapes)
        raise ModelError(
            f"{weights}: layer {odd!r} with weights {found}",
            f"{expected}, as the recipe's net has it",
            "use the recipe that it was trained with, with as many channels",
        )
    for name, layer in own.items():
        layer.set_weights(source[name].get_weights())
    return f"weights of {len(own)} layers carried over from {weights}"


def _weighted(model: keras.Model) -> dict[str, keras.layers.Layer]:
    """The layers that have weights, by name."""
    return {layer.name: layer for layer in model.layers if layer.weights}


class SavedDetector:
    """A saved detector that looks at pictures of any size, as a board does. Raises ModelError."""

    def __init__(self, path: Path) -> None:
        self._model = in_one_table(load_detector(path))
        self._height, self._width, self._channels = self._model.input_shape[1:]

    def find(self, picture: NDArray[np.uint8], threshold: float = JUDGED_FROM) -> Found:
        """Faces of a BGR picture (H, W, 3), the surest first, in its pixels."""
        pixels, scale = letterbox(picture, self._width, self._height, self._channels)
        return found_in(self._model, [pixels], threshold, logits=False)[0].scaled(scale)
