"""Static facts that a converted model must satisfy before anything is measured on it."""

from __future__ import annotations

from convert.errors import BudgetError, GraphError
from convert.graph import Graph

__all__ = ["KINDS", "check_budget", "check_graph"]

KINDS = ("int8", "float32")
_FLOATS = ("float16", "bfloat16", "float32", "float64")


def check_graph(graph: Graph, kind: str, classes: int, where: str) -> None:
    """Checks that a model keeps the contract of a bundle.

    Both kinds: uint8 pixels (1, S, S, C) in, (1, classes) out, fixed shapes, built-in operators only. "int8": no float
    tensor anywhere; pixels enter as they are (scale 1, zero point 0), probabilities leave as uint8 in steps of 1/256.
    "float32": probabilities leave as float32, and nothing is quantized.

    Args:
        graph: of the model.
        kind: "int8" or "float32".
        classes: how many labels there are.
        where: the model's name, for messages.

    Raises:
        GraphError: the first fact that does not hold, with the tensor or operator at fault.
    """
    again = "convert it again with `python -m convert tflite`"
    custom = [name for name in graph.operators if name.endswith("(custom)")]
    if custom:
        raise GraphError(
            f"{where}: operator {custom[0]}",
            "built-in TFLite operators only",
            "replace that layer by one that TFLite has: boards run no others",
        )
    for tensor in graph.tensors:
        if any(side < 0 for side in tensor.signature):
            raise GraphError(f"{where}: tensor {tensor.name!r} of shape {tensor.signature}", "fixed shapes", again)
    shape = graph.input.shape
    if (
        graph.input.dtype != "uint8"
        or len(shape) != 4
        or shape[0] != 1
        or shape[1] != shape[2]
        or shape[3] not in (1, 3)
    ):
        raise GraphError(
            f"{where}: input {graph.input.dtype} {shape}", "uint8 (1, size, size, channels), 1 or 3 channels", again
        )
    if graph.output.shape != (1, classes):
        raise GraphError(
            f"{where}: output of shape {graph.output.shape}",
            f"(1, {classes}), one probability for each of {classes} labels",
            "name the label set that the model was trained with",
        )
    _check_types(graph, kind, where, again)


def _check_types(graph: Graph, kind: str, where: str, again: str) -> None:
    if kind == "float32":
        if graph.output.dtype != "float32" or any(tensor.scale for tensor in graph.tensors):
            raise GraphError(f"{where}: output {graph.output.dtype}, quantized", "float32 throughout", again)
        return
    for tensor in graph.tensors:
        if tensor.dtype in _FLOATS:
            raise GraphError(
                f"{where}: tensor {tensor.name!r} is {tensor.dtype}",
                "integers in every tensor of an int8 model",
                "find the layer of that name: TFLite has no integer form of it",
            )
    for what, tensor, dtype, scale in (
        ("input", graph.input, "uint8", 1.0),
        ("output", graph.output, "uint8", 1 / 256),
    ):
        if (tensor.dtype, tensor.scale, tensor.zero_point) != (dtype, scale, 0):
            raise GraphError(
                f"{where}: {what} {tensor.dtype} with scale {tensor.scale:.6g}, zero point {tensor.zero_point}",
                f"{dtype} with scale {scale:.6g}, zero point 0",
                "pixels must enter from 0 to 255 and a softmax must be the last layer",
            )


def check_budget(size_bytes: int, most_bytes: int | None, where: str) -> None:
    """Checks the size of a model file. Raises BudgetError where it is larger than `most_bytes`; None allows any size."""
    if most_bytes is not None and size_bytes > most_bytes:
        raise BudgetError(
            f"{where}: {size_bytes} bytes",
            f"at most {most_bytes}",
            "train a narrower model or allow more with --most-bytes",
        )
