"""Keras to TFLite: one saved model becomes an int8 or a float32 .tflite file with uint8 pixels in and probabilities out.

The Rescaling layer stays in the graph as it is. Folding it into the first convolution would change the borders, where
padding adds zeros after the scaling.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.calibration import Calibration
from convert.check import KINDS, check_graph
from convert.errors import GraphError, SourceError
from convert.flatbuffer import rewritten
from convert.graph import read_graph
from convert.quiet import quiet_tensorflow

__all__ = ["KerasFacts", "convert_model", "keras_facts", "read_keras", "versions"]

_SUM_TOLERANCE = 1e-3


@dataclass(frozen=True)
class KerasFacts:
    """What a Keras model reads and answers: square pictures of `size` px with `channels`, and `classes` probabilities."""

    size: int
    channels: int
    classes: int


def versions() -> dict[str, str]:
    """The versions of the packages that convert."""
    import importlib.metadata

    with quiet_tensorflow():
        import keras
        import tensorflow as tf
    return {
        "tensorflow": str(tf.__version__),
        "keras": str(keras.__version__),
        "ai-edge-litert": importlib.metadata.version("ai-edge-litert"),
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


def keras_facts(model: Any, where: str) -> KerasFacts:
    """Checks that a model is of the kind that this project saves, and gives its sizes.

    Raises:
        SourceError: several inputs or outputs, another shape or dtype, or arithmetic in less than float32.
    """
    again = "save the model that goes from pixels 0..255 to softmax probabilities, in float32"
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
    lower = [layer.name for layer in model.layers if layer.compute_dtype != "float32"]
    if lower:
        raise SourceError(f"{where}: layer {lower[0]!r} computes in less than float32", "float32 layers", again)
    return KerasFacts(int(read[1]), int(read[3]), int(given[1]))


def convert_model(model: Any, kind: str, calibration: Calibration | None, where: str = "model") -> bytes:
    """Converts a Keras model; the result has passed `check_graph`.

    Args:
        model: pixels 0..255, float32 (None, S, S, C), to probabilities (None, classes).
        kind: "int8" (full integer; needs `calibration`) or "float32".
        calibration: faces of the model's own size and channels; None for float32.
        where: the model's name, for messages.

    Returns:
        The bytes of the .tflite file: uint8 (1, S, S, C) in; uint8 (int8) or float32 (1, classes) out.

    Raises:
        SourceError: a model that is not of that form, or whose outputs are no probabilities.
        GraphError: the converter refuses it, or its result breaks a static fact.
    """
    if kind not in KINDS or (kind == "int8") != (calibration is not None):
        raise ValueError(f"kind {kind!r} with{'out' if calibration is None else ''} calibration")
    facts = keras_facts(model, where)
    if calibration is not None and calibration.pixels.shape[1:] != (facts.size, facts.size, facts.channels):
        raise ValueError(f"calibration {calibration.pixels.shape} for {facts}")
    _check_probabilities(model, facts, where)
    try:
        with quiet_tensorflow():
            content = _converted(model, facts, None if calibration is None else calibration.pixels)
    except Exception as error:  # the converter raises what its parts raise
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise GraphError(
            f"{where}: TensorFlow's converter refuses it ({reason[:200]})",
            "layers that TFLite has",
            "replace the layer that it names",
        ) from error
    check_graph(read_graph(content, where), kind, facts.classes, where)
    return content


def _converted(model: Any, facts: KerasFacts, pixels: NDArray[np.uint8] | None) -> bytes:
    """Batch size 1 throughout. A float32 model casts its uint8 pixels in the graph; an int8 one takes them as they are."""
    import keras
    import tensorflow as tf

    shape = (1, facts.size, facts.size, facts.channels)
    inputs = keras.Input(batch_shape=shape, dtype="uint8" if pixels is None else "float32", name="pixels")
    outputs = model(keras.ops.cast(inputs, "float32"), training=False)
    converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(inputs, outputs, name="fer_edge"))
    if pixels is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([face[None].astype(np.float32)] for face in pixels)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.uint8
    return rewritten(bytes(converter.convert()))


def _check_probabilities(model: Any, facts: KerasFacts, where: str) -> None:
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
