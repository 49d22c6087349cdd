"""ResNet-50 (He et al. 2016, table 1) with the strides of its stem as settings, for inputs far smaller than 224 px.

Layers, their names and the shapes of their weights are those of `keras.applications.ResNet50`, whose ImageNet weights
therefore fit whatever the strides are. With the paper's strides (2, 2) a 48 px face ends as 2 × 2 features; with
`stem_pool = 1` as 3 × 3 (a total stride of 16), with both 1 as 6 × 6.

Each bottleneck begins as its shortcut alone: the scale of its last normalization is zero (Goyal et al. 2017, section 5.1).
From ones, as `keras.applications` has them, the first steps at a rate of 0.1 lose far more than guessing does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

from train.models.applications import imagenet_pixels
from train.models.attention import attend, check_attention
from train.models.heads import check_share, classify

__all__ = ["Options", "build"]

EPSILON = 1.001e-5
"""Of batch normalization, as in `keras.applications`."""


@dataclass(frozen=True)
class Options:
    """Settings of the net.

    Attributes:
        stem_stride: of the 7 × 7 convolution, 1 or 2.
        stem_pool: stride of the pooling after it, 1 or 2.
        blocks: bottlenecks of the four stages; (3, 4, 6, 3) is ResNet-50.
        attention: over the last features: "none", "cbam" or "se".
        dense: sizes of hidden layers over the flattened features; none: the features are averaged.
        dropout: before the logits, or after each hidden layer.
    """

    stem_stride: int = 2
    stem_pool: int = 2
    blocks: tuple[int, ...] = (3, 4, 6, 3)
    attention: str = "none"
    dense: tuple[int, ...] = ()
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if self.stem_stride not in (1, 2) or self.stem_pool not in (1, 2):
            raise ValueError(f"stem_stride {self.stem_stride} and stem_pool {self.stem_pool}, each 1 or 2")
        if len(self.blocks) != 4 or min(self.blocks) < 1:
            raise ValueError(f"blocks {list(self.blocks)} instead of four numbers of at least 1")
        if any(units < 1 for units in self.dense):
            raise ValueError(f"dense {list(self.dense)}, sizes of at least 1")
        check_attention(self.attention)
        check_share("dropout", self.dropout)

    @property
    def stride(self) -> int:
        """Pixels of the input a feature, each way."""
        return self.stem_stride * self.stem_pool * 8


def build(options: Options, classes: int, size: int | None, channels: int) -> keras.Model:
    """Pixels 0..255 (N, size, size, channels), grey or BGR, to logits (N, classes). Only a pooled head takes size None."""
    if options.dense and size is None:
        raise ValueError("its dense head needs one fixed size")
    if size is not None and size < options.stride:
        raise ValueError(f"a total stride of {options.stride} px leaves nothing")
    inputs = keras.Input((size, size, channels), name="pixels")
    x = imagenet_pixels(inputs, "caffe")
    x = layers.ZeroPadding2D(3, name="conv1_pad")(x)
    x = _convolution(x, 64, 7, options.stem_stride, "valid", "conv1")
    x = layers.ReLU(name="conv1_relu")(x)
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, strides=options.stem_pool, name="pool1_pool")(x)
    for stage, (filters, blocks) in enumerate(zip((64, 128, 256, 512), options.blocks, strict=True)):
        for block in range(blocks):
            stride = 2 if stage > 0 and block == 0 else 1
            x = _bottleneck(x, filters, stride, block == 0, f"conv{stage + 2}_block{block + 1}")
    return classify(inputs, attend(x, options.attention), classes, options.dropout, "resnet50", options.dense)


def _convolution(x: Any, filters: int, kernel: int, stride: int, padding: str, name: str, scale: str = "ones") -> Any:
    """Convolution and normalization, whose `scale` begins so: "conv1" gives the layers conv1_conv and conv1_bn."""
    x = layers.Conv2D(
        filters, kernel, strides=stride, padding=padding, kernel_initializer="he_normal", name=f"{name}_conv"
    )(x)
    return layers.BatchNormalization(momentum=0.9, epsilon=EPSILON, gamma_initializer=scale, name=f"{name}_bn")(x)


def _bottleneck(x: Any, filters: int, stride: int, project: bool, name: str) -> Any:
    shortcut = _convolution(x, 4 * filters, 1, stride, "valid", f"{name}_0") if project else x
    x = layers.ReLU(name=f"{name}_1_relu")(_convolution(x, filters, 1, stride, "valid", f"{name}_1"))
    x = layers.ReLU(name=f"{name}_2_relu")(_convolution(x, filters, 3, 1, "same", f"{name}_2"))
    x = _convolution(x, 4 * filters, 1, 1, "valid", f"{name}_3", scale="zeros")
    return layers.ReLU(name=f"{name}_out")(layers.Add(name=f"{name}_add")([shortcut, x]))
