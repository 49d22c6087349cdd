"""Fitting a detector: one recipe on one source of scenes into one run folder, resumable by the same command."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from edge_runtime.detectors.decode import Found
from edge_runtime.framesets.judgement import Judgement, judge
from edge_runtime.framesets.marks import Scene
from train.checkpoint import Checkpoints
from train.detection.lessons import Lessons
from train.detection.recipe import DetectorRecipe
from train.detection.saved import carry_detector
from train.detection.trainee import Trainee, found_in, in_one_table
from train.errors import CheckpointError
from train.files import CHECKPOINTS
from train.scenes.source import SceneSource

__all__ = ["HELD_OUT_SEED", "Fitted", "Progress", "fit", "held_out_scenes", "judge_detector"]

HELD_OUT_SEED = 20260101
"""Of the scenes that detectors are judged on: the same for every recipe, whatever its own seed."""


@dataclass(frozen=True)
class Progress:
    """One finished epoch: shares are 0..1, times seconds. `judgement` is None where the epoch was not judged."""

    epoch: int
    epochs: int
    loss: float
    judgement: Judgement | None
    images_per_s: float
    remaining_s: float


@dataclass(frozen=True)
class Fitted:
    """The outcome: the model with the weights of the best epoch judged, and what it finds in the held-out scenes."""

    model: keras.Model
    history: list[dict[str, float]]
    best_epoch: int
    wall_s: float
    judgement: Judgement
    found: list[Found]


def held_out_scenes(source: SceneSource, count: int) -> list[Scene]:
    """The scenes that a detector is judged on: the same ones for the same source and number."""
    return [source.scene(HELD_OUT_SEED, number) for number in range(count)]


def fit(
    recipe: DetectorRecipe,
    training: SceneSource,
    judged: list[Scene],
    folder: Path,
    report: Callable[[Progress], None],
    say: Callable[[str], None],
    data: str,
    steps: int | None = None,
) -> Fitted:
    """Trains `recipe` and returns its best model.

    Args:
        recipe: what to train, and how.
        training: gives the scenes to fit.
        judged: scenes on which the best epoch is chosen; never fitted.
        folder: the run folder; `folder/checkpoints` holds one checkpoint an epoch.
        report: called after each epoch.
        say: called with lines for a person.
        data: a hash of all that scenes are made from; a run goes on with the same alone.
        steps: batches an epoch, for a trial; None takes the recipe's.

    Raises:
        DivergedError: the loss became NaN or infinite.
        CheckpointError: the checkpoints are of another recipe or of other data.
        ModelError: weights to start from that are missing or do not fit.
    """
    keras.utils.set_random_seed(recipe.seed)
    schedule = recipe.schedule
    trainee = Trainee(recipe, schedule.steps if steps is None else steps)
    facts = {"recipe": recipe.sha256, "data": data, "weights": recipe.model.weights}
    checkpoints = Checkpoints(folder / CHECKPOINTS, say)
    history: list[dict[str, float]] = []
    wall_s = 0.0
    state = checkpoints.newest()
    if state is None:
        carried = carry_detector(trainee.net, recipe.model.weights)
        if carried:
            say(carried)
        best = trainee.weights()
    else:
        _check_same(state.facts, facts, folder)
        history, wall_s = state.facts["history"], state.facts["wall_s"]
        best = trainee.resume(state)
        if len(history) < schedule.epochs:
            say(f"resumed after epoch {len(history)} of {schedule.epochs}")

    for epoch in range(len(history), schedule.epochs):
        began = time.monotonic()
        rate = trainee.learning_rate
        loss = trainee.learn(Lessons(training, recipe, epoch, trainee.steps), epoch)
        fitted_s = time.monotonic() - began
        row = {"epoch": epoch + 1, "loss": loss, "learning_rate": rate}
        judgement = None
        if (epoch + 1) % recipe.judging.every == 0 or epoch + 1 == schedule.epochs:
            judgement = judge_detector(trainee.find(judged), judged, recipe)
            earlier = [one["average_precision"] for one in history if "average_precision" in one]
            if judgement.average_precision > max(earlier, default=-1.0):
                best = trainee.weights()
            row |= {
                "average_precision": judgement.average_precision,
                "recall_at_one": judgement.recall_at_one,
                "landmark_error": -1.0 if judgement.landmark_error is None else judgement.landmark_error,
            }
        took = time.monotonic() - began
        wall_s += took
        history.append({**row, "seconds": took})
        checkpoints.save(epoch + 1, [*trainee.arrays(), *best], {**facts, "history": history, "wall_s": wall_s})
        left = sum(one["seconds"] for one in history) / len(history) * (schedule.epochs - len(history))
        speed = trainee.steps * schedule.batch / fitted_s
        report(Progress(epoch + 1, schedule.epochs, loss, judgement, speed, left))

    model = trainee.finished(best)
    found = found_in(in_one_table(model), [scene.image for scene in judged], logits=False)
    rows = [row for row in history if "average_precision" in row]
    best_epoch = int(max(rows, key=lambda row: row["average_precision"])["epoch"])
    return Fitted(model, history, best_epoch, wall_s, judge_detector(found, judged, recipe), found)


def judge_detector(found: list[Found], judged: list[Scene], recipe: DetectorRecipe) -> Judgement:
    """The figures for what a detector found in the scenes that it is judged on."""
    return judge(found, [scene.marks for scene in judged], smallest_px=recipe.judging.smallest_px)


def _check_same(found: dict[str, Any], wanted: dict[str, Any], folder: Path) -> None:
    for key, what in (("recipe", "recipe"), ("data", "scenes"), ("weights", "weights to start from")):
        if found.get(key) != wanted[key]:
            raise CheckpointError(
                f"{folder}: checkpoints of another {what} ({str(found.get(key))[:12]})",
                f"{what} {wanted[key][:12]}",
                "name a new run folder with --out",
            )
