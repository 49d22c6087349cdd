"""A small anchor-free face detector: inverted residuals (Sandler et al. 2018), a top-down path of nearest neighbours
(Lin et al. 2017), and at strides 8, 16 and 32 a score, a box and five landmarks for each cell (as FCOS, Tian et al. 2019).

Every operator is one that the Edge TPU maps. Scores, boxes and landmarks are outputs of their own, level by level: one
scale of integers for all of them would leave the scores two or three steps.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from train.models.face_detector_options import Options

__all__ = ["STRIDES", "VALUES", "Options", "build", "with_scores"]

STRIDES = (8, 16, 32)
"""Pixels between the cells of each level."""

VALUES = {"score": 1, "box": 4, "points": 10}
"""Numbers a cell: a score (a logit while training), distances to left, top, right and bottom, and five x, y from the cell's
centre; lengths are in strides."""

_PRIOR = -4.6  # the logit of 0.01: at first, hardly any cell is a face (Lin et al. 2017, section 4.1)


def build(options: Options, size: tuple[int, int], channels: int) -> keras.Model:
    """The net for pictures of `size` (width, height), multiples of 32, with `channels` 1 or 3.

    It reads pixels 0..255 (N, H, W, C) and gives nine outputs, named "score_8", "box_8", "points_8", "score_16" …, each
    (N, H / stride, W / stride, values); scores are logits. The weights are the same for every size.

    Raises:
        ValueError: a size that is no multiple of 32, where the levels would not lie on each other.
    """
    width, height = size
    if width % 32 or height % 32 or min(size) < 64:
        raise ValueError(f"{width} × {height} px: multiples of 32, from 64 on")
    inputs = keras.Input((height, width, channels), name="pixels")
    x = layers.Rescaling(1 / 127.5, -1, name="scale")(inputs)
    x = _convolution(x, _channels(options.stem, options.width), 3, 2, "stem")
    levels = []
    for stage, (count, repeats) in enumerate(zip(options.channels, options.repeats, strict=True)):
        for repeat in range(repeats):
            name, stride = f"stage{stage}_{repeat}", 2 if repeat == 0 else 1
            x = _bottleneck(x, 1 if stage == 0 else options.expansion, _channels(count, options.width), stride, name)
        levels.append(x)
    head = _channels(options.head, options.width)
    sides = [_convolution(x, head, 1, 1, f"side{stride}") for x, stride in zip(levels[1:], STRIDES, strict=True)]
    outputs: list[Any] = []
    for index in (1, 0):
        # UpSampling2D would repeat rows and columns by reshaping; this is one ResizeNearestNeighbor.
        rows, columns = sides[index].shape[1:3]
        above = layers.Resizing(rows, columns, interpolation="nearest", name=f"up{STRIDES[index]}")(sides[index + 1])
        sides[index] = layers.Add(name=f"join{STRIDES[index]}")([sides[index], above])
    for side, stride in zip(sides, STRIDES, strict=True):
        x = _separable(_separable(side, head, f"head{stride}_0"), head, f"head{stride}_1")
        for what, count in VALUES.items():
            start = keras.initializers.Constant({"score": _PRIOR, "box": 2.0, "points": 0.0}[what])
            convolution = layers.Conv2D(
                count,
                1,
                kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
                bias_initializer=start,
                name=f"{what}_{stride}",
            )
            outputs.append(convolution(x))
    return keras.Model(inputs, outputs, name="face_detector")


def with_scores(net: keras.Model) -> keras.Model:
    """The model that is saved and converted: the same outputs, with scores from 0 to 1."""
    outputs = [
        layers.Activation("sigmoid", name=f"certain_{name.split('_')[1]}")(output)
        if name.startswith("score")
        else output
        for name, output in zip(net.output_names, net.outputs, strict=True)
    ]
    return keras.Model(net.input, outputs, name=net.name)


def _channels(count: int, width: float) -> int:
    """The nearest multiple of eight."""
    return max(8, int(count * width + 4) // 8 * 8)


def _normalized(x: Any, name: str) -> Any:
    return layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x)


def _convolution(x: Any, filters: int, kernel: int, stride: int, name: str) -> Any:
    x = layers.Conv2D(
        filters, kernel, strides=stride, padding="same", use_bias=False, kernel_initializer="he_normal", name=name
    )(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(_normalized(x, name))


def _depthwise(x: Any, stride: int, name: str) -> Any:
    x = layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False, name=f"{name}_depthwise")(x)
    return layers.ReLU(6.0, name=f"{name}_depthwise_relu")(_normalized(x, f"{name}_depthwise"))


def _separable(x: Any, filters: int, name: str) -> Any:
    return _convolution(_depthwise(x, 1, name), filters, 1, 1, name)


def _bottleneck(x: Any, expansion: int, filters: int, stride: int, name: str) -> Any:
    channels = x.shape[-1]
    y = _convolution(x, channels * expansion, 1, 1, f"{name}_expand") if expansion != 1 else x
    y = _depthwise(y, stride, name)
    y = layers.Conv2D(filters, 1, use_bias=False, kernel_initializer="he_normal", name=f"{name}_project")(y)
    y = _normalized(y, f"{name}_project")
    return layers.Add(name=f"{name}_add")([x, y]) if stride == 1 and channels == filters else y
