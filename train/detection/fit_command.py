"""`python -m train fit` for a face detector's recipe."""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from dataclasses import replace

from edge_runtime.files import write_whole
from train.detection.fit import Fitted, Progress, fit, held_out_scenes
from train.detection.recipe import DetectorRecipe, read_detector_recipe
from train.detection.run_folder import lines_of, write_detector_run
from train.errors import DataError
from train.files import RECIPE, folder_of, make_folder
from train.interruption import INTERRUPTED, TimeIsUpError, say_interrupted
from train.recipe import recipe_file
from train.scenes.made_up import made_up_store
from train.scenes.source import SceneSource, composed, open_source
from train.scenes.store import HELD_OUT, TRAINING
from train.terminal import duration

__all__ = ["refuse_options_of_classifiers", "run", "smoke_recipe"]

_BATCH, _STEPS = 4, 2
_NOT_FOR_DETECTORS = {"votes": None, "devices": None, "train_split": "Training", "choose_split": "PublicTest"}


def run(arguments: argparse.Namespace) -> int:
    """Trains, or goes on training, and writes the run folder.

    Returns 0, or 130 after Ctrl-C or where `--minutes` were over first.
    """
    refuse_options_of_classifiers(arguments)
    words = arguments.recipe[0]
    recipe = read_detector_recipe(words)
    if arguments.weights is not None:
        recipe = replace(recipe, model=replace(recipe.model, weights=arguments.weights))
    if arguments.smoke:
        recipe = smoke_recipe(recipe)
    training, held_out = _sources(arguments, recipe)
    folder = folder_of(arguments.out, recipe.name)
    make_folder(folder)
    file = None if arguments.smoke else recipe_file(words).content
    until = None if arguments.minutes is None else time.monotonic() + 60 * arguments.minutes
    epochs: list[Progress] = []

    def report(progress: Progress) -> None:
        # Only now is it certain that the folder is this recipe's.
        if file is not None and not epochs:
            write_whole(folder / RECIPE, file)
        epochs.append(progress)
        print(_line(progress), flush=True)
        if until is not None and time.monotonic() > until and progress.epoch < progress.epochs:
            raise TimeIsUpError

    steps = _STEPS if arguments.smoke else None
    judged = held_out_scenes(held_out, recipe.judging.scenes)
    schedule = recipe.schedule
    print(
        f"{recipe.name}: {schedule.scenes} scenes an epoch, {schedule.epochs} epochs, judged on {len(judged)} -> {folder}"
    )
    negatives = None if arguments.negatives is None else hashlib.sha256(arguments.negatives.read_bytes()).hexdigest()
    data = hashlib.sha256(f"{training.sha256} {negatives}".encode()).hexdigest()
    try:
        fitted = fit(recipe, training, judged, folder, report, _say, data, steps)
        if not epochs:
            _say(f"{folder}: all {schedule.epochs} epochs are done; only its reports are written again")
        write_detector_run(fitted, recipe, training, judged, negatives, folder, steps)
    except (KeyboardInterrupt, TimeIsUpError) as cause:
        say_interrupted(cause, epochs[-1].epoch if epochs else None, schedule.epochs, folder)
        return INTERRUPTED
    _print(fitted)
    return 0


def refuse_options_of_classifiers(arguments: argparse.Namespace) -> None:
    """Raises DataError where the command has an option that a detector has no use for."""
    for name, default in _NOT_FOR_DETECTORS.items():
        if getattr(arguments, name, default) != default:
            option = "--" + name.replace("_", "-")
            raise DataError(f"{option} for a face detector", "an option that it has", f"leave {option} out")


def smoke_recipe(recipe: DetectorRecipe) -> DetectorRecipe:
    """The same recipe cut to two short epochs at a small size. Its hash says "smoke", so that no real run goes on from it."""
    schedule = replace(recipe.schedule, epochs=2, scenes=_BATCH * _STEPS, batch=_BATCH, warmup_epochs=1)
    model = replace(recipe.model, width=96, height=64, weights="none")
    judging = replace(recipe.judging, scenes=4, every=1)
    return replace(recipe, schedule=schedule, model=model, judging=judging, sha256=f"smoke-{recipe.sha256}")


def _sources(arguments: argparse.Namespace, recipe: DetectorRecipe) -> tuple[SceneSource, SceneSource]:
    """Scenes to fit, and those held out."""
    size, channels = recipe.size, recipe.model.channels
    if arguments.smoke:
        if arguments.data is not None or arguments.negatives is not None:
            _say("--smoke takes made-up scenes; --data and --negatives are not read")
            arguments.negatives = None
        store = made_up_store(seed=recipe.seed)
        return (
            composed(store, TRAINING, recipe.scenes, size, channels),
            composed(store, HELD_OUT, recipe.scenes, size, channels),
        )
    if arguments.data is None:
        raise DataError(
            "fit without --data",
            "the scenes to fit",
            "name an .npz of `python -m train scenes prepare` or a WIDER FACE folder, or try --smoke",
        )
    return (
        open_source(arguments.data, TRAINING, recipe.scenes, size, channels, arguments.negatives),
        open_source(arguments.data, HELD_OUT, recipe.scenes, size, channels),
    )


def _line(progress: Progress) -> str:
    digits = len(str(progress.epochs))
    left = f"{duration(progress.remaining_s)} left" if progress.epoch < progress.epochs else "done"
    judged = ""
    if progress.judgement is not None:
        one = progress.judgement
        judged = f"  AP {100 * one.average_precision:5.2f} %  recall {100 * one.recall_at_one:5.2f} %"
        if one.landmark_error is not None:
            judged += f"  landmarks {100 * one.landmark_error:4.1f} %"
    speed = f"{progress.images_per_s:4.0f} scenes/s"
    return f"epoch {progress.epoch:{digits}d}/{progress.epochs}  loss {progress.loss:.4f}{judged}  {speed}  {left}"


def _print(fitted: Fitted) -> None:
    print(f"best epoch {fitted.best_epoch} of {len(fitted.history)} after {duration(fitted.wall_s)}; held-out scenes:")
    print("\n".join(lines_of(fitted.judgement)))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
