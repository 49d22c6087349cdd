"""Static facts that a converted detector must satisfy before anything is measured on it."""

from __future__ import annotations

from convert.check import (
    check_dynamic,
    check_fixed,
    check_float_ends,
    check_integers,
    check_operators,
    check_scale,
    check_unquantized,
)
from convert.detector.facts import NetFacts
from convert.edgetpu import predict, read_rules
from convert.errors import GraphError
from convert.graph import Graph
from convert.kinds import kind_named
from edge_runtime.detectors.decode import output_places

__all__ = ["DETECTOR_KINDS", "check_detector", "graph_facts"]

DETECTOR_KINDS = ("float32", "float16", "dynamic", "int8")
"""The kinds that a detector is converted to."""

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
    level. "int8": no float tensor, and all operators on the Edge TPU as `convert.edgetpu` predicts; pixels enter as they are
    (scale 1), scores leave in steps of 1/256, and each output is int8 with a scale of its own. The others answer in float32.

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
            check_float_ends(graph.input, graph.outputs, where)
            check_dynamic(graph, where)
        case "float32" | "float16":
            check_float_ends(graph.input, graph.outputs, where)
            check_unquantized(graph, where, kind)
        case _:
            raise GraphError(f"{where}: a detector of kind {kind}", f"one of {', '.join(DETECTOR_KINDS)}", _AGAIN)


def _check_int8(graph: Graph, facts: NetFacts, where: str, io: str) -> None:
    first = predict(graph, read_rules()).first
    if first is not None:
        raise GraphError(
            f"{where}: operator {first.place}, {first.operator}, {first.reason}",
            "operators that the Edge TPU maps",
            first.mend,
        )
    last = "scores must leave a sigmoid"
    check_scale(graph.input, "input", (io, 1.0, 0 if io == "uint8" else -128), where, last)
    scores = [level[0] for level in output_places([tensor.shape for tensor in graph.outputs], facts.grid)]
    for place, tensor in enumerate(graph.outputs):
        if place in scores:
            check_scale(tensor, f"scores {tensor.name!r}", ("int8", 1 / 256, -128), where, last)
        elif tensor.dtype != "int8" or tensor.scale <= 0:
            raise GraphError(f"{where}: output {tensor.dtype}, scale {tensor.scale:g}", "int8 with a scale", _AGAIN)
