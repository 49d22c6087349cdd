"""AffectNet (Mollahosseini, Hasani & Mahoor 2017), in the two forms in which it has been given out.

With lists, and faces in pictures of any size:

    Manually_Annotated_file_lists/training.csv, validation.csv      or both beside the pictures' folder
    Manually_Annotated_Images/103/29a31ebf….jpg

    subDirectory_filePath, face_x, face_y, face_width, face_height, facial_landmarks, expression, valence, arousal

A list may lack the header line. Faces are cut out at their boxes. Expressions 8 to 10 (none, uncertain, no face) are
passed over. With annotations, and faces cropped to 224 × 224 px:

    train_set/images/0.jpg      train_set/annotations/0_exp.npy      val_set/…

Codes: 0 neutral, 1 happy, 2 sad, 3 surprise, 4 fear, 5 disgust, 6 anger, 7 contempt. With the label set `affectnet7`
contempt is left out. Splits are "training" and "validation"; a test set was never given out. No groups are known.
"""

from __future__ import annotations

import io
import tokenize
from pathlib import Path

import numpy as np

from edge_runtime.errors import FaceSetError
from edge_runtime.facesets.base import FaceSet, Problem
from edge_runtime.facesets.gather import (
    Listed,
    Wanted,
    as_it_is,
    at_box,
    gather,
    incomplete,
    pictures_in,
    require_classes,
)
from edge_runtime.facesets.tables import column_names, read_rows
from edge_runtime.geometry import Box
from edge_runtime.labels import AFFECTNET7, AFFECTNET8

__all__ = ["looks_like_affectnet", "read_affectnet"]

ASK = "http://mohammadmahoor.com/pages/databases/affectnet/"
COLUMNS = (
    "subdirectory_filepath",
    "face_x",
    "face_y",
    "face_width",
    "face_height",
    "facial_landmarks",
    "expression",
    "valence",
    "arousal",
)
_LISTS = {"training": "training.csv", "validation": "validation.csv"}
_LIST_FOLDERS = ("", "Manually_Annotated_file_lists", "Manually_Annotated/Manually_Annotated_file_lists")
_IMAGE_FOLDERS = ("Manually_Annotated_Images", "Manually_Annotated/Manually_Annotated_Images", "Manually_Annotated", "")
_SETS = {"training": "train_set", "validation": "val_set"}
_WITHOUT_EXPRESSION = range(8, 11)
_NPY_MAGIC = b"\x93NUMPY"
_MOST_NPY_BYTES = 4096
_NPY_DAMAGE = (OSError, ValueError, EOFError, SyntaxError, tokenize.TokenError, TypeError, KeyError, MemoryError)


def looks_like_affectnet(path: Path) -> bool:
    """Whether a folder has AffectNet's lists (one is enough) or its sets with annotations."""
    return _has_sets(path) or any(_is_list(file) for file in _lists(path).values())


def read_affectnet(path: Path, wanted: Wanted | None = None) -> FaceSet:
    """Reads AffectNet in its eight classes, from lists or annotations, whichever are there.

    Raises:
        FaceSetError: a list, a set, the pictures or a class is missing, a list with other columns, or no usable face.
    """
    wanted = wanted or Wanted()
    if _has_sets(path):
        listed, problems = _from_annotations(path)
        expected, cut = "AffectNet's train_set and val_set, each with images and annotations", as_it_is(wanted)
    else:
        listed, problems = _from_lists(path)
        expected, cut = "AffectNet's training.csv, validation.csv and Manually_Annotated_Images", at_box(wanted)
    require_classes(path, listed, AFFECTNET7.names, expected, ASK)  # some copies are without contempt
    return gather(path, listed, AFFECTNET8, wanted, cut, problems)


def _has_sets(path: Path) -> bool:
    return any((path / name / part).is_dir() for name in _SETS.values() for part in ("images", "annotations"))


def _lists(path: Path) -> dict[str, Path]:
    """Split -> its list, those that are there."""
    places = {
        split: next((file for folder in _LIST_FOLDERS if (file := path / folder / name).is_file()), None)
        for split, name in _LISTS.items()
    }
    return {split: file for split, file in places.items() if file is not None}


def _first_line(file: Path) -> str:
    try:
        with open(file, "rb") as content:
            return content.readline(4096).decode(errors="replace").strip()
    except OSError:
        return ""


def _is_list(file: Path) -> bool:
    return _has_header(file) or _has_no_header(file)


def _has_header(file: Path) -> bool:
    return COLUMNS[0] in column_names(_first_line(file))


def _has_no_header(file: Path) -> bool:
    """Whether a list begins with a row: nine columns, the first a picture in a folder."""
    cells = _first_line(file).split(",")
    return len(cells) == len(COLUMNS) and "/" in cells[0] and "." in cells[0]


def _from_lists(path: Path) -> tuple[list[Listed], list[Problem]]:
    lists = _lists(path)
    expected = "AffectNet's training.csv and validation.csv"
    for split, name in _LISTS.items():
        if split not in lists:
            raise incomplete(path, f"no {name}", expected, ASK)
        absent = [] if _has_no_header(lists[split]) else [*_absent(lists[split])]
        if absent:
            raise FaceSetError(
                f"{lists[split]}: no column {absent[0]!r}",
                f"the columns {', '.join(COLUMNS)}",
                f"use the list as it was given out; it is asked for at {ASK}",
            )
    images = next((path / name for name in _IMAGE_FOLDERS[:-1] if (path / name).is_dir()), path)
    listed: list[Listed] = []
    problems: list[Problem] = []
    for split, file in lists.items():
        for row, cells in read_rows(file, COLUMNS if _has_no_header(file) else None):
            try:
                one = _of_row(cells, images, split)
            except ValueError as error:
                problems.append(Problem(f"{file.name} row {row}", str(error)))
                continue
            if one is not None:
                listed.append(one)
    if listed and not any(one.file.exists() for one in listed[:1000]):
        raise incomplete(
            path,
            f"no {listed[0].file.relative_to(path)}",
            "AffectNet's Manually_Annotated_Images beside its lists",
            ASK,
        )
    return listed, problems


def _absent(file: Path) -> list[str]:
    names = column_names(_first_line(file))
    return [name for name in (*COLUMNS[:5], "expression") if name not in names]


def _of_row(cells: dict[str, str], images: Path, split: str) -> Listed | None:
    """A row of a list, or None for one without an expression. Raises ValueError with what is wrong with it."""
    code = cells.get("expression", "")
    if not code.isdecimal() or not int(code) <= _WITHOUT_EXPRESSION[-1]:
        raise ValueError(f"expression {code[:20]!r} instead of 0 to {_WITHOUT_EXPRESSION[-1]}")
    if int(code) in _WITHOUT_EXPRESSION:
        return None
    sides: list[float] = []
    for name in COLUMNS[1:5]:
        try:
            sides.append(float(cells.get(name, "")))
        except ValueError as error:
            raise ValueError(f"{name} {cells.get(name, '')[:20]!r} instead of a number") from error
    left, top, width, height = sides
    if not (np.isfinite(sides).all() and width >= 1 and height >= 1):
        raise ValueError(f"a face of {width:g} × {height:g} px at {left:g}, {top:g}")
    name = cells[COLUMNS[0]]
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise ValueError(f"picture {name[:60]!r} outside the data set")
    box = Box(left, top, left + width, top + height)
    return Listed(images / name, f"{split} {name}", int(code), split, box=box)


def _from_annotations(path: Path) -> tuple[list[Listed], list[Problem]]:
    expected = "AffectNet's train_set and val_set, each with images and annotations"
    for name in _SETS.values():
        for part in ("images", "annotations"):
            if not (path / name / part).is_dir():
                raise incomplete(path, f"no folder {name}/{part}", expected, ASK)
    listed: list[Listed] = []
    problems: list[Problem] = []
    for split, name in _SETS.items():
        files = pictures_in(path / name / "images")
        for file in sorted(files, key=lambda file: (len(file.stem), file.stem)):  # 2.jpg before 10.jpg
            where = str(file.relative_to(path))
            try:
                code = _expression(path / name / "annotations" / f"{file.stem}_exp.npy")
            except ValueError as error:
                problems.append(Problem(where, str(error)))
                continue
            listed.append(Listed(file, where, code, split))
    return listed, problems


def _expression(file: Path) -> int:
    """The code in an annotation: an array of one number, or of its digits. Raises ValueError with what is wrong."""
    try:
        with open(file, "rb") as content:
            data = content.read(_MOST_NPY_BYTES + 1)
    except OSError as error:
        raise ValueError(f"annotation {file.name}: {error.strerror}") from error
    if len(data) > _MOST_NPY_BYTES:
        raise ValueError(f"annotation {file.name}: more than one number")
    try:
        if not data.startswith(_NPY_MAGIC):  # else NumPy looks for an archive or a pickle
            raise ValueError("no array")
        array = np.load(io.BytesIO(data), allow_pickle=False)
        code = float(array.item())
    except _NPY_DAMAGE as error:
        raise ValueError(f"annotation {file.name}: damaged, or not one number") from error
    if code not in range(len(AFFECTNET8)):
        raise ValueError(f"annotation {file.name}: {code:g} instead of 0 to {len(AFFECTNET8) - 1}")
    return int(code)
