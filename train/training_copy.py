"""The net that learns in the place of a plain one: the same weights, in layers that are fast and sound while training on a CPU."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from train.fused import FusedBatchNormalization
from train.gemm import GemmConv2D

__all__ = ["training_copy"]

_LEARNS_AS: dict[Any, Any] = {layers.BatchNormalization: FusedBatchNormalization, layers.Conv2D: GemmConv2D}


def training_copy(model: keras.Model) -> keras.Model:
    """A copy of a functional model over (N, H, W, C), its weights too. The order of its weights is the same.

    On backends other than TensorFlow the model itself is returned.
    """
    if keras.backend.backend() != "tensorflow":
        return model

    def copy(layer: Any) -> Any:
        return _LEARNS_AS.get(type(layer), type(layer)).from_config(layer.get_config())

    learning = keras.models.clone_model(model, clone_function=copy)
    learning.set_weights(model.get_weights())
    return learning
