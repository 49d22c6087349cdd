"""Dense layers of an int8 model as 1 × 1 convolutions, which give the same integers.

Since 2024 TensorFlow's converter gives each output of a dense layer a scale of its own. TensorFlow Lite's specification
of 2021, when the Edge TPU's compiler was made, has that for convolutions alone. A convolution over one pixel multiplies,
adds and rounds as the dense layer does, so that nothing is lost; one scale for a whole layer would lose (`docs/edgetpu.md`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from convert.flatbuffer import builtin_code, rewritten
from convert.tables import add_constant, add_like, operator_code, places, reshape

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
        bias = [_zeros(model, subgraph, read, weights)]
    pixel = _spread_like(subgraph, read, b"pixel")
    answer = _spread_like(subgraph, given, b"convolved")
    readers = sum(list(operator.inputs).count(weights) for operator in subgraph.operators)
    filters = weights if readers == 1 else _spread_like(subgraph, weights, b"filters")
    if filters == weights:
        _spread(subgraph.tensors[weights])
    before = reshape(model, subgraph, read, pixel)
    convolution = schema.OperatorT()
    convolution.opcodeIndex = operator_code(model, schema.BuiltinOperator.CONV_2D, _CONV_VERSION)
    convolution.inputs, convolution.outputs = places(pixel, filters, *bias), places(answer)
    options = schema.Conv2DOptionsT()
    options.padding, options.strideW, options.strideH = schema.Padding.VALID, 1, 1
    options.dilationWFactor = options.dilationHFactor = 1
    options.fusedActivationFunction = dense.builtinOptions.fusedActivationFunction
    convolution.builtinOptions, convolution.builtinOptionsType = options, schema.BuiltinOptions.Conv2DOptions
    return [before, convolution, reshape(model, subgraph, answer, given)]


def _zeros(model: Any, subgraph: Any, read: int, weights: int) -> int:
    """A bias of zeros, quantized as the specification asks: the scale of what is read times that of each output."""
    scales = np.asarray(subgraph.tensors[weights].quantization.scale, np.float32)
    scales = scales * np.float32(subgraph.tensors[read].quantization.scale[0])
    return add_constant(model, subgraph, b"no_bias", np.zeros(subgraph.tensors[weights].shape[0], np.int32), scales)


def _spread_like(subgraph: Any, index: int, name: bytes) -> int:
    """A tensor as that at `index`, spread; constants share their bytes."""
    added = add_like(subgraph, index, name)
    _spread(subgraph.tensors[added])
    return added


def _spread(tensor: Any) -> None:
    """Makes of the two dimensions (a, b) the four (a, 1, 1, b)."""
    for attribute in ("shape", "shapeSignature"):
        sides = getattr(tensor, attribute)
        if sides is not None and len(sides) == 2:
            setattr(tensor, attribute, places(sides[0], 1, 1, sides[1]))
