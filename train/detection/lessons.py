"""The batches of one epoch: scenes, each from its own seed, with what each cell is taught."""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from edge_runtime.detectors.decode import Grid
from train.detection.assignment import assign
from train.detection.recipe import DetectorRecipe
from train.models.face_detector import STRIDES
from train.scenes.source import SceneSource

__all__ = ["Lessons"]


class Lessons(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches as (pixels uint8 (N, H, W, C), targets float32 (N, A, 17)).

    A scene's seed is the recipe's, the epoch and its number, so a resumed run sees what an unbroken one sees. They are
    made by a thread while the net computes.
    """

    def __init__(self, source: SceneSource, recipe: DetectorRecipe, epoch: int, steps: int) -> None:
        super().__init__(workers=1, use_multiprocessing=False, max_queue_size=8)
        self.source, self.recipe, self.epoch, self.steps = source, recipe, epoch, steps
        self.grid = Grid.of(*recipe.size, STRIDES)

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, index: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        batch = self.recipe.schedule.batch
        numbers = range(index * batch, (index + 1) * batch)
        scenes = [self.source.scene(self.recipe.seed, self.epoch, number) for number in numbers]
        return np.stack([scene.image for scene in scenes]), np.stack([assign(each.marks, self.grid) for each in scenes])
