"""mini-Xception (Arriaga et al. 2017, "Real-time Convolutional Neural Networks for Emotion and Gender Classification").

Section 3 and figure 3: two convolutions of 8, four residual modules of depthwise separable convolutions (16, 32, 64, 128).
The paper ends in a convolution to the classes and an average over the places, 58,423 weights in all for seven classes. Here
the 128 features are averaged first and a dense layer gives the logits, which `train.refit` can scale and shift: 51,255.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

from train.models.heads import check_share, classify

__all__ = ["Options", "build"]


@dataclass(frozen=True)
class Options:
    """stem: filters of the two plain convolutions; modules: filters of the residual modules, each of which halves."""

    stem: tuple[int, ...] = (8, 8)
    modules: tuple[int, ...] = (16, 32, 64, 128)
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if not self.stem or not self.modules or min(*self.stem, *self.modules) < 1:
            raise ValueError(f"stem {list(self.stem)} and modules {list(self.modules)}, at least one filter in each")
        check_share("dropout", self.dropout)


def build(options: Options, classes: int, size: int | None, channels: int) -> keras.Model:
    """Pixels 0..255 (N, size, size, channels) to logits (N, classes). size may be None."""
    least = 2 * len(options.stem) + 2 ** len(options.modules)
    if size is not None and size < least:
        raise ValueError(f"its unpadded convolutions and {len(options.modules)} halvings need {least} px")
    inputs = keras.Input((size, size, channels), name="pixels")
    x = layers.Rescaling(1 / 127.5, -1, name="scale")(inputs)
    for index, filters in enumerate(options.stem):
        x = _convolution(x, filters, 3, 1, "valid", f"stem{index}")
        x = layers.ReLU(name=f"stem{index}_relu")(x)
    for index, filters in enumerate(options.modules):
        x = _module(x, filters, f"module{index}")
    return classify(inputs, x, classes, options.dropout, "mini_xception")


def _convolution(x: Any, filters: int, kernel: int, stride: int, padding: str, name: str) -> Any:
    x = layers.Conv2D(
        filters, kernel, strides=stride, padding=padding, use_bias=False, kernel_initializer="he_normal", name=name
    )(x)
    return layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x)


def _module(x: Any, filters: int, name: str) -> Any:
    """Two separable convolutions and a halving, beside a strided 1 × 1 convolution.

    A separable convolution is written as its two parts: both kernels then decay like any other.
    """
    shortcut = _convolution(x, filters, 1, 2, "same", f"{name}_shortcut")
    for index in range(2):
        if index:
            x = layers.ReLU(name=f"{name}_relu")(x)
        x = layers.DepthwiseConv2D(3, padding="same", use_bias=False, name=f"{name}_depthwise{index}")(x)
        x = _convolution(x, filters, 1, 1, "same", f"{name}_pointwise{index}")
    x = layers.MaxPooling2D(3, strides=2, padding="same", name=f"{name}_pool")(x)
    return layers.Add(name=f"{name}_add")([x, shortcut])
