"""A poor camera as a Keras layer: faces out of focus, and faces in little light with a sensor's noise."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from train.recipe_tables import AugmentOptions

__all__ = ["Worsen"]

_SIGMA = 0.03
"""The blur's deviation, as a share of the picture's side: 1.4 px of 48."""
_LEAST_LIGHT, _MOST_NOISE = 0.15, 4.0


class Worsen(keras.layers.Layer):  # type: ignore[misc]
    """Blurs some pictures and darkens some, while training; otherwise it changes nothing.

    Input: (N, H, W, C) in 0..255, any dtype, H and W known. Output: float32 of the same shape, whole grey levels in 0..255 where a picture
    was changed. It stands behind `Augment`, and before a student alone: its teachers answer for the picture as it was.
    """

    def __init__(self, options: AugmentOptions, seed: int, **kwargs: Any) -> None:
        super().__init__(dtype="float32", **kwargs)
        self.options = options
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, images: Any, training: bool = False) -> Any:
        images = ops.cast(images, "float32")
        if training and self.options.blur:
            images = self._blur(images)
        if training and self.options.dim:
            images = self._dim(images)
        return images

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def _uniform(self, images: Any, low: float, high: float) -> Any:
        return keras.random.uniform((ops.shape(images)[0], 1, 1, 1), low, high, seed=self.seed_generator)

    def _blur(self, images: Any) -> Any:
        """Mixes a picture with its Gaussian blur, of which it gets between 0.3 and all."""
        share = self._uniform(images, 0.3, 1.0)
        chosen = self._uniform(images, 0.0, 1.0) < self.options.blur
        height, width = (_blurring(side) for side in images.shape[1:3])
        soft = ops.einsum("ij,njkc->nikc", height, images)
        soft = ops.einsum("ij,nkjc->nkic", width, soft)
        return ops.where(chosen, ops.round(images + share * (soft - images)), images)

    def _dim(self, images: Any) -> Any:
        """Leaves 0.15 to 0.6 of the light, and adds noise of up to 4 grey levels."""
        light = self._uniform(images, _LEAST_LIGHT, 0.6)
        chosen = self._uniform(images, 0.0, 1.0) < self.options.dim
        noise = keras.random.normal(ops.shape(images), seed=self.seed_generator) * self._uniform(
            images, 0.0, _MOST_NOISE
        )
        return ops.where(chosen, ops.clip(ops.round(images * light + noise), 0.0, 255.0), images)


def _blurring(side: int) -> Any:
    """The Gaussian of a row or a column of `side` pixels as a matrix (side, side); borders repeat."""
    sigma = _SIGMA * side
    reach = int(np.ceil(3 * sigma))
    offsets = np.arange(-reach, reach + 1)
    kernel = np.exp(-(offsets**2) / (2 * sigma**2))
    matrix = np.zeros((side, side))
    for place in range(side):
        np.add.at(matrix[place], np.clip(place + offsets, 0, side - 1), kernel / kernel.sum())
    return ops.convert_to_tensor(matrix.astype("float32"))
