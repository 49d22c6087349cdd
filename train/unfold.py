"""Kernels into which batch normalization was folded, as a Keras net that learns on: the normalization is taken out again.

A converter multiplies each kernel by what the normalization after it does, and adds the rest to the bias. The net that comes
back answers the same, whatever statistics its normalization is given. They are those of training faces, so that it also answers
the same while it learns, when each batch is normalized by its own; and kernels get the length of the ones that they take the
place of, with which training begins, as it depends on their length what a learning rate does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from train.errors import ModelError
from train.origin import OTHER_RECIPE
from train.packed_weights import PackedWeights

__all__ = ["unfold"]

_WEIGHTED = layers.Conv2D, layers.DepthwiseConv2D, layers.Dense


@dataclass(frozen=True)
class _Normalized:
    """A normalization, and what it must do to its inputs as they now are: `scale` × input + `bias`, float32 (C,) both."""

    layer: layers.BatchNormalization
    scale: NDArray[np.float32]
    bias: NDArray[np.float32]


def unfold(net: keras.Model, packed: Sequence[PackedWeights], batches: Iterable[NDArray[np.float32]]) -> int:
    """Gives `net` the packed weights; it is changed in place.

    Args:
        net: pixels to logits, as `train.models.build_logits` makes it, at its beginning.
        packed: of the same architecture, as `read_packed_weights` gives them.
        batches: training faces as they come into the net while it learns, float32 (N, size, size, C) in 0..255.

    Returns:
        how many operators' weights were taken.

    Raises:
        ModelError: weights of another number or of other shapes than the net's, or no faces.
    """
    weighted = [layer for layer in net.layers if type(layer) in _WEIGHTED]
    if len(weighted) != len(packed):
        raise _other_net(
            f"the weights of {len(packed)} convolutions and dense layers", f"{len(weighted)} in {net.name!r}"
        )
    normalized = []
    for layer, part in zip(weighted, _in_order(weighted, packed), strict=True):
        shape = tuple(layer.kernel.shape)
        if type(layer) is layers.Conv2D:
            part = part.of_single_pixels(shape, layer.strides[1])
        if [side for side in part.kernel.shape if side != 1] != [side for side in shape if side != 1]:
            raise _other_net(f"weights {part.kernel.shape} for the layer {layer.name!r}", f"{shape}")
        # A dense layer may come as a convolution over one pixel, and a depthwise kernel comes without its last axis.
        part = _unscaled(net, layer, replace(part, kernel=part.kernel.reshape(shape)))
        follower = next((one for one in net.layers if _follows(one, layer, layers.BatchNormalization)), None)
        if follower is None:
            _fill(layer, part.kernel, part.bias)
        else:
            scale = _lengths(part.kernel, part.bias.size)
            # Of all channels the mean length: one kernel of a channel may begin with almost none.
            scale /= _lengths(ops.convert_to_numpy(layer.kernel), part.bias.size).mean()
            scale[scale == 0] = 1
            _fill(layer, (part.kernel.reshape(-1, scale.size) / scale).reshape(shape), np.zeros_like(part.bias))
            normalized.append(_Normalized(follower, scale, part.bias))
    _normalize(net, normalized, batches)
    return len(packed)


def _other_net(found: str, wanted: str) -> ModelError:
    return ModelError(found, f"{wanted}: the same architecture with the same options", OTHER_RECIPE)


def _in_order(weighted: Sequence[layers.Layer], packed: Sequence[PackedWeights]) -> list[PackedWeights]:
    """The packed weights in the order of the layers: by their names where all of them have kept them, else as they run.

    Branches may run in another order than the one in which Keras lists them.
    """
    by_name = []
    for layer in weighted:
        name = re.compile(rf"(?:^|[/;]){re.escape(layer.name)}(?:_\d+)?/")
        by_name.append([part for part in packed if name.search(part.names)])
    found = [parts[0] for parts in by_name if len(parts) == 1]
    return found if len({id(part) for part in found}) == len(packed) else list(packed)


def _follows(layer: layers.Layer, before: layers.Layer, kind: type[layers.Layer]) -> bool:
    return isinstance(layer, kind) and layer.input is before.output


def _unscaled(net: keras.Model, layer: layers.Layer, part: PackedWeights) -> PackedWeights:
    """Without the scalings before and after the layer, which are layers of the net again, where they were folded in too."""
    kernel, bias = part.kernel, part.bias
    for one in net.layers:
        if part.of_pixels and isinstance(one, layers.Rescaling) and layer.input is one.output:
            kernel = kernel / one.scale
            bias = bias - one.offset * kernel.sum(axis=(0, 1, 2))
        elif _follows(one, layer, layers.Rescaling):
            kernel, bias = kernel / one.scale, bias / one.scale
    return replace(part, kernel=kernel.astype(np.float32), bias=bias.astype(np.float32))


def _lengths(kernel: NDArray[np.float32], channels: int) -> NDArray[np.float32]:
    """Of each output channel's kernel: the last axis, of a depthwise kernel (height, width, channels, 1) both last ones."""
    lengths: NDArray[np.float32] = np.linalg.norm(kernel.reshape(-1, channels), axis=0)
    return lengths


def _fill(layer: layers.Layer, kernel: NDArray[np.float32], bias: NDArray[np.float32]) -> None:
    layer.kernel.assign(kernel)
    if layer.use_bias:
        layer.bias.assign(bias)
    elif np.abs(bias).max() > 0:
        raise _other_net(f"weights with a bias for the layer {layer.name!r}", "none")


def _normalize(net: keras.Model, normalized: Sequence[_Normalized], batches: Iterable[NDArray[np.float32]]) -> None:
    """First each normalization only scales and adds; so its inputs are what they will be, and their statistics are taken."""
    if not normalized:
        return
    for one in normalized:
        _set(one, np.zeros(one.bias.size), np.ones(one.bias.size))
    moments = [
        (ops.mean(one.layer.input, axis=(0, 1, 2)), ops.mean(ops.square(one.layer.input), axis=(0, 1, 2)))
        for one in normalized
    ]
    probe = keras.Model(net.input, moments)
    found, sizes = [], []
    for batch in batches:
        sizes.append(len(batch))
        found.append([np.stack([ops.convert_to_numpy(each) for each in pair]) for pair in probe(batch, training=False)])
    if not found:
        raise ModelError("no training faces", "some, for the statistics of the normalization", "name --data with faces")
    for one, of_batches in zip(normalized, zip(*found, strict=True), strict=True):
        mean, squares = list(np.average(np.asarray(of_batches, np.float64), axis=0, weights=sizes))
        _set(one, mean, np.maximum(squares - mean**2, 0))


def _set(one: _Normalized, mean: NDArray[np.float64], variance: NDArray[np.float64]) -> None:
    """Those statistics, and what makes the layer compute `scale` × input + `bias` under them.

    Where it has no gamma, the variance alone decides its scale: it is the one that the net was trained with.
    """
    layer = one.layer
    if layer.scale:
        layer.gamma.assign(one.scale * np.sqrt(variance + layer.epsilon))
    else:
        variance = np.maximum(one.scale.astype(np.float64) ** -2 - layer.epsilon, 0)
    layer.beta.assign(one.bias + one.scale * mean)
    layer.moving_mean.assign(mean)
    layer.moving_variance.assign(variance)
