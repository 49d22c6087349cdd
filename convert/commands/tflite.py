"""`python -m convert tflite`: a saved Keras model becomes FILE.tflite and its card FILE.tflite.json."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from convert.calibration import Calibration, choose_calibration, read_calibration_faces, read_evaluation_faces
from convert.check import check_budget
from convert.commands.options import check_out, check_paths, chosen_illumination
from convert.commands.summary import print_summary
from convert.detector.source import is_detector
from convert.errors import RecipeError, UsageError
from convert.recipe import Recipe, read_recipe
from convert.source import KerasFacts, keras_facts, read_keras
from convert.stability import measure_stability
from convert.tflite import convert
from convert.written import write_conversion
from edge_runtime.facesets import FaceSet

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Returns 0; whatever is wrong raises."""
    source = arguments.model
    recipe = _recipe(arguments)
    out = arguments.out or source.parent / f"{recipe.name}.tflite"
    _check_calibration(arguments, recipe)
    check_out(out, ".tflite")
    if recipe.calibrated:
        check_paths(arguments.calibration, arguments.evaluation)
    model = read_keras(source)
    if is_detector(model):
        from convert.commands import tflite_detector

        return tflite_detector.run(arguments, recipe, model, out)
    if arguments.size is not None:
        raise UsageError(f"--size for a classifier, {source}", "the size that it was trained at", "leave --size out")
    illumination = chosen_illumination(arguments.illumination, source)
    facts = keras_facts(model, str(source))
    faces, calibration = _calibration(arguments, recipe, facts, illumination) if recipe.calibrated else (None, None)
    if sys.stderr.isatty():
        print(f"converting {source} to {recipe.name}, which takes some ten seconds", file=sys.stderr)
    made = convert(model, recipe, calibration, str(source))
    check_budget(len(made.content), arguments.most_bytes, str(out))
    stability = None
    if arguments.stability and faces is not None and calibration is not None:
        stability = measure_stability(model, recipe, faces, calibration, made.content, str(source))
    card = write_conversion(out, source, recipe, made, calibration, illumination, stability)
    print_summary(out, card, made.graph)
    return 0


def _recipe(arguments: argparse.Namespace) -> Recipe:
    """The recipe, with what the command line says otherwise."""
    recipe = read_recipe(arguments.recipe or arguments.kind)
    changes: dict[str, Any] = {
        key: value
        for key, value in (("io", arguments.io), ("count", arguments.count), ("seed", arguments.seed))
        if value is not None
    }
    if arguments.keep_layer or arguments.keep_operator:
        changes |= {"keep_layers": tuple(arguments.keep_layer), "keep_operators": tuple(arguments.keep_operator)}
    try:
        return replace(recipe, **changes)
    except ValueError as error:
        raise RecipeError(
            f"recipe {recipe.name}: {error}", "options that fit its kind", "leave the option out"
        ) from error


def _check_calibration(arguments: argparse.Namespace, recipe: Recipe) -> None:
    kind = recipe.kind
    if recipe.calibrated and arguments.calibration is None:
        raise UsageError(
            f"--kind {kind} without --calibration", f"--calibration DATA: faces that set the ranges of {kind}", "add it"
        )
    if recipe.calibrated:
        return
    if arguments.stability:
        raise UsageError(
            f"--stability for {kind}", "a kind that faces calibrate", "leave it out: no calibration decides this model"
        )
    if arguments.calibration is not None:
        print(f"convert: {kind} needs no calibration; --calibration is not read", file=sys.stderr)


def _calibration(
    arguments: argparse.Namespace, recipe: Recipe, facts: KerasFacts, illumination: str
) -> tuple[FaceSet, Calibration]:
    """The training faces, and those chosen of them."""
    path: Path = arguments.calibration
    faces, others = read_calibration_faces(path, arguments.calibration_split)
    for problem in faces.problems:
        print(f"convert: {path}: {problem}; left out", file=sys.stderr)
    evaluation = None
    if arguments.evaluation is not None and arguments.evaluation.resolve() != path.resolve():
        evaluation = read_evaluation_faces(arguments.evaluation, arguments.evaluation_split)
    name = path.resolve().name
    chosen = choose_calibration(
        faces, name, facts.size, facts.channels, recipe.count, recipe.seed, illumination, others, evaluation
    )
    return faces, chosen
