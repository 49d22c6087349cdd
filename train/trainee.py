"""A recipe's net while it learns: what each stage changes in it, an epoch, and what a checkpoint holds of it."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from edge_runtime.facesets import FaceSet, with_size
from train.augment import Augment
from train.batches import Batches, Lessons
from train.checkpoint import State
from train.errors import DivergedError, RecipeError
from train.learning import epoch_rate, make_optimizer
from train.models import build_logits
from train.quantization import fake_quantized
from train.recipe import Recipe
from train.recipe_tables import Stage
from train.training_copy import training_copy
from train.worsen import Worsen

__all__ = ["Trainee", "as_batch", "compile_options", "freeze", "middle"]

_GATHERING = 30
"""Batches over which averaged weights gather their batch statistics anew (Izmailov et al. 2018, section 3.2)."""


class Trainee:
    """A recipe's net while it learns: `augment -> worsen -> logits`, its optimizer, and what its stage changes in them."""

    def __init__(self, recipe: Recipe, classes: int, steps: int) -> None:
        table, schedule = recipe.model, recipe.schedule
        self.recipe, self.steps = recipe, steps
        # bfloat16 is set globally while the net is built, as Keras' own mixed precision is; the saved model is float32.
        keras.config.set_dtype_policy("mixed_bfloat16" if table.precision == "bfloat16" else "float32")
        try:
            open_size = any(stage.size not in (0, table.net_size) for stage in schedule.stages)
            built = build_logits(
                table.architecture, table.options, classes, None if open_size else table.net_size, table.channels
            )
            self.logits = fake_quantized(built) if recipe.quantization.rounds else training_copy(built)
            self.augment = Augment(recipe.augment, table.net_size, recipe.seed)
            self.worsen = Worsen(recipe.augment, recipe.seed)
            self.model = self._model()
        finally:
            keras.config.set_dtype_policy("float32")
        self.whole = True
        self.stage: Stage | None = None

    def _model(self) -> keras.Model:
        """What is fitted: it has the net's layers, and takes batches as `batches` gives them."""
        table = self.recipe.model
        inputs = keras.Input((table.size, table.size, table.channels), dtype="uint8")
        return keras.Model(inputs, self.logits(self.worsen(self.augment(inputs))))

    def _compile(self, optimizer: Any) -> None:
        self.model.compile(
            optimizer, keras.losses.CategoricalCrossentropy(from_logits=True), metrics=["accuracy"], **compile_options()
        )

    def prepare(self, lessons: Lessons) -> None:
        """What must be done before the first epoch; nothing here."""

    def batches(self, lessons: Lessons, epoch: int) -> Batches:
        """The epoch's batches, once `begin` was called for it."""
        return Batches(lessons, self.recipe, epoch)

    def begin(self, epoch: int, history: list[dict[str, float]]) -> float:
        """Sets up the epoch's stage and returns its learning rate at the start."""
        schedule = self.recipe.schedule
        stage = schedule.stage_at(epoch)
        self._enter(stage, epoch)
        if schedule.decay != "cosine":
            self.model.optimizer.learning_rate = epoch_rate(schedule, stage, history)
        return float(ops.convert_to_numpy(self.model.optimizer.learning_rate))

    def _enter(self, stage: Stage, epoch: int) -> None:
        if stage == self.stage:
            return
        if self.stage is None or stage.frozen_to != self.stage.frozen_to:
            freeze(self.logits, stage.frozen_to)
            optimizer = make_optimizer(
                self.recipe.schedule, self.model.trainable_variables, self.steps, epoch * self.steps
            )
            self._compile(optimizer)
        whole = self.recipe.model.net_size
        self.augment.size, self.augment.view = stage.size or whole, stage.view
        self.whole = stage.view != "resize" or self.augment.size == whole
        self.model.train_function = None  # `fit` traces the new view
        self.stage = stage

    def learn(self, batches: Batches, epoch: int) -> tuple[float, float]:
        """One epoch: mean loss and accuracy over the distorted training faces."""
        self.model.optimizer.use_ema = bool(self.recipe.schedule.ema)
        outcome = self.model.fit(
            batches, verbose=0, shuffle=False, steps_per_epoch=self.steps, callbacks=[StopAtNaN(), KeepOwnWeights()]
        ).history
        loss = float(outcome["loss"][-1])
        if not math.isfinite(loss):
            raise DivergedError(
                f"loss {loss} in epoch {epoch + 1}",
                "a finite one",
                "lower schedule.learning_rate; the last good checkpoint stays in the run folder",
            )
        return loss, float(outcome["accuracy"][-1])

    def averaged(self, batches: Batches) -> Averaged:
        """A context in which the net has its averaged weights, where the recipe keeps an average."""
        return Averaged(self, batches)

    def accuracy(self, faces: FaceSet) -> float:
        """How often the net is right on `faces`, which it sees as the stage's size and view have it, rounded as it learns."""
        known = faces.where(faces.labels >= 0)
        table = self.recipe.model
        if not self.whole:
            known = with_size(known, self.augment.size, table.channels)
        pixels = middle(as_batch(known), 0 if not self.whole else table.crop)
        outputs = self.logits.predict(pixels.astype(np.float32), batch_size=256, verbose=0)
        return float((np.asarray(outputs).argmax(axis=1) == known.labels).mean())

    def weights(self) -> list[NDArray[Any]]:
        """Copies of the net's weights, in Keras' order."""
        return [weight.copy() for weight in self.logits.get_weights()]

    def arrays(self) -> list[NDArray[Any]]:
        """Everything that a checkpoint holds of the net and its optimizer."""
        return [ops.convert_to_numpy(variable).copy() for variable in self._variables()]

    def resume(self, state: State) -> list[NDArray[Any]]:
        """Takes the net and its optimizer from a checkpoint; returns the best weights so far."""
        epoch = int(state.facts["epoch"])
        stage = self.recipe.schedule.stage_at(epoch - 1)
        before = sum(one.epochs for one in self.recipe.schedule.stages[: self._first_alike(stage, epoch - 1)])
        self._enter(stage, before)
        variables = self._variables()
        for variable, array in zip(variables, state.arrays[: len(variables)], strict=True):
            variable.assign(array)
        return list(state.arrays[len(variables) :])

    def _first_alike(self, stage: Stage, epoch: int) -> int:
        """The number of the first stage, up to the epoch's, since which the same layers are trained."""
        stages = self.recipe.schedule.stages
        number, end = 0, stages[0].epochs
        while epoch >= end:
            number += 1
            end += stages[number].epochs
        while number and stages[number - 1].frozen_to == stage.frozen_to:
            number -= 1
        return number

    def _variables(self) -> list[Any]:
        return [*self.model.variables, *self.model.optimizer.variables]


class Averaged:
    """While entered, the net has the average of its weights over the steps, with batch statistics gathered for it."""

    def __init__(self, trainee: Trainee, batches: Batches) -> None:
        self.trainee, self.batches = trainee, batches

    def __enter__(self) -> None:
        self.kept: list[NDArray[Any]] = []
        if not self.trainee.recipe.schedule.ema:
            return
        self.kept = self.trainee.weights()
        model = self.trainee.model
        model.optimizer.use_ema = True
        model.optimizer.finalize_variable_values(model.trainable_variables)
        for index in range(min(_GATHERING, len(self.batches))):
            model(self.batches[index][0], training=True)

    def __exit__(self, *_: object) -> None:
        if self.kept:
            self.trainee.logits.set_weights(self.kept)


class StopAtNaN(keras.callbacks.Callback):  # type: ignore[misc]
    """Ends the epoch at the first batch whose loss is no number; Keras' own callback also prints a line."""

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        if logs is not None and not math.isfinite(logs["loss"]):
            self.model.stop_training = True


class KeepOwnWeights(keras.callbacks.Callback):  # type: ignore[misc]
    """Keeps `fit` from putting the averaged weights in place of the net's own when it ends."""

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        self.model.optimizer.use_ema = False


def compile_options() -> dict[str, Any]:
    """XLA on the CPU is several times slower than TensorFlow's own kernels; JAX has nothing else."""
    return {"jit_compile": keras.backend.backend() == "jax"}


def freeze(model: keras.Model, frozen_to: str) -> None:
    """Makes all layers trainable but those before the one called `frozen_to`; "" freezes none.

    Raises:
        RecipeError: no such layer.
    """
    names = [layer.name for layer in model.layers]
    if frozen_to and frozen_to not in names:
        raise RecipeError(
            f"frozen_to = {frozen_to!r}", f"a layer of {model.name}: {', '.join(names)}", "correct the recipe's stage"
        )
    first = names.index(frozen_to) if frozen_to else 0
    for index, layer in enumerate(model.layers):
        layer.trainable = index >= first


def as_batch(faces: FaceSet) -> NDArray[np.uint8]:
    """The pixels of `faces` as (N, H, W, C)."""
    return faces.pixels[..., None] if faces.pixels.ndim == 3 else faces.pixels


def middle(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The middle `side` px of (N, H, W, C); 0 is all."""
    top = (pixels.shape[1] - side) // 2
    return pixels[:, top : top + side, top : top + side] if side else pixels
