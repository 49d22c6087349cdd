"""`python -m train crossvalidate`: one recipe fitted fold after fold, judged on the faces that each fold holds out.

folds.json                   what is being done, so that another command does not go on with it
fold-01/ …                   model.keras, history.csv, curves.png, held-out.npz; checkpoints/ while it is fitted
crossvalidation.json         every figure
classification_report.*      over the held-out faces of all folds together, with the table of folds (txt, json)
confusion.png, reliability.*
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from edge_runtime.facesets import FaceSet
from edge_runtime.labels import label_set
from train.errors import CheckpointError, DataError
from train.faces import in_even_light, labelled, open_for_model, say_problems
from train.files import CHECKPOINTS, MODEL, make_folder, whole_path, write_json
from train.fit import fit
from train.held_out import HeldOut
from train.interruption import INTERRUPTED
from train.pooled import CHOSEN_ON, write_pooled
from train.progress import Progress
from train.protocols import Fold, make_folds
from train.recipe import Recipe, read_recipe
from train.report import write_history
from train.smoke import STEPS, made_up_faces, smoke_recipe
from train.terminal import without_retracing_remarks
from train.views import predict

__all__ = ["check_folds", "fit_folds", "run"]

PLAN, HELD_OUT = "folds.json", "held-out.npz"


def run(arguments: argparse.Namespace) -> int:
    """Fits what is not fitted yet, and judges. Returns 0, 2 after broken rows, 130 after Ctrl-C."""
    recipe = read_recipe(arguments.recipe)
    if arguments.smoke:
        recipe = smoke_recipe(recipe)
    faces, left_out = _open(arguments, recipe)
    folds = make_folds(arguments.protocol, faces.labels, faces.groups, arguments.folds, arguments.seed)
    check_folds(folds, faces, recipe)
    folder: Path = arguments.out
    make_folder(folder)
    plan = {
        "protocol": arguments.protocol,
        "folds": len(folds),
        "seed": arguments.seed,
        "recipe": {"name": recipe.name, "sha256": recipe.sha256, "seed": recipe.seed},
        "label_set": faces.label_set.name,
        "data_sha256": faces.sha256(),
        "faces_of_folds_sha256": _sha256(folds),
    }
    _keep(plan, folder / PLAN)
    print(f"{recipe.name}: {len(faces)} faces, {arguments.protocol}, {len(folds)} folds -> {folder}", flush=True)
    try:
        with without_retracing_remarks():
            held_out = fit_folds(recipe, faces, folds, folder, _show, _say, STEPS if arguments.smoke else None)
    except KeyboardInterrupt:
        print(f"\ninterrupted: what was done is kept in {folder}; the same command goes on from there", file=sys.stderr)
        return INTERRUPTED
    words = write_pooled({**plan, "trial": arguments.smoke}, faces, folds, held_out, left_out, folder)
    print(words)
    return 2 if faces.problems else 0


def fit_folds(
    recipe: Recipe,
    faces: FaceSet,
    folds: Sequence[Fold],
    folder: Path,
    show: Callable[[str], None],
    say: Callable[[str], None],
    steps: int | None = None,
) -> list[HeldOut]:
    """Fits a model a fold into `folder/fold-01` …, and returns what each says of its held-out faces.

    A fold whose held-out.npz is there and belongs to these faces and this recipe is not fitted again.

    Args:
        recipe: what to fit.
        faces: all of them labelled, in the recipe's label set and size.
        folds: positions in `faces`.
        folder: holds the folds' folders.
        show: called with a line an epoch.
        say: called with lines about what was found and passed over.
        steps: batches an epoch, for a trial.

    Raises:
        DataError, DivergedError, CheckpointError: as `fit`.
    """
    digits = max(2, len(str(len(folds))))
    found = []
    for number, fold in enumerate(folds, 1):
        place = folder / f"fold-{number:0{digits}d}"
        training, choosing = faces.where(fold.training), faces.where(fold.choosing)
        key = _sha256([fold]) + training.sha256() + recipe.sha256
        kept = HeldOut.read(place / HELD_OUT, key, say)
        if kept is not None and (place / MODEL).exists():
            say(f"{place.name} is done; it is not fitted again")
            found.append(kept)
            continue
        make_folder(place)
        keras.utils.clear_session()  # the nets of earlier folds would stay in memory

        def report(progress: Progress, head: str = f"fold {number}/{len(folds)}") -> None:
            show(f"{head}  {progress.line('chosen on')}")

        fitted = fit(recipe, training, choosing, place, report, say, steps)
        held_out = HeldOut(
            fold.held_out,
            predict(fitted.model, faces.pixels[fold.held_out]),
            fitted.best_epoch,
            round(fitted.wall_s, 1),
        )
        with whole_path(place / MODEL) as partial:
            fitted.model.save(partial)
        write_history(fitted.history, CHOSEN_ON, place)
        held_out.write(place / HELD_OUT, key)
        shutil.rmtree(place / CHECKPOINTS, ignore_errors=True)  # a fold that is done needs no way back
        found.append(held_out)
    return found


def check_folds(folds: Sequence[Fold], faces: FaceSet, recipe: Recipe) -> None:
    """Refuses folds that could not be fitted, before hours have gone into the others.

    Raises:
        DataError: less than a batch to fit, or a class without faces to fit.
    """
    for number, fold in enumerate(folds, 1):
        counts = np.bincount(faces.labels[fold.training], minlength=len(faces.label_set))
        empty = [name for name, count in zip(faces.label_set.names, counts, strict=True) if not count]
        where = f"fold {number}" + (
            f" (without {', '.join(fold.groups[:3])}{' …' * (len(fold.groups) > 3)})" * bool(fold.groups)
        )
        if empty:
            raise DataError(
                f"{where}: no faces of {', '.join(empty)} to fit",
                "faces of each class in every fold's training part",
                "take another --seed, --folds or protocol, or a label set without that class",
            )
        if counts.sum() < recipe.schedule.batch:
            raise DataError(
                f"{where}: {counts.sum()} faces to fit",
                f"at least one batch of {recipe.schedule.batch}",
                "take more faces, or a recipe with a smaller batch",
            )


def _open(arguments: argparse.Namespace, recipe: Recipe) -> tuple[FaceSet, int]:
    """The labelled faces to divide, and how many had no label."""
    labels, model = label_set(recipe.label_set), recipe.model
    if arguments.smoke:
        if arguments.data is not None:
            _say(f"--smoke takes made-up faces; {arguments.data} is not read")
        faces = made_up_faces(labels, model.size, model.channels, seed=recipe.seed)
        people = np.arange(len(faces)) // len(labels) % 8  # each shows every expression
        faces = replace(faces, groups=np.array([f"person{number}" for number in people]))
        faces = in_even_light(faces, model.illumination)
    elif arguments.data is None:
        raise DataError("crossvalidate without --data", "the faces to divide", "name them, or try --smoke")
    else:
        faces = open_for_model(
            arguments.data, arguments.votes, labels, model.size, model.channels, _say, model.illumination
        )
        say_problems(faces, _say)
        for name in arguments.split or ():
            faces.split(name)  # refuses one that is not there
        if arguments.split:
            faces = faces.where(np.isin(faces.splits, arguments.split))
    if recipe.targets.needs_votes and faces.votes is None:
        raise DataError(
            f"{arguments.data} without FER+ votes",
            f"the votes that the recipe {recipe.name!r} is fitted to",
            "name them: --votes fer2013new.csv",
        )
    known = labelled(faces)
    left_out = len(faces) - len(known)
    if left_out:
        _say(f"{left_out} faces have no label by the protocol and are left out")
    return known, left_out


def _keep(plan: dict[str, Any], path: Path) -> None:
    """Writes the plan, or compares it with the one that is there."""
    try:
        before = json.loads(path.read_bytes())
    except FileNotFoundError:
        write_json(path, plan)
        return
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path}: {error}", "the plan of a cross-validation", "name another --out") from error
    if before != plan:
        keys = [key for key in plan if not isinstance(before, dict) or before.get(key) != plan[key]]
        raise CheckpointError(
            f"{path.parent}: a cross-validation with another {', '.join(keys)}",
            "the same command as before",
            "name another --out, or run the command that began it",
        )


def _sha256(folds: Sequence[Fold]) -> str:
    digest = hashlib.sha256()
    for fold in folds:
        for rows in (fold.training, fold.choosing, fold.held_out):
            digest.update(f"{len(rows)} ".encode() + rows.astype("<i8").tobytes())
    return digest.hexdigest()


def _show(line: str) -> None:
    print(line, flush=True)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
