"""Where an int8 model has its logits, for the board to read them instead of the rounded softmax (`edge_runtime.logits`)."""

from __future__ import annotations

from typing import Any

from convert.flatbuffer import builtin_code
from edge_runtime.logits import LogitsPlace

__all__ = ["find_logits"]


def find_logits(content: bytes) -> LogitsPlace | None:
    """The place of the logits of a model that ends SOFTMAX, or SOFTMAX and QUANTIZE, in int8; None for any other.

    Args:
        content: of a model whose list of outputs is no operator's as well, as `convert.metadata` writes it.
    """
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(content, 0)
    subgraph = model.subgraphs[0]
    makers = {int(place): operator for operator in subgraph.operators for place in operator.outputs}
    given = [int(place) for place in subgraph.outputs]
    last = makers.get(given[0])
    if last is not None and _kind(model, last) == schema.BuiltinOperator.QUANTIZE:
        last = makers.get(int(last.inputs[0]))
    if len(given) != 1 or last is None or _kind(model, last) != schema.BuiltinOperator.SOFTMAX:
        return None
    tensor = int(last.inputs[0])
    if subgraph.tensors[tensor].type != schema.TensorType.INT8 or last.builtinOptions.beta != 1:
        return None
    table = schema.Model.GetRootAs(content, 0).Subgraphs(0)._tab
    offset = int(table.Vector(table.Offset(_OUTPUTS)))
    place = LogitsPlace(offset, given[0], tensor)
    changed = schema.ModelT.InitFromPackedBuf(place.answering(content), 0).subgraphs[0]
    shared = any(
        list(ours.outputs) != list(theirs.outputs)
        for ours, theirs in zip(subgraph.operators, changed.operators, strict=True)
    )
    return None if shared or list(changed.outputs) != [tensor] else place


_OUTPUTS = 8
"""The slot of `outputs` in TFLite's schema: the third field of SubGraph."""


def _kind(model: Any, operator: Any) -> int:
    return builtin_code(model.operatorCodes[operator.opcodeIndex])
