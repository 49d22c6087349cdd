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
from train.models.face_detector import STRIDES, VALUES

__all__ = ["SavedDetector", "carry_detector", "load_detector"]

MODEL = "model.keras"


def load_detector(path: Path) -> keras.Model:
    """A saved detector, of a run folder or a .keras file: pixels to scores 0..1, distances and landmarks, level by level.

    Raises:
        ModelError: missing, damaged, or no detector.
    """
    file = path / MODEL if path.is_dir() else path
    if not file.is_file():
        raise ModelError(
            f"{file}, which is no file", f"a saved detector or a run folder with {MODEL}", "check the path"
        )
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
    """Copies a saved detector's weights into `net`, whatever size of picture it reads, and says so in a line.

    Raises:
        ModelError: missing, damaged, or a net of other options or channels.
    """
    if weights == "none":
        return ""
    source = load_detector(Path(weights).expanduser())
    found, wanted = ([tuple(one.shape) for one in model.weights] for model in (source, net))
    if found != wanted:
        raise ModelError(
            f"{weights}: {len(found)} weight arrays of {source.count_params()} numbers",
            f"{len(wanted)} of {net.count_params()}, as the recipe's net has",
            "use the recipe that it was trained with, with as many channels",
        )
    net.set_weights(source.get_weights())
    return f"{len(wanted)} weight arrays carried over from {weights}"


class SavedDetector:
    """A saved detector that looks at pictures of any size, as a board does. Raises ModelError."""

    def __init__(self, path: Path) -> None:
        self._model = in_one_table(load_detector(path))
        self._height, self._width, self._channels = self._model.input_shape[1:]

    def find(self, picture: NDArray[np.uint8], threshold: float = JUDGED_FROM) -> Found:
        """Faces of a BGR picture (H, W, 3), the surest first, in its pixels."""
        pixels, scale = letterbox(picture, self._width, self._height, self._channels)
        return found_in(self._model, [pixels], threshold, logits=False)[0].scaled(scale)
