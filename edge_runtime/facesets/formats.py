"""Opening a set of faces whatever its form: FER2013's csv, a folder of pictures, or a prepared .npz."""

from __future__ import annotations

from pathlib import Path

from edge_runtime.errors import FaceSetError
from edge_runtime.facesets.base import FaceSet
from edge_runtime.facesets.fer2013 import looks_like_fer2013, read_fer2013
from edge_runtime.facesets.ferplus import read_votes, with_votes
from edge_runtime.facesets.folder import read_folder
from edge_runtime.facesets.prepared import looks_like_prepared, read_prepared
from edge_runtime.facesets.views import with_label_set, with_size
from edge_runtime.labels import FERPLUS_VOTES, LabelSet

__all__ = ["open_faces"]

_FORMS = "fer2013.csv, icml_face_data.csv, a folder of labelled pictures, or an .npz of `python -m train prepare`"
_BEGINNING_BYTES = 4096


def open_faces(
    path: Path,
    votes: Path | None = None,
    split: str | None = None,
    label_set: LabelSet | None = None,
    size: int | None = None,
    channels: int | None = None,
) -> FaceSet:
    """Reads ready-cropped, labelled faces; the form is recognised by content.

    Args:
        path: FER2013's csv in either release, a folder of labelled pictures, or a prepared .npz.
        votes: FER+'s `fer2013new.csv`, for FER2013's csv: matched by row.
        split: read only this one; None reads all.
        label_set: the labels wanted; None keeps the data's own (FER2013's for a folder). FER+'s labels are the
            majority of the votes, -1 where that is `unknown` or `NF`.
        size: side in pixels that faces are scaled to; None keeps theirs.
        channels: 1 for grey, 3 for BGR; None keeps the data's own (grey for a folder).

    Raises:
        FaceSetError: the data is missing, damaged, in no known form, or without faces of `split`.
        LabelError: labels that do not belong to the set.
    """
    form = _form(path)
    if votes is not None and form != "csv":
        raise FaceSetError(
            f"{path} together with the votes {votes}",
            "FER2013's csv, whose row numbers the votes go by",
            "leave the votes out, or prepare the csv with its votes",
        )
    if form == "folder":
        return read_folder(path, label_set, split, size, channels or 1)
    if form == "prepared":
        faces = read_prepared(path, split)
    else:
        faces = read_fer2013(path, split)
        if votes is not None:
            faces = with_votes(faces, read_votes(votes), str(votes))
    if label_set is not None:
        faces = with_label_set(faces, label_set)
    return with_size(faces, size, channels)


def _form(path: Path) -> str:
    if path.is_dir():
        return "folder"
    try:
        with open(path, "rb") as file:
            beginning = file.read(_BEGINNING_BYTES)
    except OSError as error:
        raise FaceSetError(f"{path}: {error.strerror}", f"a set of faces: {_FORMS}", "check the path") from error
    if looks_like_prepared(beginning):
        return "prepared"
    header = beginning.split(b"\n", 1)[0].decode(errors="replace").strip()
    if looks_like_fer2013(header):
        return "csv"
    if {column.strip() for column in header.split(",")} >= set(FERPLUS_VOTES):
        raise FaceSetError(
            f"{path}: FER+ votes, which hold no pictures",
            f"a set of faces: {_FORMS}",
            "name fer2013.csv as the data and this file as its votes",
        )
    begins = repr(header[:40]) if header else "nothing"
    raise FaceSetError(f"{path}: begins with {begins}", f"a set of faces: {_FORMS}", "check the path")
