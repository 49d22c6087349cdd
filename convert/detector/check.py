"""Static facts that a converted detector must satisfy before anything is measured on it."""

from __future__ import annotations

from convert.check import check_dynamic, check_fixed, check_integers, check_operators, check_unquantized
from convert.detector.facts import NetFacts
from convert.errors import GraphError
from convert.graph import Graph, Tensor
from convert.kinds import kind_named
from edge_runtime.detectors.decode import output_places

__all__ = ["DETECTOR_KINDS", "MAPPED", "check_detector", "graph_facts"]

DETECTOR_KINDS = ("float32", "float16", "dynamic", "int8")
"""The kinds that a detector is converted to."""

MAPPED = frozenset(
    {"ADD", "CONV_2D", "DEPTHWISE_CONV_2D", "LOGISTIC", "MUL", "QUANTIZE", "RESIZE_NEAREST_NEIGHBOR", "SUB"}
)
"""The operators that an int8 detector may have. Coral's table lists all of them; QUANTIZE stands where pixels enter."""

_AGAIN = "convert it again with `python -m convert tflite`"


def graph_facts(graph: Graph, where: str) -> NetFacts:
    """What a .tflite file reads and answers. Raises GraphError where that is no detector's."""
    shapes = [tensor.shape for tensor in graph.outputs]
    try:
        return NetFacts.of(graph.input.shape, shapes)
    except ValueError as error:
        raise GraphError(f"{where}: input {graph.input.shape}, outputs {shapes}", str(error), _AGAIN) from error


def check_detector(graph: Graph, kind: str, facts: NetFacts, where: str, io: str = "uint8") -> None:
    """Checks that a model keeps the contract of its kind.

    All kinds: pixels in as `io`, fixed shapes, built-in operators, an output of scores, boxes and landmarks for each
    level. "int8": no float tensor and no operator beside MAPPED; pixels enter as they are (scale 1), scores leave in
    steps of 1/256, and each output is int8 with a scale of its own. The others answer in float32.

    Args:
        graph: of the model.
        kind: one of DETECTOR_KINDS.
        facts: of the model that it was made from.
        where: the model's name, for messages.
        io: "uint8" or, for int8 alone, "int8"; a bundle's is uint8.

    Raises:
        GraphError: the first fact that does not hold, with the tensor or operator at fault.
        UsageError: no such kind.
    """
    kind_named(kind)
    check_operators(graph, where)
    check_fixed(graph, where)
    found = graph_facts(graph, where)
    if found != facts or graph.input.dtype != io:
        raise GraphError(f"{where}: input {graph.input.dtype}, {found}", f"{io}, {facts}", _AGAIN)
    match kind:
        case "int8":
            check_integers(graph, where)
            _check_int8(graph, facts, where, io)
        case "dynamic":
            _check_float_outputs(graph, where)
            check_dynamic(graph, where)
        case "float32" | "float16":
            _check_float_outputs(graph, where)
            check_unquantized(graph, where, kind)
        case _:
            raise GraphError(f"{where}: a detector of kind {kind}", f"one of {', '.join(DETECTOR_KINDS)}", _AGAIN)


def _check_int8(graph: Graph, facts: NetFacts, where: str, io: str) -> None:
    others = sorted(set(graph.operators) - MAPPED)
    if others:
        raise GraphError(
            f"{where}: operator {others[0]}",
            f"those of the Edge TPU alone: {', '.join(sorted(MAPPED))}",
            "find the layer that became it, and build it of others",
        )
    _check_scale(graph.input, io, 1.0, 0 if io == "uint8" else -128, where)
    scores = [level[0] for level in output_places([tensor.shape for tensor in graph.outputs], facts.grid)]
    for place, tensor in enumerate(graph.outputs):
        if place in scores:
            _check_scale(tensor, "int8", 1 / 256, -128, where)
        elif tensor.dtype != "int8" or tensor.scale <= 0:
            raise GraphError(f"{where}: output {tensor.dtype}, scale {tensor.scale:g}", "int8 with a scale", _AGAIN)


def _check_scale(tensor: Tensor, dtype: str, scale: float, zero_point: int, where: str) -> None:
    if (tensor.dtype, tensor.scale, tensor.zero_point) != (dtype, scale, zero_point):
        raise GraphError(
            f"{where}: {tensor.name!r} {tensor.dtype} with scale {tensor.scale:.6g}, zero point {tensor.zero_point}",
            f"{dtype} with scale {scale:.6g}, zero point {zero_point}",
            "pixels must enter from 0 to 255, and scores leave a sigmoid",
        )


def _check_float_outputs(graph: Graph, where: str) -> None:
    for tensor in graph.outputs:
        if tensor.dtype != "float32" or tensor.scale or graph.input.scale:
            raise GraphError(
                f"{where}: output {tensor.name!r} {tensor.dtype}{', quantized' if tensor.scale else ''}",
                "float32 answers, and pixels that are not quantized",
                _AGAIN,
            )
