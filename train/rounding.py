"""The rounding of an int8 TFLite model, done in float32 while a net learns.

Every number takes one of the 256 values that its int8 form could have, by TFLite's quantization specification: kernels
symmetric in -127..127 with a scale an output channel, activations in -128..127 with one scale and one zero point a tensor.
Gradients pass as if nothing had been rounded (the straight-through estimator; Jacob et al. 2018, section 3).

Folding a batch normalization multiplies whole output channels, and each has a scale of its own: a kernel that is rounded
before it is folded has the same integers as one that is rounded after.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from train.gemm import GemmConv2D

__all__ = [
    "RoundedConv2D",
    "RoundedDense",
    "RoundedDepthwiseConv2D",
    "RoundedRescaling",
    "RoundedSeparableConv2D",
    "SettledBatchNormalization",
    "round_activation",
    "round_kernel",
    "round_own_range",
]

_LEAST = float(np.finfo(np.float32).tiny)
"""A scale: that of a channel or tensor in which all is 0."""
_PLACES = (0, 1, 2)
"""Axes of a convolution's kernel (H, W, in, out) over which one output channel extends."""


def round_kernel(kernel: Any, axes: tuple[int, ...]) -> Any:
    """`kernel` as the multiples of each channel's scale, its largest magnitude over `axes` / 127. The shape stays."""
    scale = ops.maximum(ops.max(ops.abs(kernel), axis=axes, keepdims=True) / 127, _LEAST)
    return _straight_through(kernel, _nearest(kernel / scale) * scale)


def round_activation(x: Any, low: Any, high: Any) -> Any:
    """`x` as 256 evenly spaced values that reach from `low` to `high` and have 0 among them.

    Outside of that range nothing is learned: the gradient there is 0.
    """
    low, high = ops.stop_gradient(ops.minimum(low, 0.0)), ops.stop_gradient(ops.maximum(high, 0.0))
    scale = ops.maximum((high - low) / 255, _LEAST)
    zero = _nearest(-128 - low / scale)
    integers = ops.clip(_nearest(x / scale) + zero, -128, 127)
    return _straight_through(ops.clip(x, low, high), (integers - zero) * scale)


def round_own_range(x: Any) -> Any:
    """`x` rounded in the range that this batch of it has."""
    return round_activation(x, ops.min(x), ops.max(x))


def _nearest(x: Any) -> Any:
    """Whole numbers, halves away from 0 as TFLite has them: pixels brought to -1..1 have their zero point at -0.5."""
    return ops.sign(x) * ops.floor(ops.abs(x) + 0.5)


def _straight_through(x: Any, rounded: Any) -> Any:
    return x + ops.stop_gradient(rounded - x)


class RoundedConv2D(GemmConv2D):
    """`keras.layers.Conv2D` with its kernel rounded at each step."""

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        return super().convolution_op(inputs, round_kernel(kernel, _PLACES))


class RoundedDepthwiseConv2D(layers.DepthwiseConv2D):  # type: ignore[misc]
    """`keras.layers.DepthwiseConv2D` over (N, H, W, C), its kernel (H, W, C, multiplier) rounded at each step."""

    def call(self, inputs: Any) -> Any:
        kernel = round_kernel(self.kernel, (0, 1))
        return _finished(self, ops.depthwise_conv(inputs, kernel, self.strides, self.padding, None, self.dilation_rate))


class RoundedSeparableConv2D(layers.SeparableConv2D):  # type: ignore[misc]
    """`keras.layers.SeparableConv2D` over (N, H, W, C) as the two operators that TFLite makes of it."""

    def call(self, inputs: Any) -> Any:
        kernel = round_kernel(self.depthwise_kernel, (0, 1))
        x = ops.depthwise_conv(inputs, kernel, self.strides, self.padding, None, self.dilation_rate)
        kernel = round_kernel(self.pointwise_kernel, _PLACES)
        return _finished(self, ops.conv(round_own_range(x), kernel, 1, "valid"))


class RoundedDense(layers.Dense):  # type: ignore[misc]
    """`keras.layers.Dense` with its kernel (in, out) rounded at each step, a scale an output as TFLite has it."""

    def call(self, inputs: Any, training: bool | None = None) -> Any:  # noqa: ARG002
        return _finished(self, ops.matmul(inputs, round_kernel(self.kernel, (0,))))


class RoundedRescaling(layers.Rescaling):  # type: ignore[misc]
    """`keras.layers.Rescaling` of pixels as the multiplication and the addition of an int8 model.

    With one scale and one offset each pixel keeps a value of its own, moved by at most half a grey level: 0 must be one of
    them (`convert/grey_levels.py`). With others the product is rounded in a range that reaches to the sum's, because
    TensorFlow's converter writes the sum over the product while it measures ranges.
    """

    def call(self, inputs: Any) -> Any:
        outputs = super().call(inputs)
        if not np.any(self.offset) or np.all(np.equal(self.scale, 1)):
            return outputs
        if np.ndim(self.scale) == np.ndim(self.offset) == 0 and self.scale > 0:
            lowest = round(-self.offset / self.scale)
            if 0 <= lowest < 256:
                return (ops.round(ops.cast(inputs, outputs.dtype)) - lowest) * self.scale
        offset = ops.cast(ops.convert_to_tensor(self.offset), outputs.dtype)
        product = outputs - offset
        low = ops.minimum(ops.min(product), ops.min(outputs))
        high = ops.maximum(ops.max(product), ops.max(outputs))
        return round_activation(product, low, high) + offset


class SettledBatchNormalization(layers.BatchNormalization):  # type: ignore[misc]
    """`keras.layers.BatchNormalization` whose averages stay as they are while its scale and shift learn.

    It is then what a converter folds: one factor and one summand a channel, the same in training as on a board.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:  # noqa: ARG002
        return super().call(inputs, training=False, mask=mask)


def _finished(layer: keras.layers.Layer, outputs: Any) -> Any:
    """Bias and activation of a layer whose channels are last."""
    outputs = outputs if layer.bias is None else outputs + layer.bias
    return outputs if layer.activation is None else layer.activation(outputs)
