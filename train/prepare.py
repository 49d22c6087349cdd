"""`python -m train prepare`: any form of labelled faces into one .npz that is read in a moment."""

from __future__ import annotations

import argparse
import sys

from edge_runtime.facesets import open_faces, write_prepared
from edge_runtime.labels import label_set
from train.faces import count_table, say_problems
from train.files import make_folder

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Reads the data, writes the .npz, prints what is in it. Returns 2 where rows or files were left out, else 0."""
    labels = None if arguments.label_set is None else label_set(arguments.label_set)
    faces = open_faces(
        arguments.data, arguments.votes, label_set=labels, size=arguments.size, channels=arguments.channels
    )
    make_folder(arguments.out.parent)
    write_prepared(faces, arguments.out)
    height, width = faces.pixels.shape[1:3]
    colour = "grey" if faces.pixels.ndim == 3 else "BGR"
    voted = ", FER+ votes" if faces.votes is not None else ""
    print(count_table(faces))
    print(
        f"{arguments.out}: {len(faces)} faces, {width} × {height} px, {colour}, labels of {faces.label_set.name}{voted}"
    )
    say_problems(faces, lambda line: print(line, file=sys.stderr))
    if faces.problems:
        print(f"{len(faces.problems)} rows or files were left out; the rest is written", file=sys.stderr)
        return 2
    return 0
