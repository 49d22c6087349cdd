"""Small nets of each architecture, their weights off their beginning."""

import functools

import keras
import numpy as np

from train.models import build_logits

SMALL = {
    "inception_resnet_v2": {"width": 0.25, "blocks": [1, 1, 1], "stem_stride": 1, "padding": "same"},
    "mini_xception": {},
    "mobilenet_v2": {"width": 0.25},
    "mobilenet_v2_keras": {"width": 0.35},
    "resnet50": {"blocks": [1, 1, 1, 1], "stem_pool": 1},
    "simple_cnn": {"filters": [4, 4, 4, 4], "dense": 8},
    "vgg": {"filters": [8, 8, 8, 8], "head": "pool"},
}
"""A few options by which each architecture becomes quick to build; its layers stay."""


def pixels(size: int, channels: int = 1, count: int = 2) -> np.ndarray:
    return np.random.default_rng(size).integers(0, 256, (count, size, size, channels)).astype(np.float32)


def answers(model: keras.Model, images: np.ndarray) -> np.ndarray:
    return np.asarray(model(images, training=False))


def stirred(model: keras.Model) -> keras.Model:
    """The model with every weight off its beginning, as after training: biases, averages and scales too."""
    random = np.random.default_rng(3)
    for variable in model.weights:
        spread = 0.1 * np.abs(variable.numpy()).mean() + 0.01
        variable.assign(np.abs(variable.numpy() + random.uniform(0, spread, variable.shape)))
        if variable.name == "kernel":
            variable.assign(variable.numpy() * random.choice([-1, 1], variable.shape))
    return model


@functools.cache
def net(name: str, channels: int = 1, attention: str = "") -> keras.Model:
    """The small net for 64 px, stirred. It is built once: read it only."""
    keras.utils.set_random_seed(3)
    return stirred(
        build_logits(name, {**SMALL[name], **({"attention": attention} if attention else {})}, 7, 64, channels)
    )
