"""Keras to TFLite: one saved model becomes a .tflite file with uint8 pixels in and probabilities out.

The Rescaling layer stays in the graph, as two operators whose numbers are mended (`convert.grey_levels`) and which the Edge TPU
runs. Folding it into the first convolution would change the borders, where padding adds zeros after the scaling. Dense layers
of int8 become convolutions over one pixel (`convert.dense`).

    conversion = convert(read_keras(path), "int8", calibration)
    conversion.content    # the file's bytes, after its static facts were checked and its answers tried
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.calibration import Calibration
from convert.check import check_graph
from convert.dense import dense_as_convolutions
from convert.errors import GraphError
from convert.flatbuffer import rewritten
from convert.graph import Graph, read_graph
from convert.grey_levels import keep_grey_levels
from convert.quantizer import Ranges, before_weights, kept_tensors, measure_ranges, quantized
from convert.quiet import quiet_tensorflow
from convert.recipe import Recipe, list_recipes, read_recipe
from convert.source import KerasFacts, check_probabilities, keras_facts, read_keras, versions
from convert.trial import TOLERANCES, Trial, judge, keras_answers, made_up_pictures, tflite_answers
from edge_runtime.errors import InterpreterError

__all__ = [
    "Conversion",
    "KerasFacts",
    "by_tensorflow",
    "checked",
    "convert",
    "convert_model",
    "float32_form",
    "keras_facts",
    "layer_names",
    "leaf_names",
    "packages",
    "ranges_of",
    "read_keras",
    "selected",
    "versions",
]


@dataclass(frozen=True)
class Conversion:
    """A converted model.

    Attributes:
        content: the bytes of the .tflite file.
        graph: what is in it.
        kept: names of the tensors that a mixed model keeps in float32.
        trial: its answers for made-up pictures beside Keras'.
    """

    content: bytes
    graph: Graph
    kept: tuple[str, ...]
    trial: Trial


def convert(model: Any, recipe: Recipe | str, calibration: Calibration | None, where: str = "model") -> Conversion:
    """Converts a Keras model; the result has passed `check_graph` and a trial on made-up pictures.

    Args:
        model: pixels 0..255, float32 (None, S, S, C), to probabilities (None, classes).
        recipe: a recipe, or the name of a shipped one.
        calibration: faces of the model's own size and channels; None where the recipe's kind needs none.
        where: the model's name, for messages.

    Raises:
        SourceError: a model that is not of that form, or whose outputs are no probabilities.
        RecipeError: a recipe that names layers or operators which the model does not have.
        GraphError: the converter refuses it, LiteRT refuses its result, or that breaks a static fact.
        TrialError: the result answers with NaN, always the same, or (float32, float16) otherwise than Keras.
    """
    recipe = _recipe(recipe)
    if recipe.calibrated != (calibration is not None):
        raise ValueError(f"kind {recipe.kind!r} with{'out' if calibration is None else ''} calibration")
    facts = keras_facts(model, where)
    pixels = None if calibration is None else calibration.pixels
    if pixels is not None and pixels.shape[1:] != (facts.size, facts.size, facts.channels):
        raise ValueError(f"calibration {pixels.shape} for {facts}")
    check_probabilities(model, facts, where)
    kept: tuple[str, ...] = ()
    if recipe.kind in ("mixed", "int16x8"):
        assert pixels is not None
        content, kept = _selected(model, facts, recipe, pixels, where)
    else:
        content = by_tensorflow(model, facts.shape, recipe, pixels, where)
    return checked(model, facts, content, recipe.kind, where, recipe.io, kept)


def checked(
    model: Any, facts: KerasFacts, content: bytes, kind: str, where: str, io: str = "uint8", kept: tuple[str, ...] = ()
) -> Conversion:
    """A converted file after `check_graph` and its trial on made-up pictures beside the Keras model.

    Args:
        model, facts: what was converted.
        content: the file's bytes.
        kind, io, kept: see `check_graph`.
        where: the model's name, for messages.

    Raises:
        GraphError, TrialError: see `convert`.
    """
    graph = read_graph(content, where)
    check_graph(graph, kind, facts.classes, where, io, kept)
    pictures = made_up_pictures(facts.size, facts.channels)
    try:
        answers = tflite_answers(content, pictures, where)
    except InterpreterError as error:
        raise GraphError(
            error.received,
            "a model that LiteRT runs",
            "take another kind, or keep the layer that it names in float32 with a mixed recipe",
        ) from error
    trial = judge(keras_answers(model, pictures), answers, where, TOLERANCES.get(kind))
    return Conversion(content, graph, kept, trial)


def convert_model(model: Any, recipe: Recipe | str, calibration: Calibration | None, where: str = "model") -> bytes:
    """The bytes alone of `convert`."""
    return convert(model, recipe, calibration, where).content


def packages(recipe: Recipe) -> tuple[str, ...]:
    """The packages besides TensorFlow and Keras that convert by this recipe."""
    return ("ai-edge-litert", *(("ai-edge-quantizer",) if recipe.kind in ("mixed", "int16x8") else ()))


def layer_names(model: Any) -> set[str]:
    """The names of all layers of a Keras model, those inside of nested models too."""

    return {name for name, _ in _walk(model.layers)}


def leaf_names(model: Any) -> set[str]:
    """Of `layer_names`, those of layers that hold no others: a nested model's is not among them."""
    return {name for name, leaf in _walk(model.layers) if leaf}


def _walk(layers: Any) -> Iterator[tuple[str, bool]]:
    for layer in layers:
        inner = getattr(layer, "layers", ())
        yield str(layer.name), not inner
        yield from _walk(inner)


def _recipe(recipe: Recipe | str) -> Recipe:
    if isinstance(recipe, Recipe):
        return recipe
    if recipe not in list_recipes():
        raise ValueError(f"recipe {recipe!r}, but only {', '.join(list_recipes())} are shipped")
    return read_recipe(recipe)


def _selected(
    model: Any, facts: KerasFacts, recipe: Recipe, pixels: NDArray[np.uint8], where: str
) -> tuple[bytes, tuple[str, ...]]:
    """mixed and int16x8: the float32 form, quantized but for some operators."""
    float32 = float32_form(model, facts, where)
    graph = read_graph(float32, where)
    kept: tuple[str, ...] = ()
    if recipe.kind == "mixed":
        kept = kept_tensors(graph, recipe.keep_layers, recipe.keep_operators, layer_names(model), recipe.name)
    bits, floats = (8, kept) if recipe.kind == "mixed" else (16, before_weights(graph))
    return selected(float32, ranges_of(float32, pixels, where), bits, floats, where), kept


def float32_form(model: Any, facts: KerasFacts, where: str) -> bytes:
    """The float32 file of a model, from which every mixed one is made. Raises GraphError where the converter refuses it."""
    return by_tensorflow(model, facts.shape, Recipe("float32", "float32", ""), None, where)


def ranges_of(float32: bytes, pixels: NDArray[np.uint8], where: str) -> Ranges:
    """`measure_ranges`; what ai-edge-quantizer raises becomes a GraphError."""
    with _by_quantizer(where):
        return measure_ranges(float32, pixels)


def selected(float32: bytes, ranges: Ranges, bits: int, floats: Iterable[str], where: str) -> bytes:
    """`quantized`; what ai-edge-quantizer raises becomes a GraphError."""
    with _by_quantizer(where):
        return quantized(float32, ranges, bits, floats)


@contextlib.contextmanager
def _by_quantizer(where: str) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError:
        raise
    except Exception as error:  # the quantizer raises what its parts raise
        raise _refused(where, "ai-edge-quantizer", error) from error


def by_tensorflow(
    model: Any,
    shape: tuple[int, ...],
    recipe: Recipe,
    pixels: NDArray[np.uint8] | None,
    where: str,
    answers: str | None = None,
) -> bytes:
    """By TensorFlow's converter, batch size 1. Float kinds cast their uint8 pixels in the graph; int8 takes them as they are.

    Args:
        model: that answers float32 pixels of `shape` (1, H, W, C).
        recipe: of the conversion, and `where` the model's name for messages.
        pixels: uint8 (N, H, W, C) that calibrate, or None.
        answers: the dtype of an int8 model's outputs; None takes that of its pixels.

    Raises:
        GraphError: the converter refuses it.
    """
    try:
        with quiet_tensorflow():
            import keras
            import tensorflow as tf

            dtype = "float32" if recipe.kind == "int8" else "uint8"
            inputs = keras.Input(batch_shape=shape, dtype=dtype, name="pixels")
            outputs = model(keras.ops.cast(inputs, "float32"), training=False)
            converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(inputs, outputs, name="fer_edge"))
            if recipe.kind != "float32":
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
            if recipe.kind == "float16":
                converter.target_spec.supported_types = [tf.float16]
            if pixels is not None:
                converter.representative_dataset = lambda: ([face[None].astype(np.float32)] for face in pixels)
                converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
                converter.inference_input_type = tf.dtypes.as_dtype(recipe.io)
                converter.inference_output_type = tf.dtypes.as_dtype(answers or recipe.io)
            content = rewritten(bytes(converter.convert()), keep_grey_levels)
            return dense_as_convolutions(content) if recipe.dense == "convolution" else content
    except ModuleNotFoundError:
        raise
    except Exception as error:  # the converter raises what its parts raise
        raise _refused(where, "TensorFlow's converter", error) from error


def _refused(where: str, tool: str, error: Exception) -> GraphError:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return GraphError(
        f"{where}: {tool} refuses it ({reason[:200]})", "layers that TFLite has", "replace the layer that it names"
    )
