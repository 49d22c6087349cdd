"""FER+ votes for FER2013's faces (`fer2013new.csv`): ten annotators a face, in FER2013's row order."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import FaceSetError
from edge_runtime.facesets.base import FaceSet
from edge_runtime.labels import FERPLUS, FERPLUS_VOTES

__all__ = ["majority_labels", "read_votes", "with_majority_labels", "with_votes"]


def read_votes(path: Path) -> NDArray[np.uint8]:
    """The votes of every row of `fer2013new.csv`, uint8 (rows, 10), columns as in `FERPLUS_VOTES`.

    Raises:
        FaceSetError: the file is missing, has other columns, or a vote that is not a number from 0 to 10.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig", errors="replace") as file:
            reader = csv.DictReader(file)
            missing = [name for name in FERPLUS_VOTES if name not in (reader.fieldnames or [])]
            if missing:
                raise FaceSetError(
                    f"{path}: no column {missing[0]!r}",
                    f"FER+ votes with columns {', '.join(FERPLUS_VOTES)}",
                    "use fer2013new.csv of the FER+ repository",
                )
            votes = []
            for row, record in enumerate(reader):
                values = [record[name] for name in FERPLUS_VOTES]
                if not all(value is not None and value.isdigit() and int(value) <= 10 for value in values):
                    raise FaceSetError(
                        f"{path} row {row}: votes {values}",
                        "ten numbers from 0 to 10",
                        "copy the file again: votes are matched by row",
                    )
                votes.append([int(value) for value in values])
    except OSError as error:
        raise FaceSetError(f"{path}: {error.strerror}", "a readable FER+ csv", "check the path") from error
    return np.array(votes, np.uint8).reshape(-1, len(FERPLUS_VOTES))


def with_votes(faces: FaceSet, votes: NDArray[np.uint8], source: str) -> FaceSet:
    """The same faces with their votes, matched by row. Raises FaceSetError where a face has no row of votes."""
    if len(faces) and int(faces.rows.max()) >= len(votes):
        raise FaceSetError(
            f"{source}: {len(votes)} rows of votes",
            f"at least {int(faces.rows.max()) + 1}, one for each row of the faces",
            "use the two files of one release",
        )
    return replace(faces, votes=votes[faces.rows])


def majority_labels(votes: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Majority protocol of Barsoum et al. 2016: the class with most votes; -1 where that is `unknown` or `NF`.

    A tie goes to the class that stands first in FER+'s order.
    """
    largest: NDArray[np.int16] = votes.argmax(axis=1).astype(np.int16)
    largest[largest >= len(FERPLUS)] = -1
    return largest


def with_majority_labels(faces: FaceSet) -> FaceSet:
    """The same faces labelled by their votes' majority, in FER+'s eight classes."""
    if faces.votes is None:
        raise FaceSetError("faces without FER+ votes", "faces read together with fer2013new.csv", "name the votes' csv")
    return replace(faces, labels=majority_labels(faces.votes), label_set=FERPLUS)
