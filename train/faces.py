"""The faces that a recipe is fitted to or a model is evaluated on: opened, labelled and sized as that one needs them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_runtime.facesets import FaceSet, holds_pictures, open_faces, with_size
from edge_runtime.illumination import normalize_all
from edge_runtime.labels import LabelSet
from train.errors import DataError
from train.terminal import table

__all__ = ["count_table", "in_even_light", "labelled", "open_for_model", "repeated_in", "say_problems"]

_PROBLEMS_SHOWN = 20


def open_for_model(
    data: Path,
    votes: Path | None,
    label_set: LabelSet | None,
    size: int,
    channels: int,
    say: Callable[[str], None],
    illumination: str = "none",
) -> FaceSet:
    """All splits of `data` at the size, colour and light that a model reads; says so where that changes the faces.

    Raises:
        FaceSetError, DataError: the data cannot be used.
    """
    # Pictures may differ in size, so they are scaled while they are read.
    pictures = holds_pictures(data)
    faces = open_faces(data, votes, None, label_set, size if pictures else None, channels if pictures else None)
    fitting = with_size(faces, size, channels)
    if fitting is not faces:
        height, width = faces.pixels.shape[1:3]
        say(
            f"faces of {width} × {height} px are scaled to {size} × {size} px, {_colour(channels)}, as the model reads them"
        )
    elif pictures:
        say(f"pictures are scaled to {size} × {size} px, {_colour(channels)}, as the model reads them")
    if not (faces.labels >= 0).any():
        raise DataError(f"{data}: no labelled face", "at least one", "check the label set")
    if illumination != "none":
        say(f"light is evened out: {illumination}")
    return in_even_light(fitting, illumination)


def in_even_light(faces: FaceSet, illumination: str) -> FaceSet:
    """The same faces as a bundle's classifier sees them, which evens out the light of every crop."""
    return faces if illumination == "none" else replace(faces, pixels=normalize_all(faces.pixels, illumination))


def labelled(faces: FaceSet) -> FaceSet:
    """The faces that have a label; those that the protocol leaves out are gone."""
    known = faces.labels >= 0
    return faces if known.all() else faces.where(known)


def repeated_in(faces: FaceSet, others: FaceSet) -> NDArray[np.bool_]:
    """Which of `faces` are pixel for pixel among `others`, bool (N,)."""
    there = {hashlib.blake2b(face.tobytes(), digest_size=16).digest() for face in others.pixels}
    return np.array(
        [hashlib.blake2b(face.tobytes(), digest_size=16).digest() in there for face in faces.pixels], dtype=np.bool_
    )


def count_table(faces: FaceSet) -> str:
    """Faces of each class (rows) in each split (columns), with sums."""
    splits = faces.split_names()
    rows: list[list[object]] = [["", *splits, "all"]]
    for index, name in enumerate((*faces.label_set.names, "left out")):
        wanted = index if index < len(faces.label_set) else -1
        counts = [int(((faces.labels == wanted) & (faces.splits == split)).sum()) for split in splits]
        total = sum(counts)
        if wanted >= 0 or total:
            rows.append([name, *counts, total])
    sums = [int((faces.splits == split).sum()) for split in splits]
    return table([*rows, ["all", *sums, len(faces)]])


def say_problems(faces: FaceSet, say: Callable[[str], None]) -> None:
    """One line for each row or file that was left out, the first twenty of them, and how many there are."""
    for problem in faces.problems[:_PROBLEMS_SHOWN]:
        say(f"left out: {problem}")
    if len(faces.problems) > _PROBLEMS_SHOWN:
        say(f"left out: {len(faces.problems) - _PROBLEMS_SHOWN} more")


def _colour(channels: int) -> str:
    return "grey" if channels == 1 else "BGR"
