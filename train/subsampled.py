"""Convolutions of one pixel that skip pixels, in two steps: choose the pixels, then multiply.

Both ways compute the same. TensorFlow 2.21's oneDNN writes beside its memory in the gradient of such a kernel, as seen on an
Intel Xeon with AVX-512, so that training breaks off with "double free or corruption" or a segmentation fault:

    x = tf.random.normal((64, 60, 60, 8))
    tf.raw_ops.Conv2DBackpropFilter(
        input=x, filter_sizes=(1, 1, 8, 16), out_backprop=x[:, ::2, ::2, :1] * tf.ones(16), strides=[1, 2, 2, 1], padding="SAME"
    )
"""

from __future__ import annotations

from typing import Any

from keras import layers, ops

__all__ = ["SubsampledConv2D"]


class SubsampledConv2D(layers.Conv2D):  # type: ignore[misc]
    """`keras.layers.Conv2D` over (N, H, W, C) that has no strides where its kernel is a single pixel. Other kernels keep theirs."""

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        down, right = self.strides
        if self.kernel_size != (1, 1) or (down, right) == (1, 1):
            return super().convolution_op(inputs, kernel)
        return ops.conv(inputs[:, ::down, ::right], kernel, 1, "valid")
