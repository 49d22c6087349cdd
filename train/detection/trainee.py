"""A detector while it learns: the net with all cells in one table, an epoch, and what a checkpoint holds of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from edge_runtime.detectors.decode import JUDGED_FROM, OVERLAP, Found, Grid, faces_of
from edge_runtime.framesets.marks import Scene
from train.checkpoint import State
from train.detection.lessons import Lessons
from train.detection.loss import DetectionLoss
from train.detection.recipe import DetectorRecipe
from train.errors import DivergedError
from train.learning import make_optimizer
from train.models.face_detector import STRIDES, VALUES, build, with_scores
from train.trainee import StopAtNaN
from train.training_copy import training_copy

__all__ = ["Trainee", "answer", "found_in", "in_one_table"]

_PICTURES = 16


class Trainee:
    """A recipe's net while it learns, and its optimizer.

    Args:
        recipe: what to train.
        steps: batches an epoch.
    """

    def __init__(self, recipe: DetectorRecipe, steps: int) -> None:
        self.recipe, self.steps = recipe, steps
        self.net = training_copy(build(recipe.model.options, recipe.size, recipe.model.channels))
        self.model = in_one_table(self.net)
        self.model.compile(
            make_optimizer(recipe.schedule.optimizing, self.model.trainable_variables, steps),
            DetectionLoss(recipe.loss),
            # XLA on the CPU is several times slower than TensorFlow's own kernels; JAX has nothing else.
            jit_compile=keras.backend.backend() == "jax",
        )

    @property
    def learning_rate(self) -> float:
        return float(ops.convert_to_numpy(self.model.optimizer.learning_rate))

    def learn(self, lessons: Lessons, epoch: int) -> float:
        """One epoch: the mean loss. Raises DivergedError where it is no number."""
        outcome = self.model.fit(lessons, verbose=0, shuffle=False, callbacks=[StopAtNaN()]).history
        loss = float(outcome["loss"][-1])
        if not math.isfinite(loss):
            raise DivergedError(
                f"loss {loss} in epoch {epoch + 1}",
                "a finite one",
                "lower schedule.learning_rate; the last good checkpoint stays in the run folder",
            )
        return loss

    def find(self, scenes: Sequence[Scene]) -> list[Found]:
        """What the net as it is now finds in each scene."""
        return found_in(self.model, [scene.image for scene in scenes])

    def weights(self) -> list[NDArray[Any]]:
        return [np.array(array) for array in self.net.get_weights()]

    def finished(self, weights: Sequence[NDArray[Any]]) -> keras.Model:
        """The model that is saved, with these weights."""
        net = build(self.recipe.model.options, self.recipe.size, self.recipe.model.channels)
        net.set_weights(weights)
        return with_scores(net)

    def arrays(self) -> list[NDArray[Any]]:
        """Every variable of the net and its optimizer."""
        return [ops.convert_to_numpy(variable).copy() for variable in self._variables()]

    def resume(self, state: State) -> list[NDArray[Any]]:
        """Takes the net and its optimizer from a checkpoint; returns the best weights so far."""
        variables = self._variables()
        for variable, array in zip(variables, state.arrays[: len(variables)], strict=True):
            variable.assign(array)
        return list(state.arrays[len(variables) :])

    def _variables(self) -> list[Any]:
        return [*self.model.variables, *self.model.optimizer.variables]


def in_one_table(net: keras.Model) -> keras.Model:
    """The same net with one output (N, A, 15): a logit or score, distances and landmarks of all cells."""
    kinds = len(VALUES)
    tables = []
    for level in range(len(STRIDES)):
        outputs = net.outputs[level * kinds : (level + 1) * kinds]
        flat = [layers.Reshape((-1, output.shape[-1]))(output) for output in outputs]
        tables.append(layers.Concatenate(axis=-1)(flat))
    return keras.Model(net.input, layers.Concatenate(axis=1)(tables), name=net.name)


def answer(table: NDArray[np.float32], grid: Grid, threshold: float, *, logits: bool) -> Found:
    """The faces of one picture from its table (A, 15)."""
    if logits:
        scores = 1 / (1 + np.exp(-np.clip(table[:, :1], -30, 30)))
        table = np.concatenate([scores.astype(np.float32), table[:, 1:]], axis=1)
    return faces_of(table, grid, threshold, OVERLAP)


def found_in(
    model: keras.Model, images: Sequence[NDArray[np.uint8]], threshold: float = JUDGED_FROM, *, logits: bool = True
) -> list[Found]:
    """What a net of one table finds in pictures of its own size, uint8 (H, W, C) each."""
    height, width = model.input_shape[1:3]
    grid = Grid.of(width, height, STRIDES)
    found: list[Found] = []
    for start in range(0, len(images), _PICTURES):
        batch = np.stack(images[start : start + _PICTURES])
        tables = ops.convert_to_numpy(model.predict_on_batch(batch))
        found += [answer(table, grid, threshold, logits=logits) for table in tables]
    return found
