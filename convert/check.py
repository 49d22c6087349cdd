"""Static facts that a converted model must satisfy before anything is measured on it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from convert.errors import BudgetError, GraphError
from convert.graph import Graph, Node, Tensor
from convert.kinds import KINDS, kind_named

__all__ = [
    "KINDS",
    "WEIGHTED",
    "check_budget",
    "check_dynamic",
    "check_fixed",
    "check_float_ends",
    "check_graph",
    "check_integers",
    "check_operators",
    "check_scale",
    "check_unquantized",
]

WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")
"""The operators that hold a net's weights."""

_FLOATS = ("float16", "bfloat16", "float32", "float64")
_AGAIN = "convert it again with `python -m convert tflite`"


def check_graph(
    graph: Graph, kind: str, classes: int, where: str, io: str = "uint8", kept: Collection[str] = ()
) -> None:
    """Checks that a model keeps the contract of its kind.

    All kinds: pixels (1, S, S, C) in as `io`, (1, classes) out, fixed shapes, built-in operators only; probabilities leave
    as float32, but for int8.
    "float32": nothing is quantized. "float16": weights are float16, nothing is quantized. "dynamic": some weights are
    int8, no activation is. "int8": no float tensor anywhere; pixels enter as they are (scale 1), probabilities leave in
    steps of 1/256. "int16x8": each operator with weights has them in int8 and reads and gives int16. "mixed": each
    operator with weights reads and gives int8, but for those in `kept`, which read and give float32; there are both.

    Args:
        graph: of the model.
        kind: one of KINDS.
        classes: how many labels there are.
        where: the model's name, for messages.
        io: "uint8" or, for int8 alone, "int8"; a bundle's is uint8.
        kept: names of the tensors that a mixed model's recipe keeps in float32.

    Raises:
        GraphError: the first fact that does not hold, with the tensor or operator at fault.
        UsageError: no such kind.
    """
    kind_named(kind)
    check_operators(graph, where)
    check_fixed(graph, where)
    _check_shapes(graph, classes, where, io)
    match kind:
        case "int8":
            _check_int8(graph, where, io)
        case "int16x8":
            check_float_ends(graph.input, (graph.output,), where, "probabilities")
            _check_weighted(graph, where, "int16", ())
        case "mixed":
            check_float_ends(graph.input, (graph.output,), where, "probabilities")
            _check_kept(graph, where, kept)
            _check_weighted(graph, where, "int8", kept)
        case "dynamic":
            check_float_ends(graph.input, (graph.output,), where, "probabilities")
            check_dynamic(graph, where)
        case _:
            check_float_ends(graph.input, (graph.output,), where, "probabilities")
            check_unquantized(graph, where, kind)


def check_budget(size_bytes: int, most_bytes: int | None, where: str) -> None:
    """Checks the size of a model file. Raises BudgetError where it is larger than `most_bytes`; None allows any size."""
    if most_bytes is not None and size_bytes > most_bytes:
        raise BudgetError(
            f"{where}: {size_bytes} bytes",
            f"at most {most_bytes}",
            "train a narrower model or allow more with --most-bytes",
        )


def check_operators(graph: Graph, where: str) -> None:
    """Refuses custom operators. Raises GraphError, as all of these checks do."""
    custom = [name for name in graph.operators if name.endswith("(custom)")]
    if custom:
        raise GraphError(
            f"{where}: operator {custom[0]}",
            "built-in TFLite operators only",
            "replace that layer by one that TFLite has: boards run no others",
        )


def check_fixed(graph: Graph, where: str) -> None:
    """Refuses shapes that are open."""
    for tensor in graph.tensors:
        if any(side < 0 for side in tensor.signature):
            raise GraphError(f"{where}: tensor {tensor.name!r} of shape {tensor.signature}", "fixed shapes", _AGAIN)


def _check_shapes(graph: Graph, classes: int, where: str, io: str) -> None:
    shape = graph.input.shape
    if graph.input.dtype != io or len(shape) != 4 or shape[0] != 1 or shape[1] != shape[2] or shape[3] not in (1, 3):
        raise GraphError(
            f"{where}: input {graph.input.dtype} {shape}",
            f"{io} (1, size, size, channels), 1 or 3 channels",
            f"{_AGAIN}, with --io {io} for an int8 model",
        )
    if graph.output.shape != (1, classes):
        raise GraphError(
            f"{where}: output of shape {graph.output.shape}",
            f"(1, {classes}), one probability for each of {classes} labels",
            "name the label set that the model was trained with",
        )


def check_integers(graph: Graph, where: str) -> None:
    """Refuses float tensors, of an int8 model."""
    for tensor in graph.tensors:
        if tensor.dtype in _FLOATS:
            raise GraphError(
                f"{where}: tensor {tensor.name!r} is {tensor.dtype}",
                "integers in every tensor of an int8 model",
                "find the layer of that name: TFLite has no integer form of it",
            )


def check_scale(tensor: Tensor, what: str, expected: tuple[str, float, int], where: str, last: str) -> None:
    """Refuses an end of an int8 model with other than the `expected` dtype, scale and zero point.

    `what` names the tensor and `last` says what gives the answers, for the message.
    """
    if (tensor.dtype, tensor.scale, tensor.zero_point) != expected:
        dtype, scale, zero_point = expected
        raise GraphError(
            f"{where}: {what} {tensor.dtype} with scale {tensor.scale:.6g}, zero point {tensor.zero_point}",
            f"{dtype} with scale {scale:.6g}, zero point {zero_point}",
            f"pixels must enter from 0 to 255 and {last}",
        )


def _check_int8(graph: Graph, where: str, io: str) -> None:
    check_integers(graph, where)
    zero_point = 0 if io == "uint8" else -128
    for what, tensor, scale in (("input", graph.input, 1.0), ("output", graph.output, 1 / 256)):
        check_scale(tensor, what, (io, scale, zero_point), where, "a softmax must be the last layer")


def check_float_ends(read: Tensor, given: Sequence[Tensor], where: str, answers: str = "answers") -> None:
    """Refuses quantized pixels, and answers other than float32; `answers` is their name in the message."""
    for tensor in given:
        if tensor.dtype != "float32" or tensor.scale or read.scale:
            raise GraphError(
                f"{where}: output {tensor.dtype}{', quantized' if tensor.scale else ''}",
                f"float32 {answers}, and pixels that are not quantized",
                _AGAIN,
            )


def check_unquantized(graph: Graph, where: str, kind: str) -> None:
    """float32 and float16. Scalars and vectors of a float16 model may be float32: they weigh nothing."""
    for tensor in graph.tensors:
        if tensor.scale:
            raise GraphError(
                f"{where}: tensor {tensor.name!r} is {tensor.dtype}, quantized", f"{kind} throughout", _AGAIN
            )
        wrong = {"float32": ("float16", "bfloat16", "float64"), "float16": ("bfloat16", "float64")}[kind]
        heavy = kind == "float16" and tensor.constant and tensor.dtype == "float32" and len(tensor.shape) > 1
        if tensor.dtype in wrong or heavy:
            raise GraphError(
                f"{where}: {'weight' if tensor.constant else 'tensor'} {tensor.name!r} is {tensor.dtype}",
                f"{kind} weights",
                _AGAIN,
            )
    if kind == "float16" and not any(tensor.dtype == "float16" for tensor in graph.tensors):
        raise GraphError(f"{where}: no float16 tensor", "float16 weights", _AGAIN)


def check_dynamic(graph: Graph, where: str) -> None:
    """Weights of a dynamic model are int8, its activations are not."""
    for tensor in graph.tensors:
        if tensor.scale and not tensor.constant:
            raise GraphError(
                f"{where}: activation {tensor.name!r} is {tensor.dtype}", "float32 activations, int8 weights", _AGAIN
            )
    if not any(tensor.dtype == "int8" for tensor in graph.tensors):
        raise GraphError(
            f"{where}: no int8 weight",
            "some weight of 1,024 values or more: the converter leaves smaller ones in float32",
            "take another kind: this net is too small to gain from dynamic",
        )


def _check_weighted(graph: Graph, where: str, dtype: str, kept: Collection[str]) -> None:
    weighted = [node for node in graph.nodes if node.operator in WEIGHTED and not _is_kept(graph, node, kept)]
    if not weighted:
        raise GraphError(
            f"{where}: no operator with weights computes in {dtype}",
            f"at least one of {', '.join(WEIGHTED)}",
            "keep fewer layers in float32, or take float32",
        )
    for node in weighted:
        for tensor, wanted in _roles(graph, node, dtype):
            if tensor.dtype != wanted:
                raise GraphError(
                    f"{where}: {node.operator} {_shown(graph, node)}: tensor {tensor.name!r} is {tensor.dtype}",
                    wanted,
                    "find the layer of that name: the quantizer has no integer form of it",
                )


def _roles(graph: Graph, node: Node, dtype: str) -> Iterator[tuple[Tensor, str]]:
    """Weights are int8 in either kind; what flows is `dtype`. Biases are wider integers, and are not looked at."""
    inputs = [graph.tensors[place] for place in node.inputs]
    for tensor in inputs:
        if not tensor.constant:
            yield tensor, dtype
        elif len(tensor.shape) > 1:
            yield tensor, "int8"
    for place in node.outputs:
        yield graph.tensors[place], dtype


def _check_kept(graph: Graph, where: str, kept: Collection[str]) -> None:
    floats = {tensor.name for tensor in graph.tensors if tensor.dtype == "float32"}
    for name in kept:
        if name not in floats:
            raise GraphError(
                f"{where}: no float32 tensor {name!r}", "every tensor that the recipe keeps, in float32", _AGAIN
            )


def _is_kept(graph: Graph, node: Node, kept: Collection[str]) -> bool:
    return any(graph.tensors[place].name in kept for place in node.outputs)


def _shown(graph: Graph, node: Node) -> str:
    return repr(graph.tensors[node.outputs[0]].name)
