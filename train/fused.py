"""Batch normalization that is fast on a CPU, for training only.

Keras' own layer makes several passes over its input, in float32 also where the net computes in bfloat16. TensorFlow's
fused kernel makes one. The saved model holds Keras' layer, whose weights are the
same.
"""

from __future__ import annotations

from typing import Any

import keras

__all__ = ["FusedBatchNormalization"]


class FusedBatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]
    """`keras.layers.BatchNormalization` over the last axis of (N, H, W, C), through TensorFlow's fused kernel."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if not (training and self.trainable):
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        gamma, beta = (
            value if value is not None else start(inputs.shape[-1:])
            for value, start in ((self.gamma, tf.ones), (self.beta, tf.zeros))
        )
        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            tf.cast(inputs, self.compute_dtype),
            tf.cast(gamma, "float32"),
            tf.cast(beta, "float32"),
            epsilon=self.epsilon,
            is_training=True,
        )
        for moving, new in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + tf.cast(new, moving.dtype) * (1 - self.momentum))
        return outputs
