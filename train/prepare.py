"""`python -m train prepare`: any form of labelled faces, or portraits without labels, into one .npz read in a moment."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from edge_runtime.facesets import FaceSet, open_faces, read_unlabelled, write_prepared
from edge_runtime.labels import label_set
from train.errors import DataError
from train.faces import count_table, say_problems
from train.files import make_folder

__all__ = ["run", "split_by_group"]


def split_by_group(faces: FaceSet, names: Mapping[str, str]) -> FaceSet:
    """The same faces with splits by the beginning of their group: {"F": "female", "M": "male"} for KDEF.

    Faces whose group begins with none of these are left out.

    Raises:
        DataError: faces without groups, or a beginning that none has.
    """
    if faces.groups is None:
        raise DataError("--group-split for faces without groups", "a data set that names its subjects", "leave it out")
    splits = np.full(len(faces), "", dtype=object)
    for beginning, name in names.items():
        chosen = np.char.startswith(faces.groups, beginning)
        if not chosen.any():
            known = ", ".join(sorted(set(faces.groups.tolist())))
            raise DataError(f"--group-split {beginning}={name}", f"the beginning of one of {known}", "correct it")
        splits[chosen] = name
    return replace(faces, splits=splits.astype(np.str_)).where(splits != "")


def run(arguments: argparse.Namespace) -> int:
    """Reads the data, writes the .npz, prints what is in it. Returns 2 where rows or files were left out, else 0."""
    labels = None if arguments.label_set is None else label_set(arguments.label_set)
    if arguments.unlabelled:
        if arguments.votes is not None:
            raise DataError("--unlabelled with --votes", "one of both: votes are labels", "leave one out")
        faces = read_unlabelled(arguments.data, labels, arguments.size, arguments.channels, arguments.detector)
    else:
        faces = open_faces(
            arguments.data,
            arguments.votes,
            label_set=labels,
            size=arguments.size,
            channels=arguments.channels,
            detector=arguments.detector,
        )
    if arguments.group_split:
        faces = split_by_group(faces, dict(arguments.group_split))
    make_folder(arguments.out.parent)
    write_prepared(faces, arguments.out)
    height, width = faces.pixels.shape[1:3]
    colour = "grey" if faces.pixels.ndim == 3 else "BGR"
    voted = ", FER+ votes" if faces.votes is not None else ""
    print(count_table(faces))
    groups = "" if faces.groups is None else f", {len(set(faces.groups))} groups"
    print(
        f"{arguments.out}: {len(faces)} faces, {width} × {height} px, {colour}, labels of {faces.label_set.name}{voted}{groups}"
    )
    say_problems(faces, lambda line: print(line, file=sys.stderr))
    if faces.problems:
        print(f"{len(faces.problems)} rows or files were left out; the rest is written", file=sys.stderr)
        return 2
    return 0
