"""`python -m train unpack` for a face detector's bundle: a finished run again, from which a next round goes on."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_runtime.detectors.decode import Found, faces_of
from edge_runtime.detectors.detector_bundle import DetectorBundle
from edge_runtime.detectors.tflite import TFLiteDetector
from edge_runtime.files import write_whole
from edge_runtime.framesets.marks import Marks, Scene
from edge_runtime.framesets.matching import match
from train.detection.fit import Fitted, held_out_scenes, judge_detector
from train.detection.fit_command import refuse_options_of_classifiers
from train.detection.recipe import DETECTOR, DetectorRecipe, read_detector_recipe
from train.detection.run_folder import lines_of, write_detector_run
from train.detection.trainee import found_in, in_one_table
from train.errors import ModelError
from train.files import RECIPE, new_folder, whole_folder
from train.models.face_detector import STRIDES, build, with_scores
from train.origin import OTHER_RECIPE, origin_of, recipe_of
from train.packed_weights import read_packed_weights
from train.recipe import recipe_file
from train.scenes.source import open_source
from train.scenes.store import HELD_OUT, TRAINING
from train.unfold import unfold

__all__ = ["unpack_detector"]

_SCENES, _BATCH = 256, 16
"""Training scenes that give the normalization its statistics."""
_SURE = 0.3
_AGREEMENT = 0.9
"""Of the faces of which either is so sure, both must find nine of ten. Rounding to int8 changes three or four in a hundred."""


def unpack_detector(bundle: DetectorBundle, arguments: argparse.Namespace) -> int:
    """Writes the run folder and returns 0.

    Raises:
        DataError: no scenes, a folder that is there already, or an option that a detector has no use for.
        ModelError: a bundle of no recipe here, or of another one than named.
    """
    refuse_options_of_classifiers(arguments)
    words = arguments.recipe or recipe_of(bundle, DETECTOR)
    recipe = read_detector_recipe(words)
    recipe = replace(recipe, model=replace(recipe.model, weights=bundle.name))
    _check_fit(recipe, bundle)
    folder: Path = new_folder(arguments.out or Path("runs") / bundle.name)
    size, channels = recipe.size, recipe.model.channels
    training = open_source(arguments.data, TRAINING, recipe.scenes, size, channels)
    judged = held_out_scenes(
        open_source(arguments.data, HELD_OUT, recipe.scenes, size, channels), recipe.judging.scenes
    )

    net = build(recipe.model.options, size, channels)
    learnt = [training.scene(recipe.seed, 0, number).image for number in range(_SCENES)]
    taken = unfold(net, read_packed_weights(bundle.model), _batches(learnt))
    model = with_scores(net)
    found = found_in(in_one_table(model), [scene.image for scene in judged], logits=False)
    alike = _alike(found, judged, bundle)
    if alike < _AGREEMENT:
        raise ModelError(
            f"a net of the recipe {recipe.name} that finds {100 * alike:.0f} % of the faces as the bundle {bundle.name} does",
            f"at least {100 * _AGREEMENT:.0f} %",
            OTHER_RECIPE,
        )
    _say(f"{bundle.name}: {taken} kernels for {recipe.name}; statistics of {_SCENES} training scenes")
    _say(f"in {len(judged)} held-out scenes it finds {100 * alike:.1f} % of the faces as the bundle does")

    fitted = Fitted(model, [], 0, 0.0, judge_detector(found, judged, recipe), found)
    with whole_folder(folder) as partial:
        write_whole(partial / RECIPE, recipe_file(words).content)
        write_detector_run(fitted, recipe, training, judged, None, partial, None, unpacked=origin_of(bundle))
    print(f"{folder}: {bundle.name} as a finished run; held-out scenes:")
    print("\n".join(lines_of(fitted.judgement)))
    return 0


def _check_fit(recipe: DetectorRecipe, bundle: DetectorBundle) -> None:
    """Raises ModelError where the bundle reads something else than the recipe's net."""
    facts, size = bundle.facts, recipe.size
    for what, ours, theirs in (
        ("an input of", f"{size[0]} × {size[1]} px", f"{facts.width} × {facts.height} px"),
        ("channels:", recipe.model.channels, facts.channels),
        ("strides:", STRIDES, facts.strides),
    ):
        if ours != theirs:
            raise ModelError(
                f"the bundle {bundle.name} with {what} {theirs}", f"{ours}, as the recipe {recipe.name!r}", OTHER_RECIPE
            )


def _batches(images: Sequence[NDArray[np.uint8]]) -> Iterator[NDArray[np.float32]]:
    for first in range(0, len(images), _BATCH):
        yield np.stack(images[first : first + _BATCH]).astype(np.float32)


def _alike(found: Sequence[Found], judged: Sequence[Scene], bundle: DetectorBundle) -> float:
    """Of the faces that either finds for sure, the share that both find, by their places."""
    detector = TFLiteDetector(bundle)
    theirs = [
        faces_of(detector.answer(scene.image), detector.net.grid, _SURE, detector.facts.overlap) for scene in judged
    ]
    ours = [one.at(one.scores >= _SURE) for one in found]
    marks = [Marks(one.boxes, one.points, Marks.none().boxes) for one in theirs]
    both = int(match(ours, marks).right.sum())
    either = sum(map(len, ours)) + sum(map(len, theirs)) - both
    return both / max(1, either)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
