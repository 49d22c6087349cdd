"""`python -m train unpack`: a bundle's model as a finished run again, to train on from, to teach with, or to convert anew."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from edge_runtime.bundle import Bundle
from edge_runtime.classifier import Classifier
from edge_runtime.detectors.detector_bundle import DetectorBundle, read_any_bundle
from edge_runtime.facesets import FaceSet
from edge_runtime.files import write_whole
from edge_runtime.labels import label_set
from train.augment import Augment
from train.errors import DataError, ModelError
from train.files import RECIPE, folder_of, new_folder, whole_folder
from train.fit import Fitted
from train.models import build_logits, with_softmax
from train.origin import OTHER_RECIPE, origin_of, recipe_of
from train.packed_weights import read_packed_weights
from train.recipe import Recipe, read_recipe, recipe_file
from train.recipe_tables import Targets
from train.run_folder import write_run
from train.splits import open_splits
from train.unfold import unfold
from train.views import predict
from train.worsen import Worsen

__all__ = ["run"]

_FACES, _BATCH = 1024, 128
"""Training faces that give the normalization its statistics, and on which both models are asked."""
_AGREEMENT = 0.9
"""Of those faces that both must name alike. Rounding to int8 changes one or two in a hundred; another net agrees by chance."""


def run(arguments: argparse.Namespace) -> int:
    """Writes the run folder. Returns 0, or 2 after broken rows."""
    bundle = read_any_bundle(arguments.bundle)
    if isinstance(bundle, DetectorBundle):
        from train.detection.unpack import unpack_detector

        return unpack_detector(bundle, arguments)
    words = arguments.recipe or recipe_of(bundle)
    recipe = _fitting(read_recipe(words), bundle)
    folder = new_folder(folder_of(arguments.out, bundle.name))
    splits = open_splits(arguments, recipe, _say)
    faces = _sample(splits.training, splits.train_split, recipe.seed)
    if not len(splits.choosing):
        raise DataError(f"split {splits.choose_split!r} without a labelled face", "some", "name another --choose-split")

    table = recipe.model
    net = build_logits(table.architecture, table.options, len(bundle.labels), table.net_size, table.channels)
    taken = unfold(net, read_packed_weights(bundle.model), _as_learnt(faces.pixels, recipe))
    model = with_softmax(net, table.size)
    _check_answers(predict(model, faces.pixels), faces.pixels, bundle, recipe.name)
    _say(f"{bundle.name}: {taken} kernels for {recipe.name}; statistics of {len(faces)} faces of {splits.train_split}")

    with whole_folder(folder) as partial:
        write_whole(partial / RECIPE, recipe_file(words).content)
        evaluation = write_run(
            Fitted(model, [], 0, 0.0), recipe, splits, partial, steps=None, trained=True, unpacked=origin_of(bundle)
        )
    print(f"{folder}: {bundle.name} as a finished run; {splits.choose_split}:")
    print("\n".join(evaluation.lines()))
    return 2 if splits.training.problems else 0


def _fitting(recipe: Recipe, bundle: Bundle) -> Recipe:
    """The recipe without what only matters while it learns. Raises ModelError where the bundle reads or answers something else."""
    table, facts = recipe.model, bundle.input
    for what, ours, theirs in (
        ("labels", label_set(recipe.label_set).names, bundle.labels.names),
        ("size in px", table.size, facts.size),
        ("channels", table.channels, facts.channels),
        ("illumination", table.illumination, facts.illumination),
    ):
        if ours != theirs:
            raise ModelError(
                f"the bundle {bundle.name} with the {what} {_words(theirs)}",
                f"{_words(ours)}, as the recipe {recipe.name!r} has them",
                OTHER_RECIPE,
            )
    # Its targets may need votes, which nothing here learns.
    return replace(recipe, model=replace(table, weights=bundle.name), targets=replace(Targets(), kind="labels"))


def _words(value: Any) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _sample(training: FaceSet, name: str, seed: int) -> FaceSet:
    """Some training faces by chance."""
    if not len(training):
        raise DataError(f"split {name!r} without a labelled face", "some", "name another --train-split")
    chosen = np.zeros(len(training), bool)
    chosen[np.random.default_rng(seed).permutation(len(training))[:_FACES]] = True
    return training.where(chosen)


def _as_learnt(pixels: NDArray[np.uint8], recipe: Recipe) -> Iterator[NDArray[np.float32]]:
    """Batches of the faces as they come into the net while it learns, distorted by the recipe's seed."""
    augment = Augment(recipe.augment, recipe.model.net_size, recipe.seed)
    worsen = Worsen(recipe.augment, recipe.seed)
    pixels = pixels[..., None] if pixels.ndim == 3 else pixels
    for first in range(0, len(pixels), _BATCH):
        views = worsen(augment(pixels[first : first + _BATCH], training=True), training=True)
        yield np.asarray(keras.ops.convert_to_numpy(views), np.float32)


def _check_answers(answers: NDArray[np.float32], pixels: NDArray[np.uint8], bundle: Bundle, recipe: str) -> None:
    """Raises ModelError where the net does not answer as the bundle does: then it is another one, of the same shapes."""
    model = Classifier(bundle).model
    pixels = pixels[..., None] if pixels.ndim == 3 else pixels
    wanted = bundle.probabilities(model.dequantized(model.run(pixels)))  # their light is the recipe's already
    alike = float((wanted.argmax(axis=1) == answers.argmax(axis=1)).mean())
    difference = float(np.abs(wanted - answers).mean())
    if alike < _AGREEMENT:
        raise ModelError(
            f"a net of the recipe {recipe} that names {100 * alike:.0f} % of {len(pixels)} faces as the bundle {bundle.name} does",
            f"at least {100 * _AGREEMENT:.0f} %",
            OTHER_RECIPE,
        )
    _say(
        f"it names {100 * alike:.1f} % of {len(pixels)} training faces as the bundle does; probabilities differ by {difference:.4f} in the mean"
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
