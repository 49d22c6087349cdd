"""VGGNet of Khaireddin & Chen 2021 ("Facial Emotion Recognition: State of the Art Performance on FER2013"), section 3.

Four blocks of two 3 × 3 convolutions with batch normalization and a halving each. The paper ends in dense layers over the
flattened features; averaging them instead (`head = "pool"`) needs fewer weights and takes any input size.
"""

from __future__ import annotations

from dataclasses import dataclass

import keras
from keras import layers

__all__ = ["Options", "build"]


@dataclass(frozen=True)
class Options:
    """filters and convolutions a block; head "dense" as in the paper, or "pool"; dense: sizes of its hidden layers."""

    filters: tuple[int, ...] = (64, 128, 256, 512)
    convolutions: int = 2
    head: str = "dense"
    dense: tuple[int, ...] = (4096, 4096)
    dropout: float = 0.5

    def __post_init__(self) -> None:
        if self.head not in ("dense", "pool"):
            raise ValueError(f"head {self.head!r}, but only dense and pool are known")
        if not self.filters or self.convolutions < 1:
            raise ValueError("at least one block of one convolution")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout {self.dropout}, a share below 1")


def build(options: Options, classes: int, size: int | None, channels: int) -> keras.Model:
    if options.head == "dense" and size is None:
        raise ValueError("its dense head needs one fixed size")
    if size is not None and size < 2 ** len(options.filters):
        raise ValueError(f"{len(options.filters)} halvings leave nothing")
    inputs = keras.Input((size, size, channels), name="pixels")
    x = layers.Rescaling(1 / 127.5, -1, name="scale")(inputs)
    for block, filters in enumerate(options.filters):
        for index in range(options.convolutions):
            name = f"block{block}_{index}"
            x = layers.Conv2D(filters, 3, padding="same", use_bias=False, kernel_initializer="he_normal", name=name)(x)
            x = layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x)
            x = layers.ReLU(name=f"{name}_relu")(x)
        x = layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    if options.head == "pool":
        x = layers.GlobalAveragePooling2D(name="pool")(x)
        x = layers.Dropout(options.dropout, name="dropout")(x)
    else:
        x = layers.Flatten(name="flatten")(x)
        for index, units in enumerate(options.dense):
            x = layers.Dense(units, activation="relu", kernel_initializer="he_normal", name=f"dense{index}")(x)
            x = layers.Dropout(options.dropout, name=f"dropout{index}")(x)
    return keras.Model(inputs, layers.Dense(classes, dtype="float32", name="logits")(x), name="vgg")
