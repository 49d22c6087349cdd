"""What all sides of a parity run are asked: the same labelled faces, and one order of the labels.

data = Data(Path("fer2013.csv"), "PublicTest")
task = make_task(data, labels, side.about.input, asked=None)
pixels = task.pixels(side.about.input)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convert.parity.errors import ParityError, SideError
from convert.parity.result import DataFacts
from edge_runtime.bundle import InputFacts
from edge_runtime.facesets import FaceSet, open_faces, read_votes, with_majority_labels, with_size, with_votes
from edge_runtime.illumination import normalize_all
from edge_runtime.labels import FERPLUS, LABEL_SETS, LabelSet, canonical
from edge_runtime.preprocess import PREPROCESS_VERSION

__all__ = ["WHOLE", "Data", "Task", "make_task", "order_in", "shared_labels"]

WHOLE = "all"
"""The --split that names all of the data, as `fer-edge record` calls it."""


@dataclass
class Data:
    """Labelled faces on disk, read once for each size that is asked for.

    Pictures in folders are scaled as they are read; arrays keep their size until a side asks for another. So does
    `fer-edge record`: a hash of the one can be compared with a hash of the other.

    Attributes:
        path: a csv, a folder, or a prepared .npz.
        split: of the data; `WHOLE` for all.
        votes: FER+'s csv of votes, or None.
    """

    path: Path
    split: str
    votes: Path | None = None
    _read: dict[tuple[int, int] | None, FaceSet] = field(default_factory=dict, repr=False)

    def faces(self, size: int, channels: int) -> FaceSet:
        """The faces as `fer-edge record` would read them for a model of this input. Raises what `open_faces` raises."""
        key = (size, channels) if self.path.is_dir() else None
        if key not in self._read:
            split = None if self.split == WHOLE else self.split
            wanted = key or (None, None)
            faces = open_faces(self.path, split=split, size=wanted[0], channels=wanted[1])
            if self.votes is not None:
                faces = with_votes(faces, read_votes(self.votes), str(self.votes))
            self._read[key] = faces
        return self._read[key]


@dataclass(frozen=True)
class Task:
    """Labelled faces for every side.

    Attributes:
        labels: in the order that all answers are brought to.
        faces: with the labels of `labels`, -1 where one is left out; pixels as the data has them.
        facts: of the data.
        data: where they were read.
    """

    labels: LabelSet
    faces: FaceSet
    facts: DataFacts
    data: Data

    def pixels(self, wanted: InputFacts, chosen: Sequence[int] | None = None) -> NDArray[np.uint8]:
        """What a model reads, uint8 (N, size, size, channels): each face, or the chosen, through the deployed
        preprocessing."""
        faces = self.data.faces(wanted.size, wanted.channels)
        if chosen is not None:
            faces = faces.where(np.array(chosen, np.int64))
        sized = with_size(faces, wanted.size, wanted.channels).pixels
        return normalize_all(sized.reshape(len(sized), wanted.size, wanted.size, wanted.channels), wanted.illumination)

    def hashes(self, inputs: Sequence[InputFacts]) -> set[str]:
        """The hashes that a record of these faces may have, one for each input that the sides read."""
        return {_labelled(self.data.faces(each.size, each.channels), self.labels).sha256() for each in inputs} | {
            self.facts.sha256
        }


def shared_labels(known: Sequence[tuple[str, tuple[str, ...]]], asked: LabelSet | None) -> LabelSet:
    """The labels, in the order of the first side that names its own.

    Args:
        known: name and labels of each side that has them, the reference first.
        asked: with --label-set, or None.

    Raises:
        ParityError: neither names any, or the first side's are not those that were asked for.
    """
    if not known:
        if asked is None:
            raise ParityError(
                "no side names its labels",
                "a run card beside the Keras model, a bundle, or labels in a model's metadata",
                f"name them with --label-set, one of {', '.join(LABEL_SETS)}",
            )
        return asked
    name, labels = known[0]
    if asked is not None and not _same(labels, asked.names):
        raise ParityError(
            f"--label-set {asked.name} for {name}, which answers {', '.join(labels)}",
            "the label set of the models",
            "leave the option out, or name the set that they were trained with",
        )
    matching = next((each.name for each in LABEL_SETS.values() if each.names == labels), "labels")
    return LabelSet(matching, labels)


def order_in(labels: LabelSet, name: str, own: tuple[str, ...]) -> NDArray[np.int64]:
    """Where each of `labels` stands among a side's `own`: its answers' columns in the shared order.

    Raises:
        SideError: other labels, or another number of them.
    """
    if not _same(own, labels.names):
        raise SideError(
            f"{name}: {len(own)} labels, {', '.join(own)}",
            f"{len(labels)} in any order, {', '.join(labels.names)}",
            "compare models of one label set",
        )
    places = {canonical(label): place for place, label in enumerate(own)}
    return np.array([places[canonical(label)] for label in labels.names], np.int64)


def make_task(data: Data, labels: LabelSet, reads: InputFacts, asked: LabelSet | None) -> Task:
    """Reads the faces and labels them with `labels`.

    Args:
        data: where the faces are.
        labels: of the models, in the shared order.
        reads: the reference's input.
        asked: with --label-set: only then may expressions that the models do not know be left out.

    Raises:
        FaceSetError: data that cannot be read or has no such split.
        ParityError: other labels than the models', and no map was asked for.
    """
    own = _labelled(data.faces(reads.size, reads.channels), labels)
    if data.votes is not None and own.label_set != FERPLUS:
        raise ParityError(
            f"--votes for models that answer {', '.join(labels.names)}",
            f"models that answer {', '.join(FERPLUS.names)}",
            "leave --votes out",
        )
    places = np.array([*own.label_set.indices_in(labels), -1], np.int16)
    known = [name for name, place in zip(own.label_set.names, places, strict=False) if place >= 0]
    if not known or (asked is None and not _same(own.label_set.names, labels.names)):
        votes = " and --votes with FER+'s csv" if _same(labels.names, FERPLUS.names) else ""
        raise ParityError(
            f"{data.path}: faces labelled {', '.join(own.label_set.names)}",
            f"the models' labels, {', '.join(labels.names)}",
            f"ask for the map with --label-set{votes}: it goes by name, and leaves the other faces out"
            if known
            else "name data of the models' task",
        )
    labelled = replace(own, labels=places[own.labels], label_set=labels)
    facts = DataFacts(data.path.resolve().name, data.split, own.sha256(), labels.names, PREPROCESS_VERSION)
    return Task(labels, labelled, facts, data)


def _labelled(faces: FaceSet, labels: LabelSet) -> FaceSet:
    """With the majority of FER+'s votes, where there are some and the models answer in those labels."""
    if faces.votes is not None and _same(labels.names, FERPLUS.names):
        return with_majority_labels(faces)
    return faces


def _same(one: Sequence[str], other: Sequence[str]) -> bool:
    return len(one) == len(other) and {canonical(name) for name in one} == {canonical(name) for name in other}
