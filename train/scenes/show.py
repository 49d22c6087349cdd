"""`python -m train scenes show`: scenes on one contact sheet, to be looked at before hours go into them."""

from __future__ import annotations

import argparse

import cv2

from train.detection.recipe import read_detector_recipe
from train.errors import DataError
from train.files import make_folder, whole_path
from train.scenes.made_up import made_up_store
from train.scenes.sheet import draw_sheet
from train.scenes.source import SceneSource, composed, open_source

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Writes the sheet and counts what is on it. Returns 0."""
    if arguments.out.suffix != ".png" or min(arguments.rows, arguments.columns) < 1:
        raise DataError(
            f"--out {arguments.out}", "a name that ends in .png, and at least one row and column", "correct it"
        )
    recipe = read_detector_recipe(arguments.recipe)
    if arguments.data is None:
        store = made_up_store(24)
        source: SceneSource = composed(store, arguments.split, recipe.scenes, recipe.size, recipe.model.channels)
    else:
        source = open_source(
            arguments.data, arguments.split, recipe.scenes, recipe.size, recipe.model.channels, arguments.negatives
        )
    scenes = [source.scene(arguments.seed, number) for number in range(arguments.rows * arguments.columns)]
    make_folder(arguments.out.parent)
    sheet = draw_sheet(scenes, arguments.columns)
    if arguments.width is not None:
        scale = max(1, arguments.width) / sheet.shape[1]
        sheet = cv2.resize(sheet, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    with whole_path(arguments.out) as partial:
        cv2.imwrite(str(partial), sheet)
    faces, ignored = sum(len(scene.marks) for scene in scenes), sum(len(scene.marks.ignored) for scene in scenes)
    print(f"{arguments.out}: {len(scenes)} {arguments.split} scenes with {faces} faces, {ignored} places ignored")
    return 0
