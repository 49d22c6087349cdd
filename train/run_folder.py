"""`python -m train fit`: one recipe and one data set into one run folder.

recipe.toml                  the recipe as it was
checkpoints/                 the newest two; the same command goes on from them
model.keras                  faces to probabilities, float32, the best epoch's weights
history.csv, curves.png      an epoch a row
classification_report.*      precision, recall, F1 and support on the choosing split (txt, json)
confusion.png
run.json                     the run card
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from edge_runtime.facesets import FaceSet
from edge_runtime.files import write_whole
from edge_runtime.labels import label_set
from train.errors import DataError
from train.evaluate import MODEL, evaluate
from train.faces import labelled, open_for_model, say_problems
from train.files import make_folder, whole_path
from train.fit import Fitted, Progress, fit
from train.recipe import RECIPES, Recipe, read_recipe
from train.report import write_history, write_scores
from train.run_card import CARD, Code, DataFacts, Hardware, ResultFacts, RunCard, Versions
from train.smoke import STEPS, made_up_faces, smoke_recipe
from train.terminal import duration

__all__ = ["run"]

INTERRUPTED = 130
RECIPE = "recipe.toml"


@dataclass(frozen=True)
class Splits:
    """The faces to fit and those to choose the best epoch on, with the splits' names."""

    training: FaceSet
    choosing: FaceSet
    train_split: str
    choose_split: str


def run(arguments: argparse.Namespace) -> int:
    """Trains, or goes on training, and writes the run folder. Returns 0, 2 after broken rows, 130 after Ctrl-C."""
    recipe = read_recipe(arguments.recipe)
    if arguments.smoke:
        recipe = smoke_recipe(recipe)
    splits = _splits(arguments, recipe)
    folder: Path = arguments.out or Path("runs") / recipe.name
    make_folder(folder)
    words = None if arguments.smoke else _recipe_bytes(arguments.recipe)
    epochs: list[Progress] = []

    def report(progress: Progress) -> None:
        # Only now is it certain that the folder is this recipe's.
        if words is not None and not epochs:
            write_whole(folder / RECIPE, words)
        epochs.append(progress)
        print(_line(progress, splits.choose_split), flush=True)

    print(
        f"{recipe.name}: {len(splits.training)} faces of {splits.train_split}, {len(splits.choosing)} of {splits.choose_split}, {recipe.schedule.epochs} epochs -> {folder}"
    )
    steps = STEPS if arguments.smoke else None
    try:
        fitted = fit(recipe, splits.training, splits.choosing, folder, report, _say, steps)
        if not epochs:
            _say(f"{folder}: all {recipe.schedule.epochs} epochs are done; only its reports are written again")
        if words is not None:
            write_whole(folder / RECIPE, words)
        _write(fitted, recipe, splits, folder, steps, trained=bool(epochs))
    except KeyboardInterrupt:
        done = (
            f"{epochs[-1].epoch} of {recipe.schedule.epochs} epochs are kept"
            if epochs
            else "what was done before is kept"
        )
        print(f"\ninterrupted: {done} in {folder}; the same command goes on from there", file=sys.stderr)
        return INTERRUPTED
    return 2 if splits.training.problems else 0


def _splits(arguments: argparse.Namespace, recipe: Recipe) -> Splits:
    """The two splits in the recipe's labels, size and colour, without faces that have no label."""
    train_split, choose_split = arguments.train_split, arguments.choose_split
    labels = label_set(recipe.label_set)
    if arguments.smoke:
        if arguments.data is not None:
            _say(f"--smoke takes made-up faces; {arguments.data} is not read")
        faces = made_up_faces(labels, recipe.model.size, recipe.model.channels, seed=recipe.seed)
        train_split, choose_split = "Training", "PublicTest"
    elif arguments.data is None:
        raise DataError(
            "fit without --data", "the faces to fit", "name fer2013.csv, a folder or a prepared .npz, or try --smoke"
        )
    elif train_split == choose_split:
        raise DataError(
            f"--train-split and --choose-split both {train_split!r}",
            "two splits: the best epoch is chosen on faces that are not fitted",
            "name another split, or divide the folder into train/ and test/",
        )
    else:
        faces = open_for_model(arguments.data, arguments.votes, labels, recipe.model.size, recipe.model.channels, _say)
        say_problems(faces, _say)
    training, choosing = faces.split(train_split), faces.split(choose_split)
    if recipe.targets.kind == "mixed" and training.votes is None:
        raise DataError(
            f"{arguments.data} without FER+ votes",
            f"the votes that the recipe {recipe.name!r} is fitted to",
            "name them: --votes fer2013new.csv",
        )
    for name, split in ((train_split, training), (choose_split, choosing)):
        unlabelled = int((split.labels < 0).sum())
        if unlabelled:
            _say(f"{unlabelled} faces of {name} have no label by the protocol and are left out")
    return Splits(labelled(training), labelled(choosing), train_split, choose_split)


def _recipe_bytes(name_or_path: str) -> bytes:
    named = RECIPES / f"{name_or_path}.toml"
    return (named if named.exists() else Path(name_or_path)).read_bytes()


def _write(fitted: Fitted, recipe: Recipe, splits: Splits, folder: Path, steps: int | None, trained: bool) -> None:
    """The model first, where it is new or missing: it is what the hours went into."""
    if trained or not (folder / MODEL).exists():
        with whole_path(folder / MODEL) as partial:
            fitted.model.save(partial)
    write_history(fitted.history, splits.choose_split, folder)
    evaluation = evaluate(fitted.model, splits.choosing, splits.training)
    write_scores(evaluation.scores, evaluation.lines(), f"{recipe.name}, {splits.choose_split}", folder)
    scores, fresh = evaluation.scores, evaluation.fresh
    RunCard(
        recipe={"name": recipe.name, "sha256": recipe.sha256, "seed": recipe.seed},
        model={
            "architecture": recipe.model.architecture,
            "size": recipe.model.size,
            "channels": recipe.model.channels,
            "precision": recipe.model.precision,
            "label_set": recipe.label_set,
            "labels": list(splits.training.label_set.names),
        },
        data=DataFacts.of(splits.training, splits.choosing, splits.train_split, splits.choose_split),
        result=ResultFacts(
            epochs=len(fitted.history),
            best_epoch=fitted.best_epoch,
            wall_s=round(fitted.wall_s, 1),
            accuracy=scores.accuracy,
            interval=(scores.interval.low, scores.interval.high),
            repeated_from_training=evaluation.repeated,
            accuracy_without_repeated=None if fresh is None else fresh.accuracy,
            parameters=int(fitted.model.count_params()),
            steps_per_epoch=steps,
        ),
        code=Code.here(),
        versions=Versions.here(),
        hardware=Hardware.here(),
    ).write(folder / CARD)
    print(
        f"best epoch {fitted.best_epoch} of {len(fitted.history)} after {duration(fitted.wall_s)}; {splits.choose_split}:"
    )
    print("\n".join(evaluation.lines()))


def _line(progress: Progress, choosing: str) -> str:
    digits = len(str(progress.epochs))
    left = f"{duration(progress.remaining_s)} left" if progress.epoch < progress.epochs else "done"
    return (
        f"epoch {progress.epoch:{digits}d}/{progress.epochs}  loss {progress.loss:.4f}  accuracy {100 * progress.accuracy:5.2f} %"
        f"  {choosing} {100 * progress.chosen_accuracy:5.2f} %  {progress.images_per_s:5.0f} images/s  {left}"
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
