"""Fitting: one recipe on one data set into one run folder, resumable by the same command.

The training model is `augment -> logits`; what is saved is `logits -> softmax` at the recipe's size, in float32.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from edge_runtime.facesets import FaceSet, with_size
from train.augment import Augment
from train.checkpoint import Checkpoints
from train.errors import CheckpointError, DataError, DivergedError
from train.fused import with_fused_normalization
from train.models import build_logits, with_softmax
from train.recipe import Recipe, Schedule
from train.refit import find_refit, fold_refit
from train.targets import make_targets

__all__ = ["Fitted", "Progress", "fit"]


@dataclass(frozen=True)
class Progress:
    """One finished epoch: shares are 0..1, times seconds."""

    epoch: int
    epochs: int
    loss: float
    accuracy: float
    chosen_accuracy: float
    learning_rate: float
    images_per_s: float
    remaining_s: float


@dataclass(frozen=True)
class Fitted:
    """The outcome: `model` gives probabilities, with the weights of the epoch that was best on the choosing split."""

    model: keras.Model
    history: list[dict[str, float]]
    best_epoch: int
    wall_s: float


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Shuffled full batches of one epoch; the order follows from seed and epoch alone, so a resumed run sees the same."""

    def __init__(
        self, pixels: NDArray[np.uint8], targets: NDArray[np.float32], batch: int, seed: int, epoch: int
    ) -> None:
        super().__init__()
        self.pixels, self.targets, self.batch = pixels, targets, batch
        self.order = np.random.default_rng([seed, epoch]).permutation(len(pixels))

    def __len__(self) -> int:
        return len(self.order) // self.batch

    def __getitem__(self, index: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        chosen = self.order[index * self.batch : (index + 1) * self.batch]
        return self.pixels[chosen], self.targets[chosen]


def fit(
    recipe: Recipe,
    training: FaceSet,
    choosing: FaceSet,
    folder: Path,
    report: Callable[[Progress], None],
    say: Callable[[str], None],
    steps: int | None = None,
) -> Fitted:
    """Trains `recipe` and returns its best model.

    Args:
        training: faces to fit, in the recipe's label set and size.
        choosing: faces on which the best epoch is chosen; never fitted.
        folder: the run folder; `folder/checkpoints` holds one checkpoint an epoch.
        report: called after each epoch.
        say: called with lines for a person (resumed, damaged checkpoint).
        steps: batches an epoch, for a trial; None takes all.

    Raises:
        DataError: no labelled faces, fewer than one batch, or a class without any.
        DivergedError: the loss became NaN or infinite.
        CheckpointError: the checkpoints are of another recipe or data set.
    """
    schedule, table = recipe.schedule, recipe.model
    _check(training, choosing, recipe)
    keras.utils.set_random_seed(recipe.seed)
    # bfloat16 is set globally while the net is built, as Keras' own mixed precision is; the saved model is float32.
    keras.config.set_dtype_policy("mixed_bfloat16" if table.precision == "bfloat16" else "float32")
    classes = len(training.label_set)
    pooled = any(stage.size not in (0, table.size) for stage in schedule.stages)
    logits = with_fused_normalization(
        build_logits(table.architecture, table.options, classes, None if pooled else table.size, table.channels)
    )
    augment = Augment(recipe.augment, table.size, recipe.seed)
    inputs = keras.Input((table.size, table.size, table.channels), dtype="uint8")
    trainer = keras.Model(inputs, logits(augment(inputs)))
    keras.config.set_dtype_policy("float32")

    pixels, targets = _as_batch(training), make_targets(training, recipe.targets)
    per_epoch = len(pixels) // schedule.batch
    _compile(trainer, schedule, per_epoch if steps is None else steps)
    variables = [*trainer.variables, *trainer.optimizer.variables]
    facts = {
        "recipe": recipe.sha256,
        "data": training.sha256(),
        "targets": hashlib.sha256(targets.tobytes()).hexdigest(),
    }
    checkpoints = Checkpoints(folder / "checkpoints", say)
    history: list[dict[str, float]] = []
    best = [np.asarray(weight) for weight in logits.get_weights()]
    start, wall_s = 0, 0.0
    state = checkpoints.newest()
    if state is not None:
        _check_same(state.facts, facts, folder)
        for variable, array in zip(variables, state.arrays[: len(variables)], strict=True):
            variable.assign(array)
        best = list(state.arrays[len(variables) :])
        start, history, wall_s = state.facts["epoch"], state.facts["history"], state.facts["wall_s"]
        if start < schedule.epochs:
            say(f"resumed after epoch {start} of {schedule.epochs}")

    for epoch in range(start, schedule.epochs):
        began = time.monotonic()
        stage = schedule.stage_at(epoch)
        size = stage.size or table.size
        if (size, stage.view) != (augment.size, augment.view):
            augment.size, augment.view = size, stage.view
            trainer.make_train_function(force=True)
        batches = Batches(pixels, targets, schedule.batch, recipe.seed, epoch)
        loss, accuracy = _one_epoch(trainer, batches, steps, epoch + 1)
        fitted_s = time.monotonic() - began
        raw = [np.array(variable) for variable in trainer.trainable_variables] if schedule.ema else []
        if schedule.ema:
            trainer.optimizer.finalize_variable_values(trainer.trainable_variables)
        small = stage.view == "resize" and size < table.size
        chosen = _accuracy(logits, with_size(choosing, size, table.channels) if small else choosing)
        earlier = [row["chosen_accuracy"] for row in history if row["whole"]]
        if not history or (not small and chosen > max(earlier, default=0.0)):
            best = [np.asarray(weight) for weight in logits.get_weights()]
        for variable, array in zip(trainer.trainable_variables, raw, strict=False):
            variable.assign(array)
        took = time.monotonic() - began
        wall_s += took
        rate = float(trainer.optimizer.learning_rate.numpy())
        images = (len(batches) if steps is None else steps) * schedule.batch
        history.append(
            {
                "epoch": epoch + 1,
                "loss": loss,
                "accuracy": accuracy,
                "chosen_accuracy": chosen,
                "learning_rate": rate,
                "size": size,
                "whole": not small,
                "seconds": took,
            }
        )
        arrays = [variable.numpy() for variable in variables]
        checkpoints.save(epoch + 1, [*arrays, *best], {**facts, "history": history, "wall_s": wall_s})
        report(
            Progress(
                epoch + 1,
                schedule.epochs,
                loss,
                accuracy,
                chosen,
                rate,
                images / fitted_s,
                _remaining(history, schedule),
            )
        )

    final = build_logits(table.architecture, table.options, classes, table.size, table.channels)
    final.set_weights(best)
    if recipe.targets.refit:
        answers = np.asarray(final.predict(pixels.astype(np.float32), batch_size=256, verbose=0))
        refit = find_refit(answers, training.labels)
        fold_refit(final, refit)
        shifts = zip(training.label_set.names, refit.shifts, strict=True)
        say(
            f"logits refitted to the training labels: × {refit.scale:.2f}, "
            + ", ".join(f"{name} {by:+.2f}" for name, by in shifts)
        )
    best_epoch = max((row for row in history if row["whole"]), key=lambda row: row["chosen_accuracy"])["epoch"]
    return Fitted(with_softmax(final), history, int(best_epoch), wall_s)


def _check(training: FaceSet, choosing: FaceSet, recipe: Recipe) -> None:
    for name, faces in (("training", training), ("choosing", choosing)):
        least = recipe.schedule.batch if name == "training" else 1
        count = int((faces.labels >= 0).sum())
        if count < least:
            raise DataError(
                f"{count} {name} faces with a label",
                f"at least {least}, a batch to fit and one to choose on",
                "take a larger split or a smaller batch",
            )
        size = faces.pixels.shape[1:3]
        channels = 1 if faces.pixels.ndim == 3 else faces.pixels.shape[3]
        if size != (recipe.model.size, recipe.model.size) or channels != recipe.model.channels:
            raise DataError(
                f"{name} faces of {size[1]} × {size[0]} px with {channels} channels",
                f"{recipe.model.size} × {recipe.model.size} px with {recipe.model.channels}",
                "run `python -m train prepare --size` first, or correct model.size",
            )
        counts = np.bincount(faces.labels[faces.labels >= 0], minlength=len(faces.label_set))
        if name == "training" and (counts == 0).any():
            empty = [label for label, count in zip(faces.label_set.names, counts, strict=True) if not count]
            raise DataError(
                f"no training faces for {', '.join(empty)}",
                "faces of each class",
                "add some, or use a label set without it",
            )


def _check_same(found: dict[str, Any], wanted: dict[str, Any], folder: Path) -> None:
    for key, what in (("recipe", "recipe"), ("data", "training data"), ("targets", "targets (FER+ votes)")):
        # Checkpoints of the first version know no targets; everything else must be there and the same.
        if (key in found or key != "targets") and found[key] != wanted[key]:
            raise CheckpointError(
                f"{folder}: checkpoints of another {what} ({found[key][:12]})",
                f"{what} {wanted[key][:12]}",
                "name a new run folder with --out",
            )


def _compile(trainer: keras.Model, schedule: Schedule, steps: int) -> None:
    rate: Any = schedule.learning_rate
    if schedule.decay == "cosine":
        warmup = schedule.warmup_epochs * steps
        rate = keras.optimizers.schedules.CosineDecay(
            schedule.learning_rate / 10 if warmup else schedule.learning_rate,
            max(1, schedule.epochs * steps - warmup),
            warmup_target=schedule.learning_rate if warmup else None,
            warmup_steps=warmup,
        )
    decay = schedule.weight_decay or None
    average: dict[str, Any] = {"use_ema": True, "ema_momentum": schedule.ema} if schedule.ema else {}
    if schedule.optimizer == "adam":
        optimizer: Any = keras.optimizers.Adam(rate, weight_decay=decay, **average)
    else:
        optimizer = keras.optimizers.SGD(rate, momentum=schedule.momentum, nesterov=True, weight_decay=decay, **average)
    if decay:
        optimizer.exclude_from_weight_decay(
            [variable for variable in trainer.trainable_variables if variable.name != "kernel"]
        )
    optimizer.build(trainer.trainable_variables)
    # XLA on the CPU is several times slower than TensorFlow's own kernels; JAX has nothing else.
    compiled = keras.backend.backend() == "jax"
    trainer.compile(
        optimizer, keras.losses.CategoricalCrossentropy(from_logits=True), metrics=["accuracy"], jit_compile=compiled
    )


class StopAtNaN(keras.callbacks.Callback):  # type: ignore[misc]
    """Ends the epoch at the first batch whose loss is no number; Keras' own callback also prints a line."""

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        if logs is not None and not math.isfinite(logs["loss"]):
            self.model.stop_training = True


def _one_epoch(trainer: keras.Model, batches: Batches, steps: int | None, epoch: int) -> tuple[float, float]:
    outcome = trainer.fit(batches, verbose=0, shuffle=False, steps_per_epoch=steps, callbacks=[StopAtNaN()]).history
    loss = float(outcome["loss"][-1])
    if not math.isfinite(loss):
        raise DivergedError(
            f"loss {loss} in epoch {epoch}",
            "a finite one",
            "lower schedule.learning_rate; the last good checkpoint stays in the run folder",
        )
    return loss, float(outcome["accuracy"][-1])


def _as_batch(faces: FaceSet) -> NDArray[np.uint8]:
    return faces.pixels[..., None] if faces.pixels.ndim == 3 else faces.pixels


def _accuracy(logits: keras.Model, faces: FaceSet) -> float:
    known = faces.where(faces.labels >= 0)
    outputs = logits.predict(_as_batch(known).astype(np.float32), batch_size=256, verbose=0)
    return float((np.asarray(outputs).argmax(axis=1) == known.labels).mean())


def _remaining(history: list[dict[str, float]], schedule: Schedule) -> float:
    """Seconds left: epochs of one crop size take as long as the last of that size; an unseen size goes by its area."""
    seconds = {row["size"]: row["seconds"] for row in history}
    last = history[-1]
    sizes = [schedule.stage_at(epoch).size or last["size"] for epoch in range(len(history), schedule.epochs)]
    return sum(seconds.get(size, last["seconds"] * (size / last["size"]) ** 2) for size in sizes)
