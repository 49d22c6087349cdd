"""`python -m convert tflite` for a face detector: frames with known faces calibrate it, and it may read a smaller picture."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from convert.calibration import Calibration
from convert.check import check_budget
from convert.commands.options import refuse_options
from convert.commands.summary import print_summary
from convert.detector.calibration import choose_frames
from convert.detector.facts import NetFacts
from convert.detector.source import detector_facts, resized
from convert.detector.tflite import check_detector_kind, convert_detector
from convert.recipe import Recipe
from convert.written import write_conversion
from edge_runtime.framesets import read_frame_set
from edge_runtime.illumination import NO_ILLUMINATION
from edge_runtime.members import FACE_DETECTOR

__all__ = ["run"]

_OF_CLASSIFIERS = {"illumination": None, "stability": False, "evaluation_split": None, "calibration_split": "Training"}


def run(arguments: argparse.Namespace, recipe: Recipe, model: Any, out: Path) -> int:
    """Returns 0; whatever is wrong raises.

    Args:
        arguments: of the command.
        recipe: how to convert.
        model: the Keras detector.
        out: the file to write.
    """
    source: Path = arguments.model
    refuse_options(arguments, _OF_CLASSIFIERS, f"a face detector, {source}")
    check_detector_kind(recipe.kind)
    facts = detector_facts(model, str(source))
    if arguments.size is not None:
        model = resized(model, facts, arguments.size, str(source))
        facts = detector_facts(model, str(source))
    calibration = _calibration(arguments, recipe, facts) if recipe.calibrated else None
    if sys.stderr.isatty():
        print(f"converting {source} to {recipe.name}, which takes some ten seconds", file=sys.stderr)
    made = convert_detector(model, recipe, calibration, str(source))
    check_budget(len(made.content), arguments.most_bytes, str(out))
    card = write_conversion(out, source, recipe, made, calibration, NO_ILLUMINATION, subject=FACE_DETECTOR)
    print_summary(out, card, made.graph, "frames")
    return 0


def _calibration(arguments: argparse.Namespace, recipe: Recipe, facts: NetFacts) -> Calibration:
    frames = read_frame_set(arguments.calibration)
    evaluation = None if arguments.evaluation is None else read_frame_set(arguments.evaluation)
    return choose_frames(frames, facts, recipe.count, recipe.seed, evaluation)
