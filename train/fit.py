"""Fitting: one recipe on one data set into one run folder, resumable by the same command.

The training model is `augment -> worsen -> logits`, or a student's beside its teachers (see `student.py`); what is saved is
`logits -> softmax` at the recipe's size, in float32.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from edge_runtime.facesets import FaceSet
from train.batches import Lessons
from train.checkpoint import Checkpoints
from train.errors import CheckpointError, DataError
from train.files import CHECKPOINTS
from train.models import build_logits, with_softmax
from train.progress import Progress
from train.quantization import fake_quantized
from train.recipe import Recipe, check_kind
from train.recipe_tables import Schedule
from train.refit import find_refit, fold_refit
from train.student import Student, Teaching
from train.trainee import Trainee, middle
from train.weights import carry_weights

__all__ = ["Fitted", "fit"]


@dataclass(frozen=True)
class Fitted:
    """The outcome: `model` gives probabilities, with the weights of the epoch that was best on the choosing split."""

    model: keras.Model
    history: list[dict[str, float]]
    best_epoch: int
    wall_s: float


def fit(
    recipe: Recipe,
    training: FaceSet,
    choosing: FaceSet,
    folder: Path,
    report: Callable[[Progress], None],
    say: Callable[[str], None],
    steps: int | None = None,
    teaching: Teaching | None = None,
) -> Fitted:
    """Trains `recipe` and returns its best model.

    Args:
        recipe: what to train, and how.
        training: faces to fit, in the recipe's label set and size.
        choosing: faces on which the best epoch is chosen; never fitted.
        folder: the run folder; `folder/checkpoints` holds one checkpoint an epoch.
        report: called after each epoch.
        say: called with lines for a person (resumed, damaged checkpoint).
        steps: batches an epoch, for a trial; None takes all.
        teaching: what a student's recipe learns from beside its labels.

    Raises:
        DataError: no labelled faces, fewer than one batch, or a class without any.
        DivergedError: the loss became NaN or infinite.
        CheckpointError: the checkpoints are of another recipe or data set.
        RecipeError: an architecture, option, layer or weights that do not exist or fit, or a student's recipe without
            `teaching`.
    """
    check_kind(recipe, teaching is not None)
    _check(training, choosing, recipe)
    keras.utils.set_random_seed(recipe.seed)
    lessons = Lessons.of(training, recipe)
    seen = lessons if teaching is None else teaching.lessons(lessons, recipe)
    classes, steps = len(training.label_set), len(seen) // recipe.schedule.batch if steps is None else steps
    if teaching is None:
        trainee = Trainee(recipe, classes, steps)
    else:
        trainee = Student(recipe, classes, steps, teaching, folder, say)
    facts = {
        "recipe": recipe.sha256,
        "data": training.sha256(),
        "targets": hashlib.sha256(lessons.targets.tobytes()).hexdigest(),
        "weights": recipe.model.weights,
        **({} if teaching is None else teaching.facts()),
    }
    checkpoints = Checkpoints(folder / CHECKPOINTS, say)
    history: list[dict[str, float]] = []
    state = checkpoints.newest()
    if state is None:
        table = recipe.model
        carried = carry_weights(trainee.logits, table.architecture, table.weights, training.label_set.names)
        if carried:
            say(carried)
        elif recipe.quantization.rounds:
            say("it learns int8's rounding from the first step on: give it a finished run with --weights")
        best = trainee.weights()
        wall_s = 0.0
    else:
        _check_same(state.facts, facts, folder)
        history, wall_s = state.facts["history"], state.facts["wall_s"]
        best = trainee.resume(state)
        if len(history) < recipe.schedule.epochs:
            say(f"resumed after epoch {len(history)} of {recipe.schedule.epochs}")

    if len(history) < recipe.schedule.epochs:
        trainee.prepare(seen)
    for epoch in range(len(history), recipe.schedule.epochs):
        began = time.monotonic()
        rate = trainee.begin(epoch, history)
        batches = trainee.batches(seen, epoch)
        loss, accuracy = trainee.learn(batches, epoch)
        fitted_s = time.monotonic() - began
        with trainee.averaged(batches):
            chosen = trainee.accuracy(choosing)
            earlier = [row["chosen_accuracy"] for row in history if row["whole"]]
            if not history or (trainee.whole and chosen > max(earlier, default=0.0)):
                best = trainee.weights()
        took = time.monotonic() - began
        wall_s += took
        history.append(
            {
                "epoch": epoch + 1,
                "loss": loss,
                "accuracy": accuracy,
                "chosen_accuracy": chosen,
                "learning_rate": rate,
                "size": trainee.augment.size,
                "whole": trainee.whole,
                "seconds": took,
            }
        )
        checkpoints.save(epoch + 1, [*trainee.arrays(), *best], {**facts, "history": history, "wall_s": wall_s})
        report(
            Progress(
                epoch + 1,
                recipe.schedule.epochs,
                loss,
                accuracy,
                chosen,
                rate,
                trainee.steps * recipe.schedule.batch / fitted_s,
                _remaining(history, recipe.schedule, recipe.model.net_size),
            )
        )
    best_epoch = max((row for row in history if row["whole"]), key=lambda row: row["chosen_accuracy"])["epoch"]
    return Fitted(_finished(recipe, training, lessons, best, say), history, int(best_epoch), wall_s)


def _finished(
    recipe: Recipe, training: FaceSet, lessons: Lessons, best: list[NDArray[Any]], say: Callable[[str], None]
) -> keras.Model:
    """The model that is saved: float32, at the recipe's size, its logits refitted where the recipe says so."""
    table = recipe.model
    final = build_logits(table.architecture, table.options, len(training.label_set), table.net_size, table.channels)
    final.set_weights(best)
    if recipe.targets.refit:
        pixels = middle(lessons.pixels, table.crop)
        net = fake_quantized(final) if recipe.quantization.rounds else final
        answers = [
            np.asarray(net.predict_on_batch(pixels[start : start + 512].astype(np.float32)))
            for start in range(0, len(pixels), 512)
        ]
        refit = find_refit(np.concatenate(answers), training.labels)
        fold_refit(final, refit)
        shifts = zip(training.label_set.names, refit.shifts, strict=True)
        say(
            f"logits refitted to the training labels: × {refit.scale:.2f}, "
            + ", ".join(f"{name} {by:+.2f}" for name, by in shifts)
        )
    return with_softmax(final, table.size)


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
    for key, what in (
        ("recipe", "recipe"),
        ("data", "training data"),
        ("targets", "targets (FER+ votes)"),
        ("weights", "weights to start from"),
        ("teachers", "set of teachers"),
        ("unlabelled", "set of unlabelled pictures"),
    ):
        # Checkpoints of earlier versions know neither targets nor weights; everything else must be there and the same.
        if (key in found or key in ("recipe", "data")) and found[key] != wanted[key]:
            raise CheckpointError(
                f"{folder}: checkpoints of another {what} ({found[key][:12]})",
                f"{what} {wanted[key][:12]}",
                "name a new run folder with --out",
            )


def _remaining(history: list[dict[str, float]], schedule: Schedule, whole: int) -> float:
    """Seconds left: epochs of one size take as long as the last of that size; an unseen size goes by its area."""
    seconds = {row["size"]: row["seconds"] for row in history}
    last = history[-1]
    sizes = [schedule.stage_at(epoch).size or whole for epoch in range(len(history), schedule.epochs)]
    return sum(seconds.get(size, last["seconds"] * (size / last["size"]) ** 2) for size in sizes)
