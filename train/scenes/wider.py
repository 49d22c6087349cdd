"""Annotations of photographs: WIDER FACE (Yang et al. 2016) as its authors give them, and RetinaFace's with landmarks.

wider_face_train_bbx_gt.txt     a file name, a count, and a line a face: left, top, width, height, blur, expression,
                                illumination, invalid, occlusion, pose
label.txt (Deng et al. 2020)    "# " and a file name, and a line a face: left, top, width, height, five times x, y and
                                a flag (-1 where the landmark is not known), and a last number
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_runtime.framesets.marks import POINTS, Marks
from train.errors import DataError
from train.scenes.store import HELD_OUT, TRAINING

__all__ = ["Photograph", "find_photographs", "read_retinaface", "read_wider"]

_FIELDS, _LABEL_FIELDS = 10, 4 + 3 * POINTS
_INVALID = 7
_PLACES = {
    TRAINING: (
        ("wider_face_split/wider_face_train_bbx_gt.txt", "WIDER_train/images"),
        ("train/label.txt", "train/images"),
    ),
    HELD_OUT: (("wider_face_split/wider_face_val_bbx_gt.txt", "WIDER_val/images"), ("val/label.txt", "val/images")),
}
"""Where the annotations and the pictures of a split lie, as the archives unpack; the first that is there is taken."""


@dataclass(frozen=True)
class Photograph:
    """A picture file and its faces."""

    path: Path
    marks: Marks


def find_photographs(folder: Path, split: str) -> list[Photograph]:
    """The annotated photographs of a folder: of WIDER FACE, or of RetinaFace's copy with landmarks.

    Raises:
        DataError: neither is there, a line that is none, or no picture.
    """
    for labels, pictures in reversed(_PLACES[split]):  # landmarks are worth more than attributes
        if (folder / labels).is_file():
            read = read_retinaface if labels.endswith("label.txt") else read_wider
            found = read(folder / labels, folder / pictures)
            there = [photograph for photograph in found if photograph.path.is_file()]
            if not there:
                raise DataError(
                    f"{folder / pictures}: none of {len(found)} pictures", f"those of {labels}", "unpack them there"
                )
            return there
    places = " or ".join(labels for labels, _ in _PLACES[split])
    raise DataError(f"{folder}: no annotations of {split} photographs", places, "unpack WIDER FACE into that folder")


def read_wider(path: Path, pictures: Path) -> list[Photograph]:
    """Every photograph of `wider_face_…_bbx_gt.txt`. Faces that it calls invalid are ignored. Raises DataError."""
    found = []
    lines = _lines(path)
    for _, name in lines:
        try:
            number, text = next(lines)
        except StopIteration:
            raise DataError(f"{path}: no count after {name!r}", "how many faces it has", "copy it again") from None
        if not text.isdigit():
            raise DataError(f"{path}, line {number}: {text!r}", "how many faces a picture has", "copy it again")
        rows = [_numbers(path, *next(lines, (0, "")), _FIELDS) for _ in range(max(1, int(text)))]
        boxes = np.array(rows, np.float32)
        boxes = boxes[(boxes[:, 2] > 0) & (boxes[:, 3] > 0)]
        valid = boxes[:, _INVALID] == 0
        corners = _corners(boxes)
        unknown = np.full((int(valid.sum()), POINTS, 2), np.nan, np.float32)
        found.append(Photograph(pictures / name, Marks(corners[valid], unknown, corners[~valid])))
    return found


def read_retinaface(path: Path, pictures: Path) -> list[Photograph]:
    """Every photograph of `label.txt`. Raises DataError."""
    rows: dict[str, list[list[float]]] = {}
    name = ""
    for number, text in _lines(path):
        if text.startswith("#"):
            name = text[1:].strip()
            rows[name] = []
        elif not name:
            raise DataError(f"{path}, line {number}: {text!r}", "a line '# file name' first", "copy it again")
        else:
            rows[name].append(_numbers(path, number, text, _LABEL_FIELDS))
    return [Photograph(pictures / name, _with_points(faces)) for name, faces in rows.items()]


def _with_points(faces: list[list[float]]) -> Marks:
    table = np.array(faces, np.float32).reshape(-1, _LABEL_FIELDS)
    table = table[(table[:, 2] > 0) & (table[:, 3] > 0)]
    triples = table[:, 4:].reshape(-1, POINTS, 3)
    known: NDArray[np.bool_] = np.all(triples[..., 2] >= 0, axis=1)
    points = np.where(known[:, None, None], triples[..., :2], np.float32(np.nan))
    return Marks(_corners(table), points, np.zeros((0, 4), np.float32))


def _corners(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Line numbers from 1, and lines without blank ones."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: {error}", "annotations as text", "copy them again") from error
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield number, line.strip()


def _numbers(path: Path, number: int, text: str, count: int) -> list[float]:
    try:
        values = [float(word) for word in text.split()[:count]]
    except ValueError:
        values = []
    if len(values) < count or not np.isfinite(values).all():
        where = f"line {number}: {text!r}" if number else "its end, within a picture's faces"
        raise DataError(f"{path}, {where}", f"{count} numbers a face", "copy it again")
    return values
