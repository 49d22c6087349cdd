"""The Keras model that is converted: read, and checked to be of the form that this project saves."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from convert.errors import SourceError
from convert.quiet import quiet_tensorflow

__all__ = ["KerasFacts", "check_float32", "check_probabilities", "finds_faces", "keras_facts", "read_keras", "versions"]

_SUM_TOLERANCE = 1e-3


@dataclass(frozen=True)
class KerasFacts:
    """What a Keras model reads and answers: square pictures of `size` px with `channels`, and `classes` probabilities."""

    size: int
    channels: int
    classes: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one picture as a batch."""
        return 1, self.size, self.size, self.channels


def versions(*packages: str) -> dict[str, str]:
    """The versions of TensorFlow, Keras and of the `packages` that convert."""
    with quiet_tensorflow():
        import keras
        import tensorflow as tf
    return {
        "tensorflow": str(tf.__version__),
        "keras": str(keras.__version__),
        **{package: importlib.metadata.version(package) for package in packages},
    }


def read_keras(path: Path) -> Any:
    """Loads a model that Keras saved.

    Raises:
        SourceError: no such file, no Keras model, a layer that only its own code knows, or Keras without TensorFlow.
    """
    if not path.is_file():
        found = "a folder" if path.is_dir() else "no such file"
        raise SourceError(f"{path}: {found}", "a model that Keras saved (.keras)", "check the path")
    with quiet_tensorflow():
        import keras
    if keras.backend.backend() != "tensorflow":
        raise SourceError(
            f"Keras on {keras.backend.backend()}", "Keras on TensorFlow, which has the converter", "unset KERAS_BACKEND"
        )
    try:
        with quiet_tensorflow():
            return keras.models.load_model(path, compile=False)
    except Exception as error:  # Keras raises what its parts raise: zip, JSON, HDF5 and its own errors
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise SourceError(
            f"{path}: Keras cannot load it ({reason[:200]})",
            "a model of Keras' own layers, saved as .keras",
            "save it again with model.save; leave augmentation and other own layers out",
        ) from error


def finds_faces(shapes: Sequence[Sequence[int | None]]) -> bool:
    """Whether a model is a face detector, told by the shapes of its outputs: several, with values for each place of a grid."""
    return len(shapes) > 1 and all(len(shape) == 4 for shape in shapes)


def check_float32(model: Any, where: str) -> None:
    """Raises SourceError for a model that computes in less than float32."""
    lower = [layer.name for layer in model.layers if layer.compute_dtype != "float32"]
    if lower:
        raise SourceError(
            f"{where}: layer {lower[0]!r} computes in less than float32", "float32 layers", "save it in float32"
        )


def keras_facts(model: Any, where: str) -> KerasFacts:
    """Checks that a model is of the kind that this project saves, and gives its sizes.

    Raises:
        SourceError: several inputs or outputs, another shape or dtype, or arithmetic in less than float32.
    """
    again = "save the model that goes from pixels 0..255 to softmax probabilities, in float32"
    if finds_faces([tuple(output.shape) for output in model.outputs]):
        raise SourceError(
            f"{where}: a face detector",
            "a classifier of faces",
            "detectors go through `tflite`, `pack`, and `parity` with --data FRAMES.npz (docs/detector.md)",
        )
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise SourceError(f"{where}: {len(model.inputs)} inputs and {len(model.outputs)} outputs", "one of each", again)
    read, given = tuple(model.inputs[0].shape), tuple(model.outputs[0].shape)
    dtype = str(model.inputs[0].dtype)
    if len(read) != 4 or None in read[1:] or read[1] != read[2] or read[3] not in (1, 3) or dtype != "float32":
        raise SourceError(
            f"{where}: input {dtype} {read}", "float32 (None, size, size, channels), 1 or 3 channels", again
        )
    if len(given) != 2 or given[1] is None:
        raise SourceError(f"{where}: output {given}", "(None, classes)", again)
    check_float32(model, where)
    return KerasFacts(int(read[1]), int(read[3]), int(given[1]))


def check_probabilities(model: Any, facts: KerasFacts, where: str) -> None:
    """Checks on four made-up pictures that a model answers with probabilities. Raises SourceError where it does not."""
    shape = (4, facts.size, facts.size, facts.channels)
    made_up = np.random.default_rng(1).integers(0, 256, shape).astype(np.float32)
    with quiet_tensorflow():
        answers = np.asarray(model(made_up, training=False))
    if not (
        np.isfinite(answers).all() and answers.min() >= 0 and np.abs(answers.sum(axis=1) - 1).max() < _SUM_TOLERANCE
    ):
        raise SourceError(
            f"{where}: outputs such as {[round(float(value), 3) for value in answers[0][:3]]}",
            "probabilities from 0 to 1 with the sum 1",
            "let a softmax be the model's last layer",
        )
