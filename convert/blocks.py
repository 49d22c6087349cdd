"""Convolutions of one channel in an int8 model, written over blocks of eight pixels: the same integers, sooner.

An int8 kernel multiplies eight channels at a time, or four, and reads one address for each of a filter's places. Where a
picture is grey, seven of eight products are of nothing: the first convolution of the face detector has few of its products
and took far more of its time. Eight pixels that lie beside each other in memory are eight channels as well. A
filter over such blocks is the same filter moved along, with zeros beside it, and gives the outputs of several columns:

    (1, 256, 320, 1) -> 3 × 3 filters, stride 2 -> (1, 128, 160, 16)
    (1, 256, 40, 8)  -> 3 × 2 filters, strides 2 and 1 -> (1, 128, 40, 4 × 16), in memory the same as before

Integers are added without rounding, and each output keeps its scale, so that nothing changes but the time. An Edge TPU's
compiler may refuse a large RESHAPE, which is why a file is written so when it is packed for a processor, not when it is
converted.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.flatbuffer import builtin_code, rewritten
from convert.tables import add_constant, add_like, constant, places, reshape

__all__ = ["BLOCK", "in_blocks"]

BLOCK = 8
"""Pixels."""


def in_blocks(content: bytes) -> bytes:
    """The same model with such convolutions written as RESHAPE, CONV_2D, RESHAPE.

    Args:
        content: a .tflite file that `convert.graph` reads. Convolutions stay that are not of int8 with a scale for each output,
            read several channels or no whole blocks of columns, or pad otherwise than TensorFlow's "SAME" does; a file of
            none but these stays byte by byte.
    """
    changed: list[bool] = []
    blocks = rewritten(content, lambda model: changed.append(_write_in_blocks(model)))
    return blocks if changed[0] else content


def _write_in_blocks(model: Any) -> bool:
    from ai_edge_litert import schema_py_generated as schema

    subgraph = model.subgraphs[0]
    before = len(subgraph.operators)
    operators = []
    for operator in subgraph.operators:
        code = builtin_code(model.operatorCodes[operator.opcodeIndex])
        meant = code == schema.BuiltinOperator.CONV_2D
        operators += _rewritten(model, subgraph, operator, schema) if meant else [operator]
    subgraph.operators = operators
    return len(operators) > before


def _rewritten(model: Any, subgraph: Any, convolution: Any, schema: Any) -> list[Any]:
    """The three operators for a convolution, or itself where it is another."""
    read, filters, *bias = (int(index) for index in convolution.inputs if index >= 0)
    given = int(convolution.outputs[0])
    tensors = [subgraph.tensors[index] for index in (read, filters, given)]
    options = convolution.builtinOptions
    _, rows, columns, channels = tensors[0].shape
    count = tensors[2].shape[3]
    scales = [_scales(subgraph.tensors[index]) for index in (filters, *bias)]
    numbers = [one for index in (filters, *bias) if (one := constant(model, subgraph.tensors[index])) is not None]
    across, stride = int(tensors[1].shape[2]), int(options.strideW)
    if (
        {tensor.type for tensor in tensors} != {schema.TensorType.INT8}
        or channels != 1
        or columns % BLOCK
        or BLOCK % stride
        or options.padding != schema.Padding.SAME
        or (options.dilationWFactor, options.dilationHFactor) != (1, 1)
        or [each.size for each in scales] != [count, count]
        or len(numbers) != len(scales)
    ):
        return [convolution]
    outputs = BLOCK // stride  # columns of the output that a block has
    # "SAME" puts one column more behind than before where they are odd, and one block more.
    padding = max(across - stride, 0)
    before, after = padding // 2, padding - padding // 2
    first, last = -(-before // BLOCK), -(-after // BLOCK)
    moved = _moved(numbers[0], outputs, stride, first * BLOCK - before, first + 1 + last)
    biases = np.tile(numbers[1], outputs)
    over, answer = add_like(subgraph, read, b"blocks"), add_like(subgraph, given, b"blocks")
    _, high, wide, _ = tensors[2].shape
    _shape(subgraph.tensors[over], rows, columns // BLOCK, BLOCK)
    _shape(subgraph.tensors[answer], high, wide // outputs, outputs * count)
    written = copy.copy(convolution)
    written.inputs = places(
        over,
        add_constant(model, subgraph, b"filters", moved, np.tile(scales[0], outputs)),
        add_constant(model, subgraph, b"bias", biases, np.tile(scales[1], outputs)),
    )
    written.outputs = places(answer)
    written.builtinOptions = copy.copy(options)
    written.builtinOptions.strideW = 1
    return [reshape(model, subgraph, read, over), written, reshape(model, subgraph, answer, given)]


def _moved(filters: NDArray[np.int8], outputs: int, stride: int, start: int, blocks: int) -> NDArray[np.int8]:
    """Filters (C, rows, columns, 1) once for each output of a block, moved along: (outputs × C, rows, blocks, BLOCK)."""
    count, rows, columns, _ = filters.shape
    moved = np.zeros((outputs, count, rows, blocks * BLOCK), np.int8)
    for output in range(outputs):
        at = start + stride * output
        moved[output, :, :, at : at + columns] = filters[..., 0]
    return moved.reshape(outputs * count, rows, blocks, BLOCK)


def _scales(tensor: Any) -> NDArray[np.float32]:
    quantization = tensor.quantization
    return np.asarray([] if quantization is None or quantization.scale is None else quantization.scale, np.float32)


def _shape(tensor: Any, *sides: int) -> None:
    """Gives a tensor another shape behind its batch."""
    tensor.shape = places(tensor.shape[0], *sides)
    if tensor.shapeSignature is not None:
        tensor.shapeSignature = places(tensor.shapeSignature[0], *sides)
