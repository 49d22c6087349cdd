"""Opening a set of faces whatever its form. A new form is one reader, and one line in the table below."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge_runtime.detectors import DEFAULT_DETECTOR, Detector
from edge_runtime.errors import FaceSetError
from edge_runtime.facesets.affectnet import COLUMNS as AFFECTNET_COLUMNS
from edge_runtime.facesets.affectnet import looks_like_affectnet, read_affectnet
from edge_runtime.facesets.base import FaceSet
from edge_runtime.facesets.ckplus import looks_like_ckplus, read_ckplus
from edge_runtime.facesets.emotionet import looks_like_emotionet, read_emotionet
from edge_runtime.facesets.fer2013 import looks_like_fer2013, read_fer2013
from edge_runtime.facesets.ferplus import read_votes, with_votes
from edge_runtime.facesets.folder import read_folder
from edge_runtime.facesets.gather import Wanted, folders_in
from edge_runtime.facesets.jaffe import looks_like_jaffe, read_jaffe
from edge_runtime.facesets.kdef import looks_like_kdef, read_kdef
from edge_runtime.facesets.prepared import looks_like_prepared, read_prepared
from edge_runtime.facesets.rafdb import looks_like_rafdb, read_rafdb
from edge_runtime.facesets.sfew import looks_like_sfew, read_sfew
from edge_runtime.facesets.tables import column_names
from edge_runtime.facesets.views import with_label_set, with_size
from edge_runtime.labels import FERPLUS_VOTES, LabelSet

__all__ = ["FORMS", "Form", "check_form", "holds_pictures", "open_faces"]

_BEGINNING_BYTES = 4096


@dataclass(frozen=True)
class Form:
    """One form of labelled faces.

    Attributes:
        title: what an error calls it.
        recognises: whether a path has this form, from its path and, of a file, its first bytes.
        read: reads it.
    """

    title: str
    recognises: Callable[[Path, bytes], bool]
    read: Callable[[Path, Wanted], FaceSet]


def _in_folder(looks: Callable[[Path], bool]) -> Callable[[Path, bytes], bool]:
    return lambda path, _: path.is_dir() and looks(path)


def _in_header(looks: Callable[[str], bool]) -> Callable[[Path, bytes], bool]:
    return lambda path, beginning: not path.is_dir() and looks(_header(beginning))


def _header(beginning: bytes) -> str:
    return beginning.split(b"\n", 1)[0].decode(errors="replace").strip()


_FER2013 = Form(
    "fer2013.csv, icml_face_data.csv",
    _in_header(looks_like_fer2013),
    lambda path, wanted: read_fer2013(path, wanted.split),
)

_PREPARED = Form(
    "or an .npz of `python -m train prepare`",
    lambda path, beginning: not path.is_dir() and looks_like_prepared(beginning),
    lambda path, wanted: read_prepared(path, wanted.split),
)

FORMS = (
    _FER2013,
    Form("AffectNet", _in_folder(looks_like_affectnet), read_affectnet),
    Form("CK+", _in_folder(looks_like_ckplus), read_ckplus),
    Form("RAF-DB", _in_folder(looks_like_rafdb), read_rafdb),
    Form("SFEW", _in_folder(looks_like_sfew), read_sfew),
    Form("KDEF", _in_folder(looks_like_kdef), read_kdef),
    Form("JAFFE", _in_folder(looks_like_jaffe), read_jaffe),
    Form("a csv of paths and emotions as for EmotioNet", _in_header(looks_like_emotionet), read_emotionet),
    Form(
        "a folder of labelled pictures",
        _in_folder(lambda path: bool(folders_in(path))),
        lambda path, wanted: read_folder(path, wanted.label_set, wanted.split, wanted.size, wanted.channels or 1),
    ),
    _PREPARED,
)
"""Tried in this order: a folder of labelled pictures is what no data set has claimed."""


def open_faces(
    path: Path,
    votes: Path | None = None,
    split: str | None = None,
    label_set: LabelSet | None = None,
    size: int | None = None,
    channels: int | None = None,
    detector: Detector | str = DEFAULT_DETECTOR,
) -> FaceSet:
    """Reads labelled faces; the form is recognised by content. `docs/datasets.md` describes the forms.

    Args:
        path: a csv, a folder, or a prepared .npz.
        votes: FER+'s `fer2013new.csv`, for FER2013's csv: matched by row.
        split: read only this one; None reads all.
        label_set: the labels wanted; None keeps the data's own (FER2013's for a folder). FER+'s labels are the
            majority of the votes, -1 where that is `unknown` or `NF`.
        size: side in pixels that faces are scaled to; None keeps theirs, and cuts faces out of larger pictures at 96.
        channels: 1 for grey, 3 for BGR; None keeps the data's own (grey for pictures).
        detector: finds the faces of data sets whose pictures are larger than the face: a name or an object.

    Raises:
        FaceSetError: the data is missing, damaged, incomplete, in no known form, or without faces of `split`.
        LabelError: labels that do not belong to the set.
        DetectorError: a detector is needed and cannot be opened.
    """
    check_form(path, votes)
    faces = _form(path).read(path, Wanted(split, label_set, size, channels, detector))
    if votes is not None:
        faces = with_votes(faces, read_votes(votes), str(votes))
    if label_set is not None:
        faces = with_label_set(faces, label_set)
    return with_size(faces, size, channels)


def check_form(path: Path, votes: Path | None = None) -> None:
    """Looks at the beginning of the data alone.

    Raises:
        FaceSetError: it is missing or in no known form, or there are votes for another form than FER2013's csv.
    """
    if _form(path) is not _FER2013 and votes is not None:
        raise FaceSetError(
            f"{path} together with the votes {votes}",
            "FER2013's csv, whose row numbers the votes go by",
            "leave the votes out, or prepare the csv with its votes",
        )


def holds_pictures(path: Path) -> bool:
    """Whether the faces at `path` are picture files of any size, and no arrays of one size. Raises FaceSetError."""
    return _form(path) not in (_FER2013, _PREPARED)


def _form(path: Path) -> Form:
    known = f"a set of faces: {', '.join(form.title for form in FORMS)}"
    beginning = b""
    if not path.is_dir():
        try:
            with open(path, "rb") as file:
                beginning = file.read(_BEGINNING_BYTES)
        except OSError as error:
            raise FaceSetError(f"{path}: {error.strerror}", known, "check the path") from error
    for form in FORMS:
        if form.recognises(path, beginning):
            return form
    if path.is_dir():
        raise FaceSetError(f"{path}: no folders in it, nor files of a known data set", known, "check the path")
    header = _header(beginning)
    columns = set(column_names(header))
    if columns >= {name.lower() for name in FERPLUS_VOTES}:
        raise FaceSetError(
            f"{path}: FER+ votes, which hold no pictures",
            known,
            "name fer2013.csv as the data and this file as its votes",
        )
    if AFFECTNET_COLUMNS[0] in columns:
        raise FaceSetError(
            f"{path}: one of AffectNet's lists", known, "name the folder that holds its lists and pictures"
        )
    begins = repr(header[:40]) if header else "nothing"
    raise FaceSetError(f"{path}: begins with {begins}", known, "check the path; docs/datasets.md describes the forms")
