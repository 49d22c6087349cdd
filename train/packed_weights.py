"""The weights of a .tflite model as real numbers, layer after layer: kernels with their normalization folded in, and biases."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from train.errors import ModelError

__all__ = ["PackedWeights", "read_packed_weights"]

_CONVOLUTION, _DEPTHWISE, _DENSE = "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"


@dataclass(frozen=True)
class PackedWeights:
    """What one operator multiplies by and adds.

    Attributes:
        kernel: float32, in Keras' order: (height, width, in, out) of a convolution, as which a dense layer may come too;
            (height, width, out) of a depthwise one, (in, out) of a dense layer.
        bias: float32 (out,); zeros where there is none.
        names: of its tensors, in which a converter leaves those of the layers that the operator was made of.
        of_pixels: it reads the picture itself, 0..255: a scaling before it was folded into the kernel.
    """

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]
    names: str = ""
    of_pixels: bool = False

    def of_single_pixels(self, shape: tuple[int, ...], stride: int) -> PackedWeights:
        """The same of a convolution with a kernel of `shape` over one channel, where it was packed over blocks of pixels.

        A face detector's is: the kernel of (rows, blocks, pixels of one, outputs of one × channels) holds that of each of a
        block's outputs, moved along. Other weights stay as they are.

        Args:
            shape: of the layer's kernel in Keras' order.
            stride: between two of its outputs in a row, in pixels; its padding is "same".
        """
        if len(shape) != 4 or shape[2] != 1 or self.kernel.ndim != 4 or self.kernel.shape[2] == 1:
            return self
        rows, blocks, block, moved = self.kernel.shape
        channels = shape[3]
        if rows != shape[0] or moved * stride != block * channels:
            return self
        start = -(max(shape[1] - stride, 0) // 2) % block
        kernel = self.kernel[..., :channels].reshape(rows, blocks * block, 1, channels)
        return replace(self, kernel=kernel[:, start : start + shape[1]], bias=self.bias[:channels])


def read_packed_weights(content: bytes) -> list[PackedWeights]:
    """The weights of a model's convolutions and dense layers, in the order in which they first run; of each layer once.

    Integers become what they stand for: scale × (stored - zero point), a scale a channel where there are several.

    Raises:
        ModelError: no such model, or weights of a kind that no fer-edge wrote.
    """
    from ai_edge_litert import schema_py_generated as schema

    try:
        model = schema.ModelT.InitFromPackedBuf(content, 0)
        graph = model.subgraphs[0]
        codes = [int(max(code.builtinCode, code.deprecatedBuiltinCode)) for code in model.operatorCodes]
    except (struct.error, IndexError, TypeError, AttributeError, ValueError) as error:
        raise ModelError(f"a model that cannot be read ({error})", "a .tflite file", "pack the bundle again") from error
    kinds = {getattr(schema.BuiltinOperator, name): name for name in (_CONVOLUTION, _DEPTHWISE, _DENSE)}
    widened = {
        operator.outputs[0]: operator.inputs[0]
        for operator in graph.operators
        if codes[operator.opcodeIndex] == schema.BuiltinOperator.DEQUANTIZE
    }  # of the kind float16, whose weights are made float32 when it runs

    def values(index: int) -> NDArray[np.float32]:
        tensor = graph.tensors[widened.get(index, index)]
        return _real(tensor, model.buffers[tensor.buffer].data, schema)

    passed_on = {
        getattr(schema.BuiltinOperator, name)
        for name in ("CAST", "QUANTIZE", "DEQUANTIZE", "RESHAPE", "SLICE", "STRIDED_SLICE")
    }  # which change no value's meaning
    together = schema.BuiltinOperator.CONCATENATION  # of a grey picture with itself, as three colours
    pixels = {int(graph.inputs[0])}
    found: list[PackedWeights] = []
    for operator in graph.operators:
        code = codes[operator.opcodeIndex]
        if (code in passed_on and int(operator.inputs[0]) in pixels) or (
            code == together and pixels.issuperset(int(index) for index in operator.inputs)
        ):
            pixels.add(int(operator.outputs[0]))
        kind = kinds.get(code)
        if kind is None:
            continue
        kernel = values(operator.inputs[1])
        if kind == _DENSE:
            kernel = kernel.T
        elif kind == _DEPTHWISE:
            kernel = kernel[0]
        else:
            kernel = kernel.transpose(1, 2, 3, 0)
        if any(kernel.shape == each.kernel.shape and np.array_equal(kernel, each.kernel) for each in found):
            continue  # a layer that is used twice
        absent = len(operator.inputs) < 3 or operator.inputs[2] < 0
        bias = np.zeros(kernel.shape[-1], np.float32) if absent else values(operator.inputs[2])
        tensors = (operator.outputs[0], *operator.inputs[1:])
        names = ";".join(graph.tensors[index].name.decode(errors="replace") for index in tensors if index >= 0)
        found.append(PackedWeights(np.ascontiguousarray(kernel), bias, names, int(operator.inputs[0]) in pixels))
    return found


def _real(tensor: Any, stored: NDArray[np.uint8] | None, schema: Any) -> NDArray[np.float32]:
    if stored is None:
        raise ModelError("a model whose weights are computed", "constant ones", "pack the bundle again")
    types = {
        schema.TensorType.FLOAT32: np.float32,
        schema.TensorType.FLOAT16: np.float16,
        schema.TensorType.INT8: np.int8,
        schema.TensorType.INT32: np.int32,
        schema.TensorType.INT64: np.int64,
    }
    if tensor.type not in types:
        raise ModelError(
            f"weights of TFLite's type {tensor.type}",
            "float32, float16, int8, or biases of int32 or int64",
            "pack the bundle again, as one of the kinds of docs/convert.md",
        )
    values = (
        np.frombuffer(np.asarray(stored, np.uint8).tobytes(), types[tensor.type])
        .reshape(tensor.shape)
        .astype(np.float64)
    )
    quantization = tensor.quantization
    if np.issubdtype(types[tensor.type], np.integer):
        scale = np.asarray(quantization.scale, np.float64)
        zero = np.asarray(quantization.zeroPoint, np.float64)
        if scale.size > 1:
            along = [1] * values.ndim
            along[quantization.quantizedDimension] = scale.size
            scale = scale.reshape(along)
            zero = zero.reshape(along) if zero.size > 1 else zero
        values = scale * (values - zero)
    return values.astype(np.float32)
