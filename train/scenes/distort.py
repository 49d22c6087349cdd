"""What a camera does to a whole scene: light, blur, noise, compression, too few pixels."""

from __future__ import annotations

import functools

import cv2
import numpy as np
from numpy.typing import NDArray

from train.scenes.options import SceneOptions

__all__ = ["distort"]

_NOISE = 1 << 20


def distort(image: NDArray[np.uint8], options: SceneOptions, random: np.random.Generator) -> NDArray[np.uint8]:
    """A distorted copy of (H, W) or (H, W, 3); nothing moves by more than a fraction of a pixel."""
    height, width = image.shape[:2]
    gamma, gain, offset = np.exp(random.normal(0, 0.25)), random.uniform(0.75, 1.15), random.normal(0, 10)
    levels = 255 * (np.arange(256) / 255) ** gamma * gain + offset
    image = cv2.LUT(image, np.clip(levels, 0, 255).astype(np.uint8))
    if random.random() < options.coarse:
        scale = random.uniform(0.45, 0.9)
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        image = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    if random.random() < options.blur:
        image = _blurred(image, random)
    if random.random() < options.noise:
        strength = random.uniform(1.0, 10.0)
        start = int(random.integers(_NOISE - image.size)) if image.size < _NOISE else 0
        noise = np.resize(_noise()[start : start + image.size], image.size).reshape(image.shape)
        image = np.clip(image + noise * np.float32(strength), 0, 255).astype(np.uint8)
    if random.random() < options.jpeg:
        image = _compressed(image, int(random.integers(25, 95)))
    return image


def _compressed(image: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    read = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE if image.ndim == 2 else cv2.IMREAD_COLOR)
    return np.asarray(read, np.uint8)


def _blurred(image: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    blurred: NDArray[np.uint8]
    if random.random() < 0.6:
        blurred = cv2.GaussianBlur(image, (0, 0), random.uniform(0.4, 1.5))
        return blurred
    length, angle = int(random.integers(3, 8)), random.uniform(0, np.pi)
    kernel = np.zeros((length, length), np.float32)
    middle, reach = (length - 1) / 2, np.array([np.cos(angle), np.sin(angle)]) * (length - 1) / 2
    start, end = (tuple(np.rint(middle + sign * reach).astype(int).tolist()) for sign in (-1, 1))
    cv2.line(kernel, start, end, 1.0)
    blurred = cv2.filter2D(image, -1, kernel / kernel.sum())
    return blurred


@functools.cache
def _noise() -> NDArray[np.float32]:
    """Normal noise of strength 1, drawn once: each scene takes another part of it."""
    return np.random.default_rng(20260101).standard_normal(_NOISE, np.float32)
