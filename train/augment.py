"""Augmentation as one Keras layer: every picture is resampled once, however many distortions it gets."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from train.recipe_tables import AugmentOptions

__all__ = ["Augment"]


class Augment(keras.layers.Layer):  # type: ignore[misc]
    """Distorts a batch while training and only crops otherwise.

    Input: (N, H, W, C) in 0..255, any dtype. Output: float32 (N, size, size, C) in 0..255: cut from the middle (view
    "crop"), or while training the whole picture made smaller (view "resize").
    `size` and `view` may be changed between epochs; the model must then rebuild its training function.
    """

    def __init__(self, options: AugmentOptions, size: int, seed: int, **kwargs: Any) -> None:
        super().__init__(dtype="float32", **kwargs)
        self.options = options
        self.size = size
        self.view = "crop"
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, images: Any, training: bool = False) -> Any:
        images = ops.cast(images, "float32")
        if training:
            images = self._warp(images)
        height, width = images.shape[1], images.shape[2]
        top, left = (height - self.size) // 2, (width - self.size) // 2
        if training and self.view == "resize":
            top = left = 0
        images = images[:, top : top + self.size, left : left + self.size, :]
        if training:
            images = self._light(images)
            images = self._erase(images)
        return images

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], None, None, input_shape[3])

    def _uniform(self, count: Any, low: float, high: float) -> Any:
        return keras.random.uniform((count,), low, high, seed=self.seed_generator)

    def _chosen(self, count: Any) -> Any:
        """1 for the pictures that a distortion is made on, 0 for the others."""
        if self.options.probability == 1:
            return 1.0
        return ops.cast(self._uniform(count, 0.0, 1.0) < self.options.probability, "float32")

    def _warp(self, images: Any) -> Any:
        """Rotation, scale, shift and mirror as one matrix a picture: output pixel -> input pixel."""
        o = self.options
        if not (o.rotation_deg or o.scale or o.shift or o.flip or self.view == "resize"):
            return images
        count, height, width = ops.shape(images)[0], images.shape[1], images.shape[2]
        angle = self._uniform(count, -math.radians(o.rotation_deg), math.radians(o.rotation_deg)) * self._chosen(count)
        zoom = 1 + (self._uniform(count, 1 - o.scale, 1 + o.scale) - 1) * self._chosen(count)
        shifted = self._chosen(count)
        right = self._uniform(count, -o.shift, o.shift) * width * shifted
        down = self._uniform(count, -o.shift, o.shift) * height * shifted
        mirror = ops.where(self._uniform(count, 0.0, 1.0) < (0.5 if o.flip else 0.0), -1.0, 1.0)
        cos, sin = ops.cos(angle) * zoom, ops.sin(angle) * zoom
        a, b, c, d = cos * mirror, -sin, sin * mirror, cos
        middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
        x = middle_x + right - a * middle_x - b * middle_y
        y = middle_y + down - c * middle_x - d * middle_y
        if self.view == "resize":
            # Pixel u of the small picture lies at step * u + (step - 1) / 2 of the large one.
            step = width / self.size
            x, y = x + (a + b) * (step - 1) / 2, y + (c + d) * (step - 1) / 2
            a, b, c, d = a * step, b * step, c * step, d * step
        zero = ops.zeros_like(a)
        transform = ops.stack([a, b, x, c, d, y, zero, zero], axis=1)
        return ops.image.affine_transform(
            images,
            transform,
            interpolation="bilinear",
            fill_mode="constant",
            fill_value=0.0,
            data_format="channels_last",
        )

    def _light(self, images: Any) -> Any:
        o = self.options
        if not (o.brightness or o.contrast):
            return images
        count = ops.shape(images)[0]
        gain = ops.reshape(self._uniform(count, 1 - o.contrast, 1 + o.contrast), (-1, 1, 1, 1))
        offset = ops.reshape(self._uniform(count, -o.brightness, o.brightness), (-1, 1, 1, 1))
        mean = ops.mean(images, axis=(1, 2, 3), keepdims=True)
        return ops.clip((images - mean) * gain + mean + offset, 0.0, 255.0)

    def _erase(self, images: Any) -> Any:
        """One rectangle of 0.02 to 0.1 of the area, sides from 1:3 to 3:1 (Zhong et al. 2020, random erasing)."""
        o = self.options
        if not o.erase:
            return images
        count = ops.shape(images)[0]
        area = self._uniform(count, 0.02, 0.1)
        aspect = ops.exp(self._uniform(count, -math.log(3.0), math.log(3.0)))
        high, wide = ops.sqrt(area * aspect) * self.size, ops.sqrt(area / aspect) * self.size
        top, left = (
            self._uniform(count, 0.0, 1.0) * (self.size - high),
            self._uniform(count, 0.0, 1.0) * (self.size - wide),
        )
        level = ops.reshape(self._uniform(count, 0.0, 255.0), (-1, 1, 1, 1))
        chosen = self._uniform(count, 0.0, 1.0) < o.erase
        at = ops.arange(self.size, dtype="float32")
        rows = (at >= top[:, None]) & (at < (top + high)[:, None])
        columns = (at >= left[:, None]) & (at < (left + wide)[:, None])
        hidden = rows[:, :, None] & columns[:, None, :] & chosen[:, None, None]
        return ops.where(hidden[..., None], level, images)
