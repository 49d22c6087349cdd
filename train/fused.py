"""Batch normalization that is fast on a CPU, for training only.

Keras' own layer makes several passes over its input, in float32 also where the net computes in bfloat16. TensorFlow's
fused kernel makes one. The saved model holds Keras' layer, whose weights are the
same; on other backends nothing changes.
"""

from __future__ import annotations

from typing import Any

import keras

__all__ = ["FusedBatchNormalization", "with_fused_normalization"]


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


def with_fused_normalization(model: keras.Model) -> keras.Model:
    """A copy of a functional model, its weights too, that normalizes fast while training.

    The order of its weights is the same. On backends other than TensorFlow the model itself is returned.
    """
    if keras.backend.backend() != "tensorflow":
        return model

    def copy(layer: keras.layers.Layer) -> keras.layers.Layer:
        cls = type(layer)
        return (FusedBatchNormalization if cls is keras.layers.BatchNormalization else cls).from_config(
            layer.get_config()
        )

    fast = keras.models.clone_model(model, clone_function=copy)
    fast.set_weights(model.get_weights())
    return fast
