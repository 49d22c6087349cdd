"""Convolutions as matrix products (GEMM, im2col), where that is faster on a CPU or safer; for training only.

oneDNN, with which TensorFlow computes, is slow where pictures are few pixels wide, most of all at a kernel's gradient in
bfloat16: a step of 3 × 3 × 512 × 512 over 128 pictures of 2 × 2 takes six times as long by its convolutions as by products,
one of 1 × 1 × 512 × 2048 there seven and a half times (two cores with AMX; `python -m benchmarks.convolutions`).
Without AMX the two are about even. What is computed is the same.

And TensorFlow 2.21's oneDNN writes beside its memory in the gradient of a kernel of 1 × 1 with strides, as seen on an
Intel Xeon with AVX-512, so that training breaks off with "double free or corruption" or a segmentation fault:

    x = tf.random.normal((64, 60, 60, 8))
    tf.raw_ops.Conv2DBackpropFilter(
        input=x, filter_sizes=(1, 1, 8, 16), out_backprop=x[:, ::2, ::2, :1] * tf.ones(16), strides=[1, 2, 2, 1], padding="SAME"
    )
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import layers, ops

__all__ = ["GemmConv2D"]

_FEW = 16
"""Pixels of a picture up to which products are faster for all three of a step: the answer and both gradients."""
_SOME = 64
"""Pixels of a picture up to which they are for the kernel's gradient alone."""


class GemmConv2D(layers.Conv2D):  # type: ignore[misc]
    """`keras.layers.Conv2D` over (N, H, W, C), on the TensorFlow backend, that multiplies matrices where it is faster.

    A kernel of 1 × 1 always, after choosing the pixels that its strides leave. A larger one in bfloat16, without strides and
    padded to the same size, over at most 64 pixels. Others stay convolutions.
    """

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        if self.groups != 1:
            return super().convolution_op(inputs, kernel)
        if self.kernel_size == (1, 1):
            return _of_one_pixel(inputs, kernel, self.strides)
        height, width = inputs.shape[1:3]
        odd_and_plain = (
            self.strides == self.dilation_rate == (1, 1)
            and self.padding == "same"
            and all(n % 2 for n in self.kernel_size)
        )
        if odd_and_plain and self.compute_dtype == "bfloat16" and height and width and height * width <= _SOME:
            return _by_products(height * width <= _FEW)(inputs, ops.cast(kernel, self.compute_dtype))
        return super().convolution_op(inputs, kernel)


def _of_one_pixel(inputs: Any, kernel: Any, strides: tuple[int, int]) -> Any:
    if strides != (1, 1):
        # pooling over a window of one pixel gives what a slice does, whose gradient takes TensorFlow far longer
        inputs = ops.max_pool(inputs, 1, strides, "valid")
    flat = ops.matmul(ops.reshape(inputs, (-1, inputs.shape[-1])), kernel[0, 0])
    return ops.reshape(flat, (-1, *ops.shape(inputs)[1:3], kernel.shape[-1]))


def _by_products(throughout: bool) -> Callable[[Any, Any], Any]:
    """The convolution of one stride and the same size whose kernel's gradient is products; all of it, if `throughout`."""
    import tensorflow as tf

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def convolved(inputs: Any, kernel: Any) -> Any:
        def gradients(upstream: Any) -> tuple[Any, Any]:
            if throughout:
                below = _product(upstream, tf.transpose(tf.reverse(kernel, (0, 1)), (0, 1, 3, 2)))
            else:
                below = tf.raw_ops.Conv2DBackpropInput(
                    input_sizes=tf.shape(inputs), filter=kernel, out_backprop=upstream, strides=[1] * 4, padding="SAME"
                )
            return below, _kernel_gradient(inputs, upstream, kernel.shape)

        return _product(inputs, kernel) if throughout else tf.nn.conv2d(inputs, kernel, 1, "SAME"), gradients

    return convolved  # type: ignore[no-any-return]


def _product(inputs: Any, kernel: Any) -> Any:
    """(N, H, W, C) by (h, w, C, F) to (N, H, W, F): every pixel's neighbourhood is a row."""
    import tensorflow as tf

    rows = tf.concat(_neighbours(inputs, *kernel.shape[:2]), -1)
    flat = tf.matmul(tf.reshape(rows, (-1, rows.shape[-1])), tf.reshape(kernel, (-1, kernel.shape[-1])))
    return tf.reshape(flat, (-1, *inputs.shape[1:3], kernel.shape[-1]))


def _kernel_gradient(inputs: Any, upstream: Any, shape: Any) -> Any:
    import tensorflow as tf

    answers = tf.reshape(upstream, (-1, shape[3]))
    products = [
        tf.matmul(tf.reshape(seen, (-1, shape[2])), answers, transpose_a=True)
        for seen in _neighbours(inputs, *shape[:2])
    ]
    return tf.reshape(tf.stack(products), shape)


def _neighbours(inputs: Any, height: int, width: int) -> list[Any]:
    """The pictures moved to each place of a kernel, zeros beside them: height × width times (N, H, W, C)."""
    import tensorflow as tf

    tall, wide = inputs.shape[1:3]
    padded = tf.pad(inputs, ((0, 0), (height // 2,) * 2, (width // 2,) * 2, (0, 0)))
    return [padded[:, y : y + tall, x : x + wide] for y in range(height) for x in range(width)]
