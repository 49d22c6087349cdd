"""The two splits that a recipe is fitted to and chosen on, read as the recipe needs them."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

from edge_runtime.facesets import FaceSet
from edge_runtime.labels import label_set
from train.errors import DataError
from train.faces import in_even_light, labelled, open_for_model, say_problems
from train.recipe import Recipe
from train.smoke import made_up_faces

__all__ = ["Splits", "check_splits", "open_splits"]


@dataclass(frozen=True)
class Splits:
    """The faces to fit and those to choose the best epoch on, with the splits' names."""

    training: FaceSet
    choosing: FaceSet
    train_split: str
    choose_split: str


def check_splits(arguments: argparse.Namespace) -> None:
    """Raises DataError where there is no data, or one split for both."""
    if arguments.smoke:
        return
    if arguments.data is None:
        raise DataError(
            "fit without --data", "the faces to fit", "name fer2013.csv, a folder or a prepared .npz, or try --smoke"
        )
    if arguments.train_split == arguments.choose_split:
        raise DataError(
            f"--train-split and --choose-split both {arguments.train_split!r}",
            "two splits: the best epoch is chosen on faces that are not fitted",
            "name another split, or divide the folder into train/ and test/",
        )


def open_splits(arguments: argparse.Namespace, recipe: Recipe, say: Callable[[str], None]) -> Splits:
    """The two splits in the recipe's labels, size and colour, without faces that have no label."""
    check_splits(arguments)
    train_split, choose_split = arguments.train_split, arguments.choose_split
    labels = label_set(recipe.label_set)
    if arguments.smoke:
        if arguments.data is not None:
            say(f"--smoke takes made-up faces; {arguments.data} is not read")
        faces = made_up_faces(labels, recipe.model.size, recipe.model.channels, seed=recipe.seed)
        faces = in_even_light(faces, recipe.model.illumination)
        train_split, choose_split = "Training", "PublicTest"
    else:
        faces = open_for_model(
            arguments.data,
            arguments.votes,
            labels,
            recipe.model.size,
            recipe.model.channels,
            say,
            recipe.model.illumination,
        )
        say_problems(faces, say)
    training, choosing = faces.split(train_split), faces.split(choose_split)
    if recipe.targets.needs_votes and training.votes is None:
        raise DataError(
            f"{arguments.data} without FER+ votes",
            f"the votes that the recipe {recipe.name!r} is fitted to",
            "name them: --votes fer2013new.csv",
        )
    for name, split in ((train_split, training), (choose_split, choosing)):
        unlabelled = int((split.labels < 0).sum())
        if unlabelled:
            say(f"{unlabelled} faces of {name} have no label by the protocol and are left out")
    return Splits(labelled(training), labelled(choosing), train_split, choose_split)
