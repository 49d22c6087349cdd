"""FER2013 as a csv: the challenge's `fer2013.csv` (emotion,pixels,Usage) and `icml_face_data.csv`, whose columns have spaces."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import FaceSetError
from edge_runtime.facesets.base import FaceSet, Problem
from edge_runtime.labels import FER2013

__all__ = ["SIDE", "looks_like_fer2013", "read_fer2013"]

SIDE = 48
_COLUMNS = {"emotion", "pixels", "usage"}
_HEADER_BYTES = 4096
_EMOTIONS = {str(index).encode(): index for index in range(len(FER2013))}
_SPACE, _ZERO = 32, 48


def looks_like_fer2013(header: str) -> bool:
    """Whether the first line of a csv is FER2013's."""
    return set(_names(header)) >= _COLUMNS


def read_fer2013(path: Path, split: str | None = None) -> FaceSet:
    """Reads FER2013's csv: grey 48 × 48 faces, labels in FER2013's order.

    Rows that are short, non-numeric or out of range are left out and listed in `problems`; `rows` keeps each
    face's own row number, from 0 after the header. Empty lines are no rows, as for pandas and FER+'s numbering.

    Raises:
        FaceSetError: the file is missing, is no FER2013 csv, or holds no usable face (of `split`).
    """
    pixels = bytearray()
    labels: list[int] = []
    splits: list[str] = []
    rows: list[int] = []
    problems: list[Problem] = []
    known_splits: set[str] = set()
    try:
        with open(path, "rb") as file:
            names = _header(file, path)
            emotion_at, pixels_at, usage_at = (names.index(name) for name in ("emotion", "pixels", "usage"))
            for row, columns in enumerate(_records(file)):
                try:
                    if len(columns) < len(names):
                        raise ValueError(f"{len(columns)} columns instead of {len(names)}")
                    usage = columns[usage_at].strip().decode(errors="replace")
                    known_splits.add(usage)
                    if split is not None and usage != split:
                        continue
                    face, label = _parse_pixels(columns[pixels_at]), _parse_emotion(columns[emotion_at])
                except ValueError as error:
                    problems.append(Problem(f"{path.name} row {row}", str(error)))
                    continue
                pixels += face.tobytes()
                labels.append(label)
                splits.append(usage)
                rows.append(row)
    except OSError as error:
        raise FaceSetError(f"{path}: {error.strerror}", "a readable FER2013 csv", "check the path") from error
    if not labels:
        wanted = f"faces of the split {split!r}" if split else "faces"
        found = f"splits {', '.join(sorted(known_splits)) or 'none'}, {len(problems)} broken rows"
        first = f" (first: {problems[0]})" if problems else ""
        raise FaceSetError(f"{path}: {found}{first}", wanted, "check the file and the split's name")
    return FaceSet(
        np.frombuffer(pixels, np.uint8).reshape(-1, SIDE, SIDE),
        np.array(labels, np.int16),
        np.array(splits),
        np.array(rows, np.int64),
        FER2013,
        problems=tuple(problems),
    )


def _names(header: str) -> list[str]:
    return [column.strip().strip('"').lower() for column in header.removeprefix("\ufeff").split(",")]


def _header(file: BinaryIO, path: Path) -> list[str]:
    names = _names(file.readline(_HEADER_BYTES).decode(errors="replace"))
    if not set(names) >= _COLUMNS:
        raise FaceSetError(
            f"{path}: columns {[name[:20] for name in names[:6]]}",
            "a FER2013 csv with emotion, pixels and Usage",
            "check that this is fer2013.csv or icml_face_data.csv",
        )
    return names


def _records(file: BinaryIO) -> Iterator[list[bytes]]:
    """The columns of each line. Split by hand, which takes a tenth of the time of `csv`; that one has the quoted lines."""
    for line in file:
        stripped = line.rstrip(b"\r\n")
        if not stripped:
            continue
        if b'"' in stripped:
            text = stripped.decode(errors="replace").replace("\0", "\ufffd")
            try:
                yield [column.encode() for column in next(csv.reader([text]))]
            except csv.Error:
                yield []
        else:
            yield stripped.split(b",")


def _parse_pixels(text: bytes) -> NDArray[np.uint8]:
    """Pixels from decimal numbers, all digits of a row at once: four times as fast as `split` and `int`.

    Whatever is not SIDE × SIDE numbers of one to three digits, one space between them, goes to the slow way, which
    tells what is wrong with it.
    """
    characters = np.frombuffer(text, np.uint8)
    gaps = np.flatnonzero(characters == _SPACE)
    count = SIDE * SIDE
    if len(gaps) != count - 1:
        return _parse_slowly(text)
    ends = np.append(gaps, len(characters))
    lengths = np.diff(ends, prepend=-1) - 1
    digits = characters - np.uint8(_ZERO)  # wraps: what is no digit becomes 10 or more
    if lengths.min() < 1 or lengths.max() > 3 or np.count_nonzero(digits < 10) != len(characters) - len(gaps):
        return _parse_slowly(text)
    values: NDArray[np.int16] = digits[ends - 1].astype(np.int16)
    values += digits[ends - 2] * (lengths > 1) * np.int16(10)
    values += digits[ends - 3] * (lengths > 2) * np.int16(100)
    if values.max() > 255:
        return _parse_slowly(text)
    return values.astype(np.uint8)


def _parse_slowly(text: bytes) -> NDArray[np.uint8]:
    """Any spacing is taken. Raises ValueError with the reason for a row that cannot be used."""
    words = text.split()
    if len(words) != SIDE * SIDE:
        raise ValueError(f"{len(words)} pixels instead of {SIDE * SIDE}")
    for word in words:
        if not word.removeprefix(b"-").isdigit():
            raise ValueError(f"pixel {word[:20].decode(errors='replace')!r} is not a number")
        if word.startswith(b"-") or len(word) > 9 or int(word) > 255:
            raise ValueError(f"pixel {word[:20].decode()} instead of 0 to 255")
    return np.array([int(word) for word in words], np.uint8)


def _parse_emotion(text: bytes) -> int:
    label = _EMOTIONS.get(text.strip())
    if label is None:
        wrong = text.strip()[:20].decode(errors="replace")
        raise ValueError(f"emotion {wrong!r} instead of 0 to {len(FER2013) - 1}")
    return label
