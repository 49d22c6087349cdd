"""The four-layer CNN of Neamtiu et al. 2023 for 48 × 48 grey faces: 63.2 % on FER2013, 63.4 % with augmentation."""

from __future__ import annotations

from dataclasses import dataclass

import keras
from keras import layers

__all__ = ["Options", "build"]


@dataclass(frozen=True)
class Options:
    filters: tuple[int, ...] = (32, 64, 128, 128)
    dense: int = 1024
    dropout: float = 0.25
    dense_dropout: float = 0.5

    def __post_init__(self) -> None:
        if len(self.filters) != 4:
            raise ValueError(f"{len(self.filters)} filters instead of four")


def build(options: Options, classes: int, size: int | None, channels: int) -> keras.Model:
    if size is None:
        raise ValueError("its dense layer needs one fixed size")
    first, second, third, fourth = options.filters
    inputs = keras.Input((size, size, channels), name="pixels")
    x = layers.Rescaling(1 / 255, name="scale")(inputs)
    x = layers.Conv2D(first, 3, activation="relu", name="convolution1")(x)
    x = layers.Conv2D(second, 3, activation="relu", name="convolution2")(x)
    x = layers.MaxPooling2D(2, name="pool1")(x)
    x = layers.Dropout(options.dropout, name="dropout1")(x)
    x = layers.Conv2D(third, 3, activation="relu", name="convolution3")(x)
    x = layers.MaxPooling2D(2, name="pool2")(x)
    x = layers.Conv2D(fourth, 3, activation="relu", name="convolution4")(x)
    x = layers.MaxPooling2D(2, name="pool3")(x)
    x = layers.Dropout(options.dropout, name="dropout2")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(options.dense, activation="relu", name="dense")(x)
    x = layers.Dropout(options.dense_dropout, name="dense_dropout")(x)
    return keras.Model(inputs, layers.Dense(classes, dtype="float32", name="logits")(x), name="simple_cnn")
