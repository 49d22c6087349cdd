"""What stands between a feature map and the logits, the same in every architecture that is written as a backbone."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

__all__ = ["check_share", "classify"]


def check_share(what: str, value: float) -> None:
    """Raises ValueError unless 0 <= value < 1."""
    if not 0 <= value < 1:
        raise ValueError(f"{what} {value}, a share from 0 to below 1")


def classify(
    inputs: Any, features: Any, classes: int, dropout: float, name: str, dense: tuple[int, ...] = ()
) -> keras.Model:
    """The model from `inputs` to logits, float32 (N, classes).

    Args:
        features: (N, H, W, C). They are averaged over H and W, in the layer "pool"; with `dense` they are kept as they
            are, in the layer "flatten", and H and W must be known.
        dropout: share of the averaged features that is left out while training; with `dense`, of each hidden layer.
        dense: sizes of hidden layers.
    """
    if dense:
        x = layers.Flatten(name="flatten")(features)
        for index, units in enumerate(dense):
            x = layers.Dense(units, activation="relu", kernel_initializer="he_normal", name=f"dense{index}")(x)
            x = layers.Dropout(dropout, name=f"dropout{index}")(x)
    else:
        x = layers.GlobalAveragePooling2D(name="pool")(features)
        x = layers.Dropout(dropout, name="dropout")(x)
    return keras.Model(inputs, layers.Dense(classes, dtype="float32", name="logits")(x), name=name)
