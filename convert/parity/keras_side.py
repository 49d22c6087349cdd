"""A side that is a Keras model: the original that conversions are held against."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.graph import Graph
from convert.parity.answers import ModelFacts
from convert.parity.sides import About, Advance, ModelSide, Options, input_facts, read_model
from convert.quiet import quiet_tensorflow
from convert.source import keras_facts, read_keras, versions
from convert.tflite import convert
from convert.training import illumination_beside, labels_beside

__all__ = ["KerasSide", "keras_macs"]

_CHUNK = 64
"""Faces at once: activations of a wide net at 96 px stay under 200 MB."""


class KerasSide(ModelSide):
    """A .keras file. Labels and illumination come from the run card beside it, where there is one.

    Raises:
        SourceError, SideError: no model of the form that this project saves.
    """

    own_thread = False

    def __init__(self, place: str, name: str, options: Options) -> None:
        path = Path(place)
        self._model = read_keras(path)
        facts = keras_facts(self._model, name)
        labels = labels_beside(path)
        content, sha256 = read_model(path)
        shape = (None, facts.size, facts.size, facts.channels)
        self.about = About(
            name,
            "keras",
            input_facts(name, shape, illumination_beside(path) or options.illumination),
            facts.classes,
            None if labels is None else labels.names,
            ModelFacts(sha256, len(content), "float32", keras_macs(self._model), None, versions()),
        )

    def probabilities(self, pixels: NDArray[np.uint8], advance: Advance) -> NDArray[np.float32]:
        answers = np.empty((len(pixels), self.about.classes), np.float32)
        for at in range(0, len(pixels), _CHUNK):
            chunk = pixels[at : at + _CHUNK]
            # The last chunk is filled up: another batch size would be traced anew.
            filled = chunk if at == 0 else np.resize(chunk, (_CHUNK, *chunk.shape[1:]))
            # Each batch by itself: a progress bar shares the descriptor that is kept quiet.
            with quiet_tensorflow():
                answers[at : at + len(chunk)] = self._model.predict_on_batch(filled.astype(np.float32))[: len(chunk)]
            advance(len(chunk))
        return answers

    def one_input(self) -> Callable[[NDArray[np.uint8]], object]:
        import tensorflow as tf

        shape = (1, self.about.input.size, self.about.input.size, self.about.input.channels)
        model = self._model
        with quiet_tensorflow():
            traced = tf.function(lambda face: model(face, training=False)).get_concrete_function(
                tf.TensorSpec(shape, tf.float32)
            )
        return lambda face: traced(tf.constant(face, tf.float32)).numpy()

    def as_float32(self) -> tuple[bytes, Graph]:
        """The same model as a float32 .tflite file, and its graph. Raises what `convert.tflite.convert` raises."""
        conversion = convert(self._model, "float32", None, self.about.name)
        return conversion.content, conversion.graph


def keras_macs(model: Any) -> int | None:
    """Multiply-accumulates for one face: each kernel's weights at each place of its layer's output."""
    macs = 0
    for layer in model._flatten_layers(include_self=False):
        weights = [weight.shape for weight in layer._trainable_variables + layer._non_trainable_variables]
        kernels = sum(math.prod(shape) for shape in weights if len(shape) > 1)
        if not kernels:
            continue
        try:
            places = layer.output.shape[1:-1]
        except (AttributeError, ValueError):
            return None
        if None in places:
            return None
        macs += kernels * math.prod(places)
    return macs or None
