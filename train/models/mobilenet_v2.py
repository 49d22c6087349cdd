"""MobileNetV2 (Sandler et al. 2018, table 2) with the strides as settings, for inputs far smaller than 224 px.

Written out instead of taken from `keras.applications`, whose strides are fixed: five halvings leave 2 × 2 pixels of a
48 px face. Without them, width 1.0 has the same 2.2 million weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

__all__ = ["Options", "build"]

STAGES = ((1, 16, 1), (6, 24, 2), (6, 32, 3), (6, 64, 4), (6, 96, 3), (6, 160, 3), (6, 320, 1))
"""Expansion, channels and repeats of the seven stages."""


@dataclass(frozen=True)
class Options:
    """width multiplies every channel count; stem_stride and strides are those of the first convolution and the stages."""

    width: float = 1.0
    stem_stride: int = 1
    strides: tuple[int, ...] = (1, 2, 2, 2, 1, 2, 1)
    dropout: float = 0.2

    def __post_init__(self) -> None:
        if len(self.strides) != len(STAGES) or any(
            stride not in (1, 2) for stride in (self.stem_stride, *self.strides)
        ):
            raise ValueError(f"strides {list(self.strides)} instead of seven, each 1 or 2")
        if not 0.1 <= self.width <= 2:
            raise ValueError(f"width {self.width} instead of 0.1 to 2")


def build(options: Options, classes: int, size: int | None, channels: int) -> keras.Model:
    inputs = keras.Input((size, size, channels), name="pixels")
    x = layers.Rescaling(1 / 127.5, -1, name="scale")(inputs)
    x = _convolution(x, _channels(32, options.width), 3, options.stem_stride, "stem")
    for index, ((expansion, width, repeats), stride) in enumerate(zip(STAGES, options.strides, strict=True)):
        for repeat in range(repeats):
            x = _bottleneck(
                x, expansion, _channels(width, options.width), stride if repeat == 0 else 1, f"block{index}_{repeat}"
            )
    x = _convolution(x, max(1280, _channels(1280, options.width)), 1, 1, "top")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dropout(options.dropout)(x)
    return keras.Model(inputs, layers.Dense(classes, dtype="float32", name="logits")(x), name="mobilenet_v2")


def _channels(count: int, width: float) -> int:
    """The nearest multiple of eight, as the paper's own code rounds, never more than a tenth below."""
    rounded = max(8, int(count * width + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * count * width else rounded


def _convolution(x: Any, filters: int, kernel: int, stride: int, name: str) -> Any:
    x = layers.Conv2D(
        filters, kernel, strides=stride, padding="same", use_bias=False, kernel_initializer="he_normal", name=name
    )(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x))


def _bottleneck(x: Any, expansion: int, filters: int, stride: int, name: str) -> Any:
    channels = x.shape[-1]
    y = _convolution(x, channels * expansion, 1, 1, f"{name}_expand") if expansion != 1 else x
    y = layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False, name=f"{name}_depthwise")(y)
    y = layers.ReLU(6.0, name=f"{name}_relu")(layers.BatchNormalization(momentum=0.9, name=f"{name}_depthwise_norm")(y))
    y = layers.Conv2D(filters, 1, use_bias=False, kernel_initializer="he_normal", name=f"{name}_project")(y)
    y = layers.BatchNormalization(momentum=0.9, name=f"{name}_project_norm")(y)
    return layers.Add(name=f"{name}_add")([x, y]) if stride == 1 and channels == filters else y
