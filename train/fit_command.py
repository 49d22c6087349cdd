"""`python -m train fit`: recipes on one data set, each into its own run folder, one after the other."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

from edge_runtime.files import write_whole
from train.devices import data_parallel
from train.errors import DataError
from train.files import RECIPE, folder_of, make_folder
from train.fit import fit
from train.interruption import INTERRUPTED, TimeIsUpError, say_interrupted
from train.progress import Progress
from train.recipe import CLASSIFIER, Recipe, kind_of, read_recipe, recipe_file
from train.run_card import CARD, read_card
from train.run_folder import write_run
from train.smoke import STEPS, smoke_recipe
from train.splits import Splits, open_splits
from train.student import Teaching
from train.terminal import duration, without_retracing_remarks

__all__ = ["changed", "run", "train_recipe"]


def run(arguments: argparse.Namespace) -> int:
    """Trains, or goes on training, and writes the run folders.

    Returns 0, 2 after broken rows, 130 after Ctrl-C or where `--minutes` were over first.
    """
    if any(kind_of(name) != CLASSIFIER for name in arguments.recipe):
        if len(arguments.recipe) > 1:
            raise DataError("a face detector's recipe among several", "one alone", "train it with a command of its own")
        from train.detection import fit_command

        with without_retracing_remarks():
            return fit_command.run(arguments)
    if arguments.negatives is not None:
        raise DataError("--negatives for a classifier", "an option that it has", "leave --negatives out")
    recipes = [changed(read_recipe(name), arguments) for name in arguments.recipe]
    if len({recipe.name for recipe in recipes}) < len(recipes):
        names = ", ".join(recipe.name for recipe in recipes)
        raise DataError(
            f"recipes called {names}", "different ones", "name each once: a run folder has its recipe's name"
        )
    until = None if arguments.minutes is None else time.monotonic() + 60 * arguments.minutes
    code = 0
    for words, recipe in zip(arguments.recipe, recipes, strict=True):
        splits = open_splits(arguments, recipe, _say)
        folder = folder_of(arguments.out, recipe.name, one_of_several=len(recipes) > 1)
        with without_retracing_remarks():
            outcome = train_recipe(
                recipe,
                splits,
                folder,
                None if arguments.smoke else recipe_file(words).content,
                until,
                arguments.devices,
            )
        if outcome == INTERRUPTED:
            return outcome
        code = max(code, outcome)
    return code


def changed(recipe: Recipe, arguments: argparse.Namespace) -> Recipe:
    """The recipe as the command's options change it."""
    if arguments.smoke:
        recipe = smoke_recipe(recipe)
    if arguments.weights is not None:
        recipe = replace(recipe, model=replace(recipe.model, weights=arguments.weights))
    return recipe


def train_recipe(
    recipe: Recipe,
    splits: Splits,
    folder: Path,
    words: bytes | None,
    until: float | None,
    devices: int | None,
    teaching: Teaching | None = None,
) -> int:
    """One recipe into one folder; says how it goes and returns the exit code.

    Args:
        recipe: what to train.
        splits: the faces.
        folder: the run folder, made where it is missing.
        words: the recipe's file, None for a trial.
        until: when to stop, in monotonic seconds.
        devices: that share each batch.
        teaching: what a student's recipe learns from beside its labels.
    """
    make_folder(folder)
    epochs: list[Progress] = []

    def report(progress: Progress) -> None:
        # Only now is it certain that the folder is this recipe's.
        if words is not None and not epochs:
            write_whole(folder / RECIPE, words)
        epochs.append(progress)
        print(progress.line(splits.choose_split), flush=True)
        if until is not None and time.monotonic() > until and progress.epoch < progress.epochs:
            raise TimeIsUpError

    total = recipe.schedule.epochs
    print(
        f"{recipe.name}: {len(splits.training)} faces of {splits.train_split}, {len(splits.choosing)} of {splits.choose_split}, {total} epochs -> {folder}"
    )
    steps = STEPS if words is None else None
    try:
        with data_parallel(devices, recipe.schedule.batch) as sharing:
            if sharing > 1:
                _say(f"each batch is shared by {sharing} devices")
            fitted = fit(recipe, splits.training, splits.choosing, folder, report, _say, steps, teaching)
        if not epochs:
            _say(f"{folder}: all {total} epochs are done; only its reports are written again")
        if words is not None:
            write_whole(folder / RECIPE, words)
        evaluation = write_run(fitted, recipe, splits, folder, steps, trained=bool(epochs), teaching=teaching)
    except (KeyboardInterrupt, TimeIsUpError) as cause:
        say_interrupted(cause, epochs[-1].epoch if epochs else None, total, folder)
        return INTERRUPTED
    print(
        f"best epoch {fitted.best_epoch} of {len(fitted.history)} after {duration(fitted.wall_s)}; {splits.choose_split}:"
    )
    print("\n".join(evaluation.lines()))
    card = read_card(folder / CARD)
    if card is not None and card["result"]["rounded_accuracy"] is not None:
        print(
            f"with int8's rounding, as which the best epoch was chosen: {100 * card['result']['rounded_accuracy']:.2f} %"
        )
    return 2 if splits.training.problems else 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
