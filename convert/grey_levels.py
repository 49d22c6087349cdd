"""Pixels that are scaled within an int8 model, so that each of their 256 grey levels stays one of its own.

A Rescaling layer is a MUL and an ADD. TensorFlow's converter (2.21) writes the sum over the product while it measures ranges:
pixels on their way to -1..1 get the range -1..2, which has room for 170 levels. And a sum that lies between two stored
numbers, as every one of u / 127.5 - 1 does, is rounded as a kernel likes. Both go when the product is stored as the pixel
itself, and the sum as the pixel less a whole number: real = scale x (u - 128) instead of scale x (u - 127.5).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from convert.flatbuffer import builtin_code
from convert.tables import constant

__all__ = ["keep_grey_levels"]

_LEVELS = 256
_LOW = -128
_SAME = 1e-3
"""Scales that differ by a smaller share bring all 256 levels to the same stored numbers."""


def keep_grey_levels(model: Any) -> bool:
    """Mends the scales of a product and a sum behind the pixels of an int8 model, in place.

    Args:
        model: the schema's `ModelT`, of one subgraph. Left as it is where pixels are not scaled and shifted by one number
            each.

    Returns:
        whether it was mended.
    """
    from ai_edge_litert import schema_py_generated as schema

    graph = model.subgraphs[0]
    names = {value: name for name, value in vars(schema.BuiltinOperator).items() if not name.startswith("_")}

    def kind(operator: Any) -> str:
        code = model.operatorCodes[operator.opcodeIndex]
        return str(names[builtin_code(code)])

    def readers(place: int) -> list[Any]:
        return [operator for operator in graph.operators if place in operator.inputs]

    product = next((one for one in graph.operators if kind(one) == "MUL" and _reads_pixels(graph, one)), None)
    if product is None:
        return False
    after = readers(product.outputs[0])
    if len(after) != 1 or kind(after[0]) != "ADD":
        return False
    total = after[0]
    factor, summand = (_constant(model, graph, operator) for operator in (product, total))
    if factor is None or summand is None or factor <= 0:
        return False
    sum_tensor = graph.tensors[total.outputs[0]]
    lowest = round(-summand / factor)  # the grey level that becomes 0
    if sum_tensor.type != schema.TensorType.INT8 or not 0 <= lowest < _LEVELS:
        return False
    scale = float(sum_tensor.quantization.scale[0])
    if abs(scale / factor - 1) > _SAME:
        return False  # calibration saw another range than 0 to 255
    _store(graph.tensors[product.outputs[0]], scale, _LOW)
    _store(sum_tensor, scale, lowest + _LOW)
    place = _constant_place(model, graph, total)
    assert place is not None
    kept = graph.tensors[place]
    _store(kept, -lowest * scale / _stored(model, kept), int(kept.quantization.zeroPoint[0]))
    return True


def _reads_pixels(graph: Any, operator: Any) -> bool:
    """Whether one of its inputs holds grey levels: int8, with the pixel itself as its real value."""
    found = (graph.tensors[place].quantization for place in operator.inputs)
    return any(
        one is not None
        and one.scale is not None
        and len(one.scale) == 1
        and float(one.scale[0]) == 1.0
        and int(one.zeroPoint[0]) == _LOW
        for one in found
    )


def _constant_place(model: Any, graph: Any, operator: Any) -> int | None:
    """The input of MUL or ADD that is one number in the file, if there is one."""
    for place in operator.inputs:
        values = constant(model, graph.tensors[place])
        if (
            values is not None
            and values.size == 1
            and values.dtype == np.int8
            and graph.tensors[place].quantization.scale is not None
        ):
            return int(place)
    return None


def _constant(model: Any, graph: Any, operator: Any) -> float | None:
    place = _constant_place(model, graph, operator)
    if place is None:
        return None
    tensor = graph.tensors[place]
    return _stored(model, tensor) * float(tensor.quantization.scale[0]) or None


def _stored(model: Any, tensor: Any) -> int:
    """The one number of a constant, from its zero point."""
    values = constant(model, tensor)
    assert values is not None
    return int(values.item()) - int(tensor.quantization.zeroPoint[0])


def _store(tensor: Any, scale: float, zero_point: int) -> None:
    tensor.quantization.scale = np.array([scale], np.float32)
    tensor.quantization.zeroPoint = np.array([zero_point], np.int64)
