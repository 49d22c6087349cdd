"""`keras.applications.MobileNetV2` (Sandler et al. 2018) with a new head, for starting from its ImageNet weights.

`mobilenet_v2` is the same net with strides for small faces; this one keeps the application's five halvings and its layers'
names. Its padding at a stride depends on whether a side is even, so it takes multiples of 32 px.
"""

from __future__ import annotations

from dataclasses import dataclass

import keras

from train.models.applications import imagenet_pixels
from train.models.heads import check_share, classify

__all__ = ["Options", "build"]

WIDTHS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)
"""Those that have ImageNet weights."""


@dataclass(frozen=True)
class Options:
    """width multiplies every channel count (alpha in `keras.applications`); dropout stands before the logits."""

    width: float = 1.0
    dropout: float = 0.2

    def __post_init__(self) -> None:
        if self.width not in WIDTHS:
            raise ValueError(f"width {self.width}, but only {', '.join(map(str, WIDTHS))} are known")
        check_share("dropout", self.dropout)


def build(options: Options, classes: int, size: int | None, channels: int) -> keras.Model:
    """Pixels 0..255 (N, size, size, channels), grey or BGR, to logits (N, classes). size may be None."""
    if size is not None and (size % 32 or size < 32):
        raise ValueError("its five halvings need a multiple of 32 px")
    inputs = keras.Input((size, size, channels), name="pixels")
    base = keras.applications.MobileNetV2(
        input_tensor=imagenet_pixels(inputs, "tf"), alpha=options.width, include_top=False, weights=None
    )
    return classify(inputs, base.output, classes, options.dropout, "mobilenet_v2_keras")
