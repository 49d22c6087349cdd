"""Attention over a feature map: squeeze-and-excitation (Hu et al. 2018) and CBAM (Woo et al. 2018).

Made of Keras' own layers and operations, so that a saved model loads without custom objects and converts to int8.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

__all__ = ["ATTENTIONS", "attend", "check_attention"]

ATTENTIONS = ("none", "cbam", "se")
REDUCTION = 16
"""Channels to hidden units: r of Hu et al. 2018, section 6.4, and of Woo et al. 2018, section 4."""
LEAST = 8
"""Hidden units. Of one or two all may be dead (always 0), and LiteRT refuses the int8 model: its scale is 0."""


def check_attention(attention: str) -> None:
    """Raises ValueError unless `attention` is one of ATTENTIONS."""
    if attention not in ATTENTIONS:
        raise ValueError(f"attention {attention!r}, but only {', '.join(ATTENTIONS)} are known")


def attend(x: Any, attention: str) -> Any:
    """Features (N, H, W, C), each multiplied by weights in 0..1; the shape stays. "none" gives `x` itself.

    "se": a weight a channel. "cbam": a weight a channel, then a weight a place.
    """
    check_attention(attention)
    if attention == "se":
        return _channels(x, (layers.GlobalAveragePooling2D,), bias=True)
    if attention == "cbam":
        x = _channels(x, (layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D), bias=False)
        return _places(x)
    return x


def _channels(x: Any, pools: tuple[Any, ...], bias: bool) -> Any:
    """σ(Σ W1(relu(W0(pool(x))))) × x: Hu et al. 2018, equation 3; with two pools Woo et al. 2018, equation 2.

    W0 and W1 are convolutions over one pixel: dense layers on (N, 1, 1, C), whose batch TFLite leaves open.
    """
    channels = x.shape[-1]
    hidden = layers.Conv2D(
        max(LEAST, channels // REDUCTION), 1, activation="relu", use_bias=bias, name="attention_channels_hidden"
    )
    outer = layers.Conv2D(channels, 1, use_bias=bias, name="attention_channels_outer")
    sums = [outer(hidden(pool(keepdims=True, name=f"attention_pool{index}")(x))) for index, pool in enumerate(pools)]
    total = layers.Add(name="attention_channels_add")(sums) if len(sums) > 1 else sums[0]
    weights = layers.Activation("sigmoid", name="attention_channels")(total)
    return layers.Multiply(name="attention_by_channel")([x, weights])


def _places(x: Any) -> Any:
    """σ(7 × 7 convolution of [mean, largest] over the channels) × x: Woo et al. 2018, equation 3."""
    pooled = layers.Concatenate(name="attention_places_pooled")(
        [keras.ops.mean(x, axis=-1, keepdims=True), keras.ops.max(x, axis=-1, keepdims=True)]
    )
    weights = layers.Conv2D(1, 7, padding="same", activation="sigmoid", use_bias=False, name="attention_places")(pooled)
    return layers.Multiply(name="attention_by_place")([x, weights])
