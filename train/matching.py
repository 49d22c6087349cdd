"""Faces of one data set in the labels of a model that was perhaps trained on another: what can be compared, and what not."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import FaceSetError
from edge_runtime.facesets import FaceSet, with_label_set
from edge_runtime.labels import FER2013, LabelSet
from train.errors import DataError
from train.faces import open_for_model

__all__ = ["Matched", "open_matched"]


@dataclass(frozen=True)
class Matched:
    """Faces in a model's labels, and those whose expression it lacks.

    Attributes:
        faces: in the model's labels; -1 where the protocol gives no label, or the model has no such class.
        own: the label set that the data was labelled with.
        own_labels: int16 (N,), the labels in it.
    """

    faces: FaceSet
    own: LabelSet
    own_labels: NDArray[np.int16]

    def split(self, name: str) -> Matched:
        """One split of it. Raises FaceSetError, listing the splits, where there are no such faces."""
        chosen = self.faces.splits == name
        return Matched(self.faces.split(name), self.own, self.own_labels[chosen])

    @property
    def unknown(self) -> NDArray[np.bool_]:
        """Which faces, bool (N,), show an expression that the model has no class for."""
        there = np.array([*self.own.indices_in(self.faces.label_set), 0])  # the last entry is that of label -1
        return there[self.own_labels] < 0

    def unknown_counts(self) -> Mapping[str, int]:
        """How many faces show each expression that the model has no class for."""
        labels = self.own_labels[self.unknown]
        return {self.own.names[index]: int((labels == index).sum()) for index in np.unique(labels).tolist()}


def open_matched(
    data: Path,
    votes: Path | None,
    model_labels: LabelSet | None,
    data_labels: LabelSet | None,
    size: int,
    channels: int,
    say: Callable[[str], None],
    illumination: str = "none",
) -> Matched:
    """All splits of `data` as a model reads and labels them.

    Labels are matched by the names of the expressions ("happiness" is "happy"). Only FER2013's faces become FER+'s by the
    majority of their votes, unless `data_labels` says how they are labelled.

    Args:
        data: any form that `open_faces` reads.
        votes: FER+ votes, for FER2013's csv.
        model_labels: what the model answers; None takes the data's own.
        data_labels: what the data is labelled with; None takes what its form says.
        size: side in pixels that the model reads.
        channels: 1 grey, 3 BGR.
        say: called with lines for a person.
        illumination: how the model wants its light evened out.

    Raises:
        FaceSetError, DataError: the data cannot be used, or has no expression in common with the model.
    """

    def opened(labels: LabelSet | None) -> FaceSet:
        return open_for_model(data, votes, labels, size, channels, say, illumination)

    folder = data.is_dir()
    if folder and data_labels is None and model_labels is not None:
        faces = _open_folder(opened, model_labels)
    else:
        faces = opened(data_labels)
    if model_labels is None:
        return Matched(faces, faces.label_set, faces.labels)
    if folder or data_labels is not None:
        matched = _by_names(faces, model_labels)
    else:
        matched = with_label_set(faces, model_labels)
    return Matched(matched, faces.label_set, faces.labels)


def _open_folder(opened: Callable[[LabelSet | None], FaceSet], model_labels: LabelSet) -> FaceSet:
    """A public data set with its own labels; a plain folder, which is taken for FER2013's, with the model's if it can be."""
    try:
        faces = opened(None)
    except FaceSetError:  # perhaps a name that only the model's labels have, such as FER+'s "contempt"
        return opened(model_labels)
    if faces.label_set == FER2013 and model_labels != FER2013:
        with contextlib.suppress(FaceSetError):
            return opened(model_labels)
    return faces


def _by_names(faces: FaceSet, labels: LabelSet) -> FaceSet:
    if faces.label_set == labels:
        return faces
    there = faces.label_set.indices_in(labels)
    if set(there) == {-1}:
        raise DataError(
            f"faces labelled {', '.join(faces.label_set.names)}",
            f"some of {', '.join(labels.names)}, which the model answers",
            "name the label set that the data was labelled with: --data-label-set",
        )
    return replace(faces, labels=np.array([*there, -1], np.int16)[faces.labels], label_set=labels)
