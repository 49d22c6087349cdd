"""What a command is to read, looked at before Keras is imported: a wrong path is said at once, and not after ten seconds."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from edge_runtime.detectors.detector_bundle import DetectorBundle, read_any_bundle
from edge_runtime.facesets import check_form, read_votes
from train.detection.recipe import read_detector_recipe
from train.files import CHECKPOINTS, START, check_model_file, folder_of, model_at, new_folder
from train.finished import read_run
from train.recipe import CLASSIFIER, Recipe, check_kind, kind_of, read_recipe, student_name
from train.scenes.store import read_store
from train.splits import check_splits

__all__ = ["check_inputs"]


def check_inputs(arguments: argparse.Namespace) -> None:
    """Looks at the recipes, paths and splits of a command that will import Keras; others look for themselves.

    Raises:
        ExplainedError: what the command itself would raise of them.
    """
    check = _CHECKS.get(arguments.module)
    if check is not None:
        check(arguments)


def _fit(arguments: argparse.Namespace) -> None:
    kinds = [kind_of(name) for name in arguments.recipe]
    for words, kind in zip(arguments.recipe, kinds, strict=True):
        recipe = read_recipe(words) if kind == CLASSIFIER else read_detector_recipe(words)
        if isinstance(recipe, Recipe):
            check_kind(recipe, taught=False)
        _check_weights(arguments, folder_of(arguments.out, recipe.name, one_of_several=len(kinds) > 1))
    if set(kinds) == {CLASSIFIER}:
        _check_splits(arguments)
    elif arguments.data is not None and not arguments.data.exists():
        read_store(arguments.data)


def _distill(arguments: argparse.Namespace) -> None:
    recipe = read_recipe(arguments.recipe)
    check_kind(recipe, taught=True)
    for folder in arguments.teacher or ():
        check_model_file(model_at(folder))
    name = student_name(recipe, without_teacher=arguments.without_teacher)
    _check_weights(arguments, folder_of(arguments.out, name))
    _check_splits(arguments)


def _crossvalidate(arguments: argparse.Namespace) -> None:
    read_recipe(arguments.recipe)
    _check_faces(arguments)


def _evaluate(arguments: argparse.Namespace) -> None:
    check_model_file(model_at(arguments.model))
    _check_faces(arguments)


def _calibrate(arguments: argparse.Namespace) -> None:
    check_model_file(model_at(arguments.run))
    _check_faces(arguments)


def _page(arguments: argparse.Namespace) -> None:
    check_model_file(model_at(read_run(arguments.run_folder).folder))
    _check_faces(arguments)


def _unpack(arguments: argparse.Namespace) -> None:
    bundle = read_any_bundle(arguments.bundle)
    new_folder(folder_of(arguments.out, bundle.name))
    if isinstance(bundle, DetectorBundle):
        if not arguments.data.exists():
            read_store(arguments.data)
    else:
        _check_splits(arguments)


def _check_splits(arguments: argparse.Namespace) -> None:
    check_splits(arguments)
    _check_faces(arguments)


def _check_faces(arguments: argparse.Namespace) -> None:
    """A trial does not look at the data that it is given."""
    if arguments.data is not None and not getattr(arguments, "smoke", False):
        check_form(arguments.data, arguments.votes)
        if arguments.votes is not None and not arguments.votes.exists():
            read_votes(arguments.votes)


def _check_weights(arguments: argparse.Namespace, folder: Path) -> None:
    """A run that goes on needs no more what it began with."""
    if arguments.weights not in (None, "none", "imagenet") and not (folder / CHECKPOINTS).is_dir():
        check_model_file(model_at(Path(arguments.weights).expanduser()), START)


_CHECKS: dict[str, Callable[[argparse.Namespace], None]] = {
    "train.fit_command": _fit,
    "train.distill_command": _distill,
    "train.crossvalidate": _crossvalidate,
    "train.evaluate": _evaluate,
    "train.temperature": _calibrate,
    "train.page": _page,
    "train.unpack": _unpack,
}
