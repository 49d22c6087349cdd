"""Selective quantization of a float32 .tflite file by ai-edge-quantizer: what TensorFlow's converter cannot do well.

For `mixed`: the converter's own way is its debugger, which converts the whole Keras model for each list of layers, with
float32 pixels at its ends. Here the model is converted once, its ranges are measured once for
every list. For `int16x8`: the converter refuses the CAST from uint8 pixels, and so a bundle's input.

    ranges = measure_ranges(float32, calibration.pixels)
    content = quantized(float32, ranges, 8, kept)
"""

from __future__ import annotations

import difflib
import fnmatch
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.check import WEIGHTED
from convert.errors import RecipeError
from convert.flatbuffer import rewritten
from convert.graph import Graph, Node
from convert.grey_levels import keep_grey_levels
from convert.quiet import quiet_tensorflow

__all__ = ["Ranges", "before_weights", "kept_tensors", "layers_in", "measure_ranges", "output_name", "quantized"]

Ranges = dict[str, Any]
"""Least and largest value of each tensor, by its name, as ai-edge-quantizer has them."""

_SIGNATURE = "serving_default"
_NUMBER = re.compile(r"_\d+$")


def measure_ranges(float32: bytes, pixels: NDArray[np.uint8], threads: int = 2) -> Ranges:
    """The range of each tensor over the calibration faces.

    Its own `Quantizer.calibrate` takes a moving average over batches, which misses the ends of the range: here the least
    and the largest value of all faces count. They go in one by one: a net that flattens has its batch size in the graph.

    Args:
        float32: a model with uint8 pixels in.
        pixels: uint8 (N, S, S, C).
        threads: of the interpreter.
    """
    with quiet_tensorflow():
        from ai_edge_quantizer import calibrator, recipe_manager
        from ai_edge_quantizer.utils import qsv_utils

        recipes = recipe_manager.RecipeManager()
        recipes.load_quantization_recipe(_quantizer(float32, 8, ()).get_quantization_recipe())
        meter = calibrator.Calibrator(float32, num_threads=threads, qsv_update_func=qsv_utils.min_max_update)
        meter.calibrate({_SIGNATURE: [{"pixels": face[None]} for face in pixels]}, recipes)
        return dict(meter.get_model_qsvs())


def quantized(float32: bytes, ranges: Ranges, bits: int, kept: Iterable[str]) -> bytes:
    """The model with int8 weights and activations of `bits`, but for the operators that give the tensors `kept`.

    Args:
        float32: as it went into `measure_ranges`.
        ranges: from there.
        bits: of activations, 8 or 16.
        kept: names of tensors whose operators stay in float32. The model's input and output always do.
    """
    with quiet_tensorflow():
        return rewritten(bytes(_quantizer(float32, bits, kept).quantize(ranges).quantized_model), keep_grey_levels)


def kept_tensors(
    graph: Graph, layers: Sequence[str], operators: Sequence[str], known: Collection[str], where: str
) -> tuple[str, ...]:
    """Names of the tensors that a recipe's layers and operators give in the float32 model, in the order of the net.

    Args:
        graph: of the float32 model; its tensors are named after the Keras layers.
        layers: names or shell patterns of Keras layers.
        operators: names of TFLite operators.
        known: the names of all Keras layers of the model.
        where: the recipe, for messages.

    Raises:
        RecipeError: a layer or operator that the model does not have, or a layer that is no operator of its own.
    """
    for name in operators:
        if name not in graph.operators:
            raise RecipeError(
                f"{where}: keep_operators {name!r}",
                f"operators of this model: {', '.join(sorted(graph.operators))}",
                _nearest(name, graph.operators),
            )
    layers_of = {place: layers_in(output_name(graph, node), known) for place, node in enumerate(graph.nodes)}
    found: set[int] = {place for place, node in enumerate(graph.nodes) if node.operator in operators}
    for pattern in layers:
        meant = {name for name in known if fnmatch.fnmatchcase(name, pattern)}
        if not meant:
            raise RecipeError(
                f"{where}: keep_layers {pattern!r}",
                f"layers of this model, {len(known)} of them",
                _nearest(pattern, known),
            )
        places = {place for place, names in layers_of.items() if names & meant}
        if not places:
            raise RecipeError(
                f"{where}: keep_layers {pattern!r}, a layer without an operator of its own",
                "a layer that computes when the model runs",
                "name the convolution or dense layer that it was folded into",
            )
        found |= places
    return tuple(output_name(graph, graph.nodes[place]) for place in sorted(found))


def before_weights(graph: Graph) -> tuple[str, ...]:
    """Names of the tensors before the first operator with weights: scaling of pixels, which int16 has no kernels for.

    LiteRT's int16 ADD takes no constant of another scale, and a CAST from uint8 has no int16 form.
    """
    names = []
    for node in graph.nodes:
        if node.operator in WEIGHTED:
            break
        names.append(output_name(graph, node))
    return tuple(names)


def _quantizer(float32: bytes, bits: int, kept: Iterable[str]) -> Any:
    from ai_edge_quantizer import qtyping, quantizer

    operations = qtyping.TFLOperationName
    made = quantizer.Quantizer(bytearray(float32))
    made.add_static_config(".*", operations.ALL_SUPPORTED, activation_num_bits=bits, weight_num_bits=8)
    for operation in (operations.INPUT, operations.OUTPUT):
        made.update_quantization_recipe(".*", operation, algorithm_key="no_quantize")
    for name in kept:
        # An operator's scope is the names of its outputs, each with a semicolon behind it.
        made.update_quantization_recipe(f"^{re.escape(name)};?$", operations.ALL_SUPPORTED, algorithm_key="no_quantize")
    return made


def output_name(graph: Graph, node: Node) -> str:
    """The name of the tensor that an operator gives."""
    return graph.tensors[node.outputs[0]].name


def layers_in(tensor: str, known: Collection[str]) -> set[str]:
    """The Keras layers that a tensor's name speaks of: "fer_edge_1/tiny_1/stem_1/Relu;…/stem_norm_1/add" has two.

    Tracing numbers each scope anew, "conv2d_3" to "conv2d_3_1"; whether it did is told by the first part of a path. The last
    part is the operation's own name and no layer's, though batch normalization's "add_1" looks like one.
    """
    found = set()
    for path in tensor.split(";"):
        parts = path.split("/")
        numbered = _NUMBER.search(parts[0]) is not None
        for part in parts[:-1]:
            shorter = _NUMBER.sub("", part)
            choices = (shorter, part) if numbered else (part, shorter)
            found |= {next((name for name in choices if name in known), "")}
    return found - {""}


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {near[0]!r}?" if near else "check the name"
