"""Inception-ResNet-v2 (Szegedy et al. 2017, figures 3, 15 and 7) for faces of 48 px, at any width and depth.

Written out instead of taken from `keras.applications`, whose strides and minimum of 75 px are fixed. With width 1.0 and
the default blocks the weights have the same shapes in the same order, so that its ImageNet weights fit.
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

Branch = tuple[tuple[int, int | tuple[int, int], int], ...]
"""Convolutions one after another: filters, kernel, stride."""

BLOCK35: tuple[Branch, ...] = (((32, 1, 1),), ((32, 1, 1), (32, 3, 1)), ((32, 1, 1), (48, 3, 1), (64, 3, 1)))
BLOCK17: tuple[Branch, ...] = (((192, 1, 1),), ((128, 1, 1), (160, (1, 7), 1), (192, (7, 1), 1)))
BLOCK8: tuple[Branch, ...] = (((192, 1, 1),), ((192, 1, 1), (224, (1, 3), 1), (256, (3, 1), 1)))
MIXED_5B: tuple[Branch, ...] = (((96, 1, 1),), ((48, 1, 1), (64, 5, 1)), ((64, 1, 1), (96, 3, 1), (96, 3, 1)))
MIXED_6A: tuple[Branch, ...] = (((384, 3, 2),), ((256, 1, 1), (256, 3, 1), (384, 3, 2)))
MIXED_7A: tuple[Branch, ...] = (
    ((256, 1, 1), (384, 3, 2)),
    ((256, 1, 1), (288, 3, 2)),
    ((256, 1, 1), (288, 3, 1), (320, 3, 2)),
)
RESIDUAL_SCALES = (0.17, 0.10, 0.20)
"""Of the three kinds of block: section 3.3 of the paper asks for 0.1 to 0.3; these are those of the authors' own code."""


@dataclass(frozen=True)
class Options:
    """Settings of the net.

    Attributes:
        width: multiplies every channel count, which is rounded to a multiple of eight.
        blocks: repeats of the blocks for 35 × 35, 17 × 17 and 8 × 8 features; the paper's are 10, 20, 10.
        stem_stride: of the first convolution, 1 or 2 (the paper's).
        stem_pools: strides of the stem's two poolings, each 1 or 2 (the paper's). Two reductions follow: the total
            stride is 4 × stem_stride × both.
        padding: "valid" as in the paper, or "same", which keeps the borders of small inputs.
        attention: over the last features: "none", "cbam" or "se".
        dropout: before the logits (the paper's is 0.2).
    """

    width: float = 1.0
    blocks: tuple[int, ...] = (10, 20, 10)
    stem_stride: int = 2
    stem_pools: tuple[int, ...] = (2, 2)
    padding: str = "valid"
    attention: str = "none"
    dropout: float = 0.2

    def __post_init__(self) -> None:
        if not 0.1 <= self.width <= 2:
            raise ValueError(f"width {self.width} instead of 0.1 to 2")
        if len(self.blocks) != 3 or min(self.blocks) < 1:
            raise ValueError(f"blocks {list(self.blocks)} instead of three numbers of at least 1")
        if len(self.stem_pools) != 2 or any(stride not in (1, 2) for stride in (self.stem_stride, *self.stem_pools)):
            raise ValueError(
                f"stem_stride {self.stem_stride} and stem_pools {list(self.stem_pools)} instead of one and two strides, each 1 or 2"
            )
        if self.padding not in ("valid", "same"):
            raise ValueError(f"padding {self.padding!r}, but only valid and same are known")
        check_attention(self.attention)
        check_share("dropout", self.dropout)

    def features(self, size: int) -> int:
        """Side of the last feature map for an input of `size` px; below 1 where nothing is left."""
        first, second = self.stem_pools
        for stride in (self.stem_stride, 1, first, 1, second, 2, 2):  # the 3 × 3 windows with this padding
            if self.padding == "valid" and size < 3:
                return 0
            size = -(-size // stride) if self.padding == "same" else (size - 3) // stride + 1
        return size


def build(options: Options, classes: int, size: int | None, channels: int) -> keras.Model:
    """Pixels 0..255 (N, size, size, channels), grey or BGR, to logits (N, classes). size may be None."""
    if size is not None and options.features(size) < 1:
        raise ValueError('its strides leave nothing; stem strides of 1 or padding = "same" keep more')
    net = _Net(options)
    inputs = keras.Input((size, size, channels), name="pixels")
    first, second = options.stem_pools
    x = imagenet_pixels(inputs, "tf")
    x = net.convolution(x, 32, 3, "stem0", options.stem_stride, options.padding)
    x = net.convolution(x, 32, 3, "stem1", 1, options.padding)
    x = net.convolution(x, 64, 3, "stem2")
    x = layers.MaxPooling2D(3, strides=first, padding=options.padding, name="stem_pool0")(x)
    x = net.convolution(x, 80, 1, "stem3")
    x = net.convolution(x, 192, 3, "stem4", 1, options.padding)
    x = layers.MaxPooling2D(3, strides=second, padding=options.padding, name="stem_pool1")(x)

    mixed = net.branches(x, MIXED_5B, "mixed_5b")
    pooled = layers.AveragePooling2D(3, strides=1, padding="same", name="mixed_5b_pool")(x)
    mixed.append(net.convolution(pooled, 64, 1, "mixed_5b_3_0"))
    x = layers.Concatenate(name="mixed_5b")(mixed)
    kinds = (("block35", BLOCK35, MIXED_6A, "mixed_6a"), ("block17", BLOCK17, MIXED_7A, "mixed_7a"))
    for (kind, block, reduction, name), scale, repeats in zip(
        kinds, RESIDUAL_SCALES[:2], options.blocks[:2], strict=True
    ):
        for index in range(1, repeats + 1):
            x = net.residual(x, block, scale, f"{kind}_{index}")
        x = net.reduction(x, reduction, name)
    for index in range(1, options.blocks[2]):
        x = net.residual(x, BLOCK8, RESIDUAL_SCALES[2], f"block8_{index}")
    x = net.residual(x, BLOCK8, 1.0, f"block8_{options.blocks[2]}", activate=False)
    x = net.convolution(x, 1536, 1, "conv_7b")
    return classify(inputs, attend(x, options.attention), classes, options.dropout, "inception_resnet_v2")


class _Net:
    """The pieces of the net at one width and padding."""

    def __init__(self, options: Options) -> None:
        self.width, self.padding = options.width, options.padding

    def convolution(
        self, x: Any, filters: int, kernel: int | tuple[int, int], name: str, stride: int = 1, padding: str = "same"
    ) -> Any:
        """Convolution, normalization, ReLU."""
        x = layers.Conv2D(
            max(8, int(filters * self.width + 4) // 8 * 8),
            kernel,
            strides=stride,
            padding=padding,
            use_bias=False,
            kernel_initializer="he_normal",
            name=name,
        )(x)
        x = layers.BatchNormalization(momentum=0.9, scale=False, name=f"{name}_norm")(x)
        return layers.ReLU(name=f"{name}_relu")(x)

    def branches(self, x: Any, branches: tuple[Branch, ...], name: str) -> list[Any]:
        outputs = []
        for row, branch in enumerate(branches):
            y = x
            for column, (filters, kernel, stride) in enumerate(branch):
                padding = self.padding if stride == 2 else "same"
                y = self.convolution(y, filters, kernel, f"{name}_{row}_{column}", stride, padding)
            outputs.append(y)
        return outputs

    def reduction(self, x: Any, branches: tuple[Branch, ...], name: str) -> Any:
        pooled = layers.MaxPooling2D(3, strides=2, padding=self.padding, name=f"{name}_pool")(x)
        return layers.Concatenate(name=name)([*self.branches(x, branches, name), pooled])

    def residual(self, x: Any, branches: tuple[Branch, ...], scale: float, name: str, activate: bool = True) -> Any:
        """x + scale × block(x). Scaling is a layer of its own, which the converter folds into the convolution."""
        mixed = layers.Concatenate(name=f"{name}_mixed")(self.branches(x, branches, name))
        y = layers.Conv2D(x.shape[-1], 1, kernel_initializer="he_normal", name=f"{name}_conv")(mixed)
        if scale != 1:
            y = layers.Rescaling(scale, name=f"{name}_scale")(y)
        x = layers.Add(name=f"{name}_add")([x, y])
        return layers.ReLU(name=f"{name}_relu")(x) if activate else x
