"""What the tests of training share: a tiny net, its recipe as TOML, and made-up faces for it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.facesets import FaceSet
from edge_runtime.labels import FER2013
from train.recipe import Recipe, read_recipe
from train.smoke import made_up_faces

SIZE = 24
TINY = """
name = "tiny"
source = "made up"
keeps = "nothing"
changes = "everything"
target = "to run"
label_set = "fer2013"
seed = 3

[model]
architecture = "simple_cnn"
size = 24
options = { filters = [4, 4, 4, 4], dense = 8 }

[augment]
rotation_deg = 10
scale = 0.1
shift = 0.1
flip = true
brightness = 20
contrast = 0.2
erase = 0.3

[schedule]
batch = 16
optimizer = "sgd"
learning_rate = 0.02
decay = "cosine"
warmup_epochs = 1
weight_decay = 1e-3
stages = [{ epochs = 3 }]
"""

EAGERLY = [
    pytest.mark.usefixtures("eagerly"),
    pytest.mark.filterwarnings("ignore:Even though the `tf.config"),
]
"""For a module whose steps are few; a test of it that asks for `in_graphs` has them made into graphs."""

FILES = {
    "checkpoints",
    "classification_report.json",
    "classification_report.txt",
    "confusion.png",
    "curves.png",
    "history.csv",
    "model.keras",
    "recipe.toml",
    "reliability.json",
    "reliability.png",
    "run.html",
    "run.json",
}
"""What a finished run leaves."""


def toml(path: Path, **changes: str) -> Path:
    """Writes TINY with the values of some keys changed: `toml(path, learning_rate="1e30")`."""
    text = TINY
    for key, value in changes.items():
        text, count = re.subn(rf"^{key} = .*$", f"{key} = {value}", text, flags=re.MULTILINE)
        assert count == 1, key
    path.write_text(text)
    return path


def tiny(folder: Path, **changes: str) -> Recipe:
    return read_recipe(str(toml(folder / "tiny.toml", **changes)))


def pooled(folder: Path, stages: str) -> Recipe:
    options = '{ filters = [4, 8], head = "pool", convolutions = 1 }'
    return tiny(folder, architecture='"vgg"', options=options, stages=stages)


def tiny_faces(a_class: int = 8, seed: int = 1) -> FaceSet:
    return made_up_faces(FER2013, SIZE, a_class=a_class, seed=seed)


def upside_down(read):
    """`read_packed_weights` as it would be of a net of the same shapes that answers otherwise: its first kernel is negated."""

    def negated(content):
        first, *others = read(content)
        return [replace(first, kernel=np.ascontiguousarray(-first.kernel)), *others]

    return negated
