"""The same faces seen otherwise: in another size or colour, or with the labels of another set."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edge_runtime.errors import FaceSetError
from edge_runtime.facesets.base import FaceSet
from edge_runtime.facesets.ferplus import with_majority_labels
from edge_runtime.labels import FER2013, FERPLUS, LabelSet
from edge_runtime.preprocess import fit_face

__all__ = ["with_label_set", "with_size"]


def with_size(faces: FaceSet, size: int | None = None, channels: int | None = None) -> FaceSet:
    """The same faces of `size` × `size` px with 1 (grey) or 3 (BGR) channels; None leaves either as it is.

    Faces that are so already are returned untouched, and so keep their hash.

    Raises:
        FaceSetError: faces that are not square, without a `size` to scale them to.
    """
    height, width = faces.pixels.shape[1:3]
    now = 1 if faces.pixels.ndim == 3 else int(faces.pixels.shape[3])
    if size is None and height != width:
        raise FaceSetError(f"faces of {width} × {height} px", "square faces, or a size to scale them to", "name a size")
    size, channels = size or width, channels or now
    if (height, width, now) == (size, size, channels):
        return faces
    pixels = np.empty((len(faces), size, size, channels), np.uint8)
    for index, face in enumerate(faces.pixels):
        pixels[index] = fit_face(face, size, channels)
    return replace(faces, pixels=pixels[..., 0] if channels == 1 else pixels)


def with_label_set(faces: FaceSet, labels: LabelSet) -> FaceSet:
    """The same faces labelled in `labels`: by their votes' majority for FER+, by the names of the expressions otherwise.

    A face whose expression `labels` lacks gets -1.

    Raises:
        FaceSetError: FER+'s labels for FER2013's faces without votes, or two sets with no expression in common.
    """
    if faces.label_set == labels:
        return faces
    if labels == FERPLUS and (faces.votes is not None or faces.label_set == FER2013):
        return with_majority_labels(faces)
    there = faces.label_set.indices_in(labels)
    if set(there) == {-1}:
        raise FaceSetError(
            f"faces labelled {', '.join(faces.label_set.names)}",
            f"some of {', '.join(labels.names)}",
            "name the label set that the data was labelled with",
        )
    # One more entry at the end, so that -1 stays -1.
    return replace(faces, labels=np.array([*there, -1], np.int16)[faces.labels], label_set=labels)
