"""The batches of one epoch: which faces, in what order, mixed with which, and taught what."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from edge_runtime.facesets import FaceSet
from train.recipe import Recipe
from train.targets import class_weights, drawn_targets, make_targets

__all__ = ["Batches", "Lessons"]

_ORDER, _DRAW, _MIX = range(3)


@dataclass(frozen=True)
class Lessons:
    """The training faces as arrays: pixels uint8 (N, H, W, C), targets float32 (N, classes), weights float32 (N,).

    Pictures without a label have -1 in `labels`, and a row of zeros for their target.
    """

    pixels: NDArray[np.uint8]
    targets: NDArray[np.float32]
    weights: NDArray[np.float32]
    labels: NDArray[np.int16]

    @classmethod
    def of(cls, faces: FaceSet, recipe: Recipe) -> Lessons:
        pixels = faces.pixels[..., None] if faces.pixels.ndim == 3 else faces.pixels
        weights = np.ones(len(faces), np.float32)
        if recipe.targets.class_weights == "balanced":
            weights = class_weights(faces.labels, len(faces.label_set))
        return cls(pixels, make_targets(faces, recipe.targets), weights, faces.labels)

    def with_unlabelled(self, pixels: NDArray[np.uint8]) -> Lessons:
        """These and, after them, pictures that only a teacher can say something about."""
        count = len(pixels)
        return Lessons(
            np.concatenate([self.pixels, pixels]),
            np.concatenate([self.targets, np.zeros((count, self.targets.shape[1]), np.float32)]),
            np.concatenate([self.weights, np.ones(count, np.float32)]),
            np.concatenate([self.labels, np.full(count, -1, np.int16)]),
        )

    def __len__(self) -> int:
        return len(self.pixels)


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Full batches of one epoch, as (pixels, targets, weights).

    Everything drawn follows from the recipe's seed and the epoch alone, so a resumed run sees what an unbroken one sees.
    """

    def __init__(self, lessons: Lessons, recipe: Recipe, epoch: int) -> None:
        super().__init__()
        self.lessons, self.recipe, self.epoch = lessons, recipe, epoch
        self.targets = lessons.targets
        if recipe.targets.kind == "probability":
            drawn = drawn_targets(lessons.targets, recipe.targets, self._seed(_DRAW))
            self.targets = np.where(lessons.labels[:, None] < 0, np.float32(0), drawn)
        random = np.random.default_rng(self._seed(_ORDER))
        if recipe.schedule.sampling == "balanced":
            counts = np.bincount(lessons.labels)
            chances = 1.0 / counts[lessons.labels]
            self.order = random.choice(len(lessons), len(lessons), p=chances / chances.sum())
        else:
            self.order = random.permutation(len(lessons))

    def __len__(self) -> int:
        return len(self.order) // self.recipe.schedule.batch

    def __getitem__(self, index: int) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]:
        chosen = self.chosen(index)
        pixels, targets, weights = self.lessons.pixels[chosen], self.targets[chosen], self.lessons.weights[chosen]
        alpha = self.recipe.augment.mixup
        if alpha:
            random = np.random.default_rng([*self._seed(_MIX), index])
            share = random.beta(alpha, alpha, len(chosen)).astype(np.float32)
            other = random.permutation(len(chosen))
            across = share[:, None, None, None]
            pixels = np.rint(pixels * across + pixels[other] * (1 - across)).astype(np.uint8)
            targets = targets * share[:, None] + targets[other] * (1 - share[:, None])
        return pixels, targets, weights

    def chosen(self, index: int) -> NDArray[np.int64]:
        """Places in the lessons of the batch's faces, in its order."""
        batch = self.recipe.schedule.batch
        return self.order[index * batch : (index + 1) * batch]

    def _seed(self, purpose: int) -> list[int]:
        seed = [self.recipe.seed, self.epoch]
        return seed if purpose == _ORDER else [*seed, purpose]
