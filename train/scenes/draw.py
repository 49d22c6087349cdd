"""`python -m train scenes draw`: scenes as a file of frames with known faces, which calibrate and judge a detector."""

from __future__ import annotations

import argparse

import numpy as np

from edge_runtime.framesets import FrameSet, write_frame_set
from train.detection.recipe import read_detector_recipe
from train.errors import DataError
from train.files import make_folder
from train.scenes.made_up import made_up_store
from train.scenes.source import SceneSource, composed, open_source

__all__ = ["draw", "run"]


def run(arguments: argparse.Namespace) -> int:
    """Writes the frames and counts what is on them. Returns 0."""
    if arguments.out.suffix != ".npz" or arguments.count < 1:
        raise DataError(
            f"--out {arguments.out}, --count {arguments.count}", "a name that ends in .npz, at least one", "correct it"
        )
    recipe = read_detector_recipe(arguments.recipe)
    size, channels = recipe.size, recipe.model.channels
    source: SceneSource
    if arguments.data is None:
        name, source = "made up", composed(made_up_store(24), arguments.split, recipe.scenes, size, channels)
    else:
        name = arguments.data.resolve().name
        source = open_source(arguments.data, arguments.split, recipe.scenes, size, channels, arguments.negatives)
    frames = draw(source, name, arguments.split, arguments.count, arguments.seed)
    make_folder(arguments.out.parent)
    write_frame_set(frames, arguments.out)
    ignored = sum(len(each.ignored) for each in frames.marks)
    width, height = size
    print(
        f"{arguments.out}: {len(frames)} {arguments.split} frames of {width} × {height} px with {frames.faces} faces,"
        f" {ignored} places ignored"
    )
    return 0


def draw(source: SceneSource, name: str, split: str, count: int, seed: int) -> FrameSet:
    """`count` scenes of a source called `name`; the same seed gives the same ones. Raises DataError."""
    scenes = [source.scene(seed, number) for number in range(count)]
    return FrameSet(
        np.stack([scene.image for scene in scenes]),
        [scene.marks for scene in scenes],
        split,
        name,
        source.sha256,
        {"seed": seed, "count": count},
    )
