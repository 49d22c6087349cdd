"""Made-up faces for trials and tests: drawn, seeded, and different enough between classes to be learned."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.facesets import FaceSet
from edge_runtime.labels import FERPLUS_VOTES, LabelSet, canonical
from train.recipe import Recipe

__all__ = ["made_up_faces", "smoke_recipe"]

BATCH, STEPS, VIEWS = 16, 2, 2


def smoke_recipe(recipe: Recipe) -> Recipe:
    """The same recipe cut to two short epochs, the last of them at the last stage's size.

    It starts from no weights. Its hash says "smoke", so that no real run goes on from its checkpoints.
    """
    first, last = recipe.schedule.stages[0], recipe.schedule.stages[-1]
    schedule = replace(
        recipe.schedule,
        stages=(replace(first, epochs=1), replace(last, epochs=1)),
        batch=min(BATCH, recipe.schedule.batch),
        warmup_epochs=min(1, recipe.schedule.warmup_epochs),
    )
    model = replace(recipe.model, weights="none")  # a trial needs no download
    table = recipe.distillation
    taught = table and replace(table, cached_views=min(VIEWS, table.cached_views))
    return replace(recipe, model=model, schedule=schedule, distillation=taught, sha256=f"smoke-{recipe.sha256}")


def made_up_faces(labels: LabelSet, size: int = 48, channels: int = 1, a_class: int = 8, seed: int = 1) -> FaceSet:
    """Drawn faces in the splits Training and PublicTest, half each, with FER+ votes.

    Args:
        labels: the label set; each class has its own mouth, brows and eyes.
        size: side in pixels.
        channels: 1 for grey, 3 for BGR.
        a_class: faces of each class in each split.
        seed: the same seed draws the same faces.
    """
    random = np.random.default_rng(seed)
    count = 2 * a_class * len(labels)
    classes = np.tile(np.arange(len(labels)), 2 * a_class)
    pixels = np.stack([_draw(int(index), len(labels), size, random) for index in classes])
    votes = np.zeros((count, len(FERPLUS_VOTES)), np.uint8)
    columns = {canonical(name): column for column, name in enumerate(FERPLUS_VOTES)}
    for row, index in enumerate(classes):
        votes[row, columns[canonical(labels.names[index])]] = 8
        votes[row, columns["neutral"]] += 2
    return FaceSet(
        pixels if channels == 1 else np.repeat(pixels[..., None], 3, axis=3),
        classes.astype(np.int16),
        np.repeat(["Training", "PublicTest"], count // 2),
        np.arange(count, dtype=np.int64),
        labels,
        votes,
    )


def _draw(index: int, classes: int, size: int, random: np.random.Generator) -> NDArray[np.uint8]:
    """A grey face: an oval, two eyes, brows and a mouth whose shapes follow from the class."""
    scale = size / 48
    image = np.full((size, size), random.integers(20, 90), np.uint8)
    x, y = (int(scale * (24 + random.integers(-2, 3))) for _ in range(2))
    skin, dark = int(random.integers(150, 230)), int(random.integers(10, 60))
    thick = max(1, round(2 * scale))

    def oval(at: tuple[float, float], axes: tuple[float, float], start: int, end: int, grey: int, line: int) -> None:
        centre = (round(x + at[0] * scale), round(y + at[1] * scale))
        half = (max(1, round(axes[0] * scale)), max(1, round(axes[1] * scale)))
        cv2.ellipse(image, centre, half, 0, start, end, grey, line, cv2.LINE_AA)

    share = index / max(1, classes - 1)
    oval((0, 0), (18, 23), 0, 360, skin, -1)
    for side in (-1, 1):
        oval((side * 7, -5), (3, 1 + 3 * share), 0, 360, dark, -1)
        oval((side * 7, -8 - 4 * share), (5, 2), 180, 360, dark, thick)
    if index % 3 == 0:
        oval((0, 15), (8, 5), 200, 340, dark, thick)  # corners down
    elif index % 3 == 1:
        oval((0, 9), (9, 6), 20, 160, dark, thick)  # corners up
    else:
        oval((0, 12), (3 + 4 * share, 5), 0, 360, dark, -1)  # open
    noise = random.normal(0, 6, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)
