"""What the tests of conversion share: a tiny Keras net with fixed, lively weights, and made-up faces."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from convert.graph import Graph, Tensor
from convert.quiet import quiet_tensorflow
from edge_runtime.facesets import FaceSet
from edge_runtime.labels import FER2013, LabelSet


def made_up_pixels(count: int, size: int = 48, channels: int = 1, seed: int = 1) -> NDArray[np.uint8]:
    """Patches of light and dark, of every brightness and contrast: uint8 (count, size, size, channels)."""
    random = np.random.default_rng(seed)
    pictures = []
    for _ in range(count):
        low, high = sorted(random.integers(0, 256, 2))
        coarse = random.integers(low, max(high, low + 1) + 1, (5, 5, channels)).clip(0, 255).astype(np.uint8)
        picture = cv2.resize(coarse, (size, size), interpolation=cv2.INTER_LINEAR)
        pictures.append(picture.reshape(size, size, channels))
    return np.stack(pictures)


def made_up_faces(
    a_class: int = 12, split: str = "Training", labels: LabelSet = FER2013, channels: int = 1, size: int = 48
) -> FaceSet:
    """`a_class` pictures of each class, numbered from 100."""
    count = a_class * len(labels)
    pixels = made_up_pixels(count, size, channels)
    return FaceSet(
        pixels[..., 0] if channels == 1 else pixels,
        (np.arange(count) % len(labels)).astype(np.int16),
        np.full(count, split),
        np.arange(100, 100 + count),
        labels,
    )


def write_fer2013(path: Path, faces: FaceSet) -> Path:
    """`faces` as a csv of FER2013's form; rows are numbered anew."""
    lines = ["emotion,pixels,Usage"]
    for face, label, split in zip(faces.pixels, faces.labels, faces.splits, strict=True):
        lines.append(f"{label},{' '.join(map(str, face.ravel()))},{split}")
    path.write_text("\n".join(lines) + "\n")
    return path


def tiny_model(size: int = 48, channels: int = 1, classes: int = 7, softmax: bool = True, seed: int = 2) -> Any:
    """Rescaling, two convolutions, pooling, a dense layer and softmax, without training, yet with decided answers."""
    with quiet_tensorflow():
        import keras
        from keras import layers

        inputs = keras.Input((size, size, channels), name="pixels")
        x = layers.Rescaling(1 / 127.5, -1)(inputs)
        x = layers.Conv2D(8, 5, strides=2, padding="same", activation="relu")(x)
        x = layers.Conv2D(12, 3, strides=2, padding="same", activation="relu")(x)
        x = layers.GlobalAveragePooling2D()(x)
        x = layers.Dense(classes, name="dense")(x)
        model = keras.Model(inputs, layers.Softmax()(x) if softmax else x, name="tiny")
        random = np.random.default_rng(seed)
        for weight in model.weights:
            fan_in = int(np.prod(weight.shape[:-1])) if len(weight.shape) > 1 else 0
            weight.assign(random.normal(0, np.sqrt(2 / fan_in) if fan_in else 0.1, weight.shape))
        _decide(model, made_up_pixels(256, size, channels, seed=3).astype(np.float32))
    return model


def _decide(model: Any, pixels: NDArray[np.float32]) -> None:
    """Scales the dense layer so that each logit has mean 0 and deviation 2 over `pixels`: no class is dead."""
    import keras

    dense = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)][-1]
    logits = np.asarray(keras.Model(model.inputs, dense.output)(pixels))
    kernel, bias = dense.get_weights()
    scale = 2 / logits.std(axis=0)
    dense.set_weights([kernel * scale, (bias - logits.mean(axis=0)) * scale])


def mobile_model(size: int = 48, channels: int = 1, classes: int = 7, seed: int = 2) -> Any:
    """A net in MobileNetV2's manner: batch normalization, inverted residuals, and a dense layer of more than 1,024 weights.

    Its layers are called stem, block0_expand, …, hidden and logits, but for two convolutions that Keras names itself.
    """
    with quiet_tensorflow():
        import keras
        from keras import layers

        def normal(x, relu=True):
            x = layers.BatchNormalization()(x)
            return layers.ReLU(6.0)(x) if relu else x

        keras.utils.clear_session(free_memory=False)
        inputs = keras.Input((size, size, channels), name="pixels")
        x = layers.Rescaling(1 / 127.5, -1, name="scale")(inputs)
        x = normal(layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(x))
        x = normal(layers.Conv2D(8, 1, use_bias=False)(x))
        for block in range(2):
            y = normal(layers.Conv2D(32, 1, use_bias=False, name=f"block{block}_expand")(x))
            y = layers.DepthwiseConv2D(
                3, strides=2 - block, padding="same", use_bias=False, name=f"block{block}_depth"
            )(y)
            y = layers.Conv2D(8, 1, use_bias=False, name=f"block{block}_project")(normal(y))
            x = layers.Add(name=f"block{block}_add")([x, normal(y, relu=False)]) if block else normal(y, relu=False)
        x = layers.GlobalAveragePooling2D(name="pool")(x)
        x = layers.Dropout(0.2, name="drop")(layers.Dense(160, activation="relu", name="hidden")(x))
        model = keras.Model(
            inputs, layers.Softmax(name="softmax")(layers.Dense(classes, name="logits")(x)), name="mobile"
        )
        random = np.random.default_rng(seed)
        for weight in model.weights:
            if len(weight.shape) > 1:
                weight.assign(random.normal(0, np.sqrt(2 / np.prod(weight.shape[:-1])), weight.shape))
        _settle(model, made_up_pixels(128, size, channels, seed=3).astype(np.float32))
        _decide(model, made_up_pixels(256, size, channels, seed=3).astype(np.float32))
    return model


def _settle(model: Any, pixels: NDArray[np.float32]) -> None:
    """Sets each batch normalization's moments to those of its input, from the front to the back."""
    import keras

    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            values = np.asarray(keras.Model(model.inputs, layer.input)(pixels, training=False))
            layer.moving_mean.assign(values.mean(axis=(0, 1, 2)))
            layer.moving_variance.assign(values.var(axis=(0, 1, 2)) + 1e-3)


def bare_graph(operators: Sequence[str] = (), dtype: str = "uint8", scale: float = 0.0, zero_point: int = 0) -> Graph:
    """A graph of one tensor, with one of each operator named."""
    read = Tensor("pixels", (1, 48, 48, 1), (1, 48, 48, 1), dtype, scale, zero_point)
    return Graph(1, dict.fromkeys(operators, 1), read, read, (read,))
