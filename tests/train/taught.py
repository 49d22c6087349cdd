"""What the tests of distillation share: a tiny student's recipe, and tiny teachers with and without run folders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np

from edge_runtime.labels import label_set
from tests.train.made import SIZE, TINY
from train.fit import Fitted, fit
from train.models import build_logits, with_softmax
from train.recipe import Recipe, read_recipe
from train.run_card import CARD, CARD_VERSION
from train.smoke import made_up_faces
from train.teachers import Teacher

POOLED = {"filters": [4, 8], "head": "pool", "convolutions": 1, "dropout": 0.4}
"""A tiny net that reads any size, with batch normalization and dropout."""


def student_toml(
    path: Path, distillation: str = "", stages: str = "[{ epochs = 3 }]", learning_rate: str = "0.02"
) -> Path:
    """TINY as the recipe of a student that can learn from such nets; `distillation` holds the lines of that table."""
    text = TINY.replace('architecture = "simple_cnn"', 'architecture = "vgg"')
    text = text.replace(
        "options = { filters = [4, 4, 4, 4], dense = 8 }",
        'options = { filters = [4, 8], head = "pool", convolutions = 1, dropout = 0.4 }',
    )
    text = text.replace("stages = [{ epochs = 3 }]", f"stages = {stages}")
    text = text.replace("learning_rate = 0.02", f"learning_rate = {learning_rate}")
    path.write_text(f"{text}\n[distillation]\n{distillation}\n")
    return path


def student(
    folder: Path, distillation: str = "", stages: str = "[{ epochs = 3 }]", learning_rate: str = "0.02"
) -> Recipe:
    return read_recipe(str(student_toml(folder / "student.toml", distillation, stages, learning_rate)))


def net(labels: str = "fer2013", size: int = SIZE, channels: int = 1, seed: int = 5) -> keras.Model:
    """A tiny untrained model from pixels to probabilities whose answers differ from face to face, and are not unsure."""
    keras.utils.set_random_seed(seed)
    names = label_set(labels)
    logits = build_logits("vgg", POOLED, len(names), size, channels)
    faces = made_up_faces(names, size, channels, a_class=2).pixels
    answers = np.asarray(logits(faces.reshape(-1, size, size, channels).astype(np.float32)))
    scale = 2 / answers.std(axis=0)
    layer = logits.get_layer("logits")
    kernel, bias = layer.get_weights()
    layer.set_weights([kernel * scale, (bias - answers.mean(axis=0)) * scale])
    return with_softmax(logits)


def teacher(name: str = "wise", **options: Any) -> Teacher:
    return Teacher(name, "made up", f"sha256 of {name}", 0.5, "PublicTest", net(**options))


def teacher_folder(folder: Path, labels: str = "fer2013", card: dict[str, Any] | None = None, **options: Any) -> Path:
    """A run folder with just what a teacher must have; `card` changes its model table."""
    folder.mkdir(parents=True)
    net(labels, **options).save(folder / "model.keras")
    model = {"label_set": labels, "labels": list(label_set(labels).names), **(card or {})}
    facts = {
        "format": CARD_VERSION,
        "recipe": {"name": "made_up"},
        "model": model,
        "data": {"sha256": "", "train_split": "Training", "choose_split": "PublicTest"},
        "result": {"accuracy": 0.625},
        "code": {},
        "versions": {},
        "hardware": {},
    }
    (folder / CARD).write_text(json.dumps(facts))
    return folder


def distil(folder, recipe, faces, teaching, report=lambda progress: None, say=lambda line: None) -> Fitted:
    parts = faces.split("Training"), faces.split("PublicTest")
    return fit(recipe, *parts, folder, report, say, teaching=teaching)


def divergence(of: np.ndarray, other: np.ndarray) -> float:
    """The mean Kullback-Leibler divergence of rows of probabilities."""
    return float((of * np.log(np.maximum(of, 1e-9) / np.maximum(other, 1e-9))).sum(axis=1).mean())


def softmax(logits: np.ndarray) -> np.ndarray:
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


def compared(teacher_layer: str, student_layer: str, weight: float = 1.0) -> str:
    return f'features = {{ teacher_layer = "{teacher_layer}", student_layer = "{student_layer}", weight = {weight} }}'


def pooled_to(channels: int) -> keras.Model:
    """A net whose pooled features have another number of channels than the student's."""
    inputs = keras.Input((SIZE, SIZE, 1))
    x = keras.layers.Conv2D(8, 3, padding="same", name="block0_0")(keras.layers.Rescaling(1 / 127.5, -1)(inputs))
    x = keras.layers.Conv2D(channels, 3, activation="relu")(x)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, keras.layers.Softmax()(keras.layers.Dense(7, name="logits")(x)))


class KilledError(Exception):
    """Stands for a power cut: nothing in the product catches it."""
