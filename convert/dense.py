"""Dense layers of an int8 model as 1 × 1 convolutions, which give the same integers.

Since 2024 TensorFlow's converter gives each output of a dense layer a scale of its own. TensorFlow Lite's specification
of 2021, when the Edge TPU's compiler was made, has that for convolutions alone. A convolution over one pixel multiplies,
adds and rounds as the dense layer does, so that nothing is lost; one scale for a whole layer would lose (`docs/edgetpu.md`).
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.flatbuffer import builtin_code, rewritten

__all__ = ["dense_as_convolutions"]

_CONV_VERSION = 3
"""The first with int8 and a scale for each channel."""


def dense_as_convolutions(content: bytes) -> bytes:
    """The same model with each dense layer whose weights have several scales written as RESHAPE, CONV_2D, RESHAPE.

    Args:
        content: a .tflite file that `convert.graph` reads. Dense layers on other than int8 vectors (N, C) stay.
    """
    return rewritten(content, _write_as_convolutions)


def _write_as_convolutions(model: Any) -> None:
    from ai_edge_litert import schema_py_generated as schema

    for subgraph in model.subgraphs:
        operators = []
        for operator in subgraph.operators:
            operators += (
                _rewritten(model, subgraph, operator, schema)
                if _meant(model, subgraph, operator, schema)
                else [operator]
            )
        subgraph.operators = operators


def _meant(model: Any, subgraph: Any, operator: Any, schema: Any) -> bool:
    code = model.operatorCodes[operator.opcodeIndex]
    if builtin_code(code) != schema.BuiltinOperator.FULLY_CONNECTED:
        return False
    read, weights, given = (subgraph.tensors[index] for index in (*operator.inputs[:2], operator.outputs[0]))
    scales = weights.quantization.scale if weights.quantization is not None else None
    return (
        {tensor.type for tensor in (read, weights, given)} == {schema.TensorType.INT8}
        and scales is not None
        and len(scales) > 1
        and weights.quantization.quantizedDimension == 0
        and operator.builtinOptions.weightsFormat == schema.FullyConnectedOptionsWeightsFormat.DEFAULT
        and len(read.shape) == len(given.shape) == 2
    )


def _rewritten(model: Any, subgraph: Any, dense: Any, schema: Any) -> list[Any]:
    """The three operators for a dense one; its weights become (outputs, 1, 1, inputs), the same bytes."""
    read, weights, *bias = dense.inputs
    given = dense.outputs[0]
    if not bias or bias[0] < 0:  # a dense layer may have none; XNNPACK runs convolutions that have one alone
        bias = [_zeros(model, subgraph, read, weights, schema)]
    pixel = _like(subgraph, read, b"pixel")
    answer = _like(subgraph, given, b"convolved")
    readers = sum(list(operator.inputs).count(weights) for operator in subgraph.operators)
    filters = weights if readers == 1 else _like(subgraph, weights, b"filters")
    if filters == weights:
        _spread(subgraph.tensors[weights])
    before = _reshape(model, subgraph, read, pixel, schema)
    convolution = schema.OperatorT()
    convolution.opcodeIndex = _code(model, schema.BuiltinOperator.CONV_2D, _CONV_VERSION, schema)
    convolution.inputs, convolution.outputs = _places(pixel, filters, *bias), _places(answer)
    options = schema.Conv2DOptionsT()
    options.padding, options.strideW, options.strideH = schema.Padding.VALID, 1, 1
    options.dilationWFactor = options.dilationHFactor = 1
    options.fusedActivationFunction = dense.builtinOptions.fusedActivationFunction
    convolution.builtinOptions, convolution.builtinOptionsType = options, schema.BuiltinOptions.Conv2DOptions
    return [before, convolution, _reshape(model, subgraph, answer, given, schema)]


def _places(*numbers: int) -> NDArray[np.int32]:
    """Numbers as they are read from a file, so that what is written again gives the same bytes."""
    return np.array(numbers, "<i4")


def _zeros(model: Any, subgraph: Any, read: int, weights: int, schema: Any) -> int:
    """A bias of zeros, quantized as the specification asks: the scale of what is read times that of each output."""
    buffer = schema.BufferT()
    buffer.data = np.zeros(subgraph.tensors[weights].shape[0], "<i4").view(np.uint8)
    model.buffers.append(buffer)
    bias = schema.TensorT()
    bias.name, bias.type = b"no_bias", schema.TensorType.INT32
    bias.shape = _places(subgraph.tensors[weights].shape[0])
    bias.buffer = len(model.buffers) - 1
    bias.quantization = schema.QuantizationParametersT()
    scales = np.asarray(subgraph.tensors[weights].quantization.scale, np.float32)
    bias.quantization.scale = scales * np.float32(subgraph.tensors[read].quantization.scale[0])
    bias.quantization.zeroPoint = np.zeros(len(scales), np.int64)
    subgraph.tensors.append(bias)
    return len(subgraph.tensors) - 1


def _like(subgraph: Any, index: int, name: bytes) -> int:
    """A tensor as that at `index`, spread; constants share their bytes."""
    tensor = copy.copy(subgraph.tensors[index])
    tensor.name = (tensor.name or b"") + b";" + name
    _spread(tensor)
    subgraph.tensors.append(tensor)
    return len(subgraph.tensors) - 1


def _spread(tensor: Any) -> None:
    """Makes of the two dimensions (a, b) the four (a, 1, 1, b)."""
    for attribute in ("shape", "shapeSignature"):
        sides = getattr(tensor, attribute)
        if sides is not None and len(sides) == 2:
            setattr(tensor, attribute, _places(sides[0], 1, 1, sides[1]))


def _reshape(model: Any, subgraph: Any, read: int, given: int, schema: Any) -> Any:
    """RESHAPE to the shape of `given`, its batch left open: faces may come in batches."""
    shape = np.array([-1, *subgraph.tensors[given].shape[1:]], "<i4")
    buffer = schema.BufferT()
    buffer.data = shape.view(np.uint8)
    model.buffers.append(buffer)
    wanted = schema.TensorT()
    wanted.name, wanted.shape, wanted.type = b"shape", _places(len(shape)), schema.TensorType.INT32
    wanted.buffer = len(model.buffers) - 1
    subgraph.tensors.append(wanted)
    operator = schema.OperatorT()
    operator.opcodeIndex = _code(model, schema.BuiltinOperator.RESHAPE, 1, schema)
    operator.inputs, operator.outputs = _places(read, len(subgraph.tensors) - 1), _places(given)
    operator.builtinOptions, operator.builtinOptionsType = (
        schema.ReshapeOptionsT(),
        schema.BuiltinOptions.ReshapeOptions,
    )
    operator.builtinOptions.newShape = shape
    return operator


def _code(model: Any, builtin: int, version: int, schema: Any) -> int:
    for index, code in enumerate(model.operatorCodes):
        if (builtin_code(code), code.version) == (builtin, version):
            return index
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = builtin
    code.version = version
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1
