"""Calibration faces: the sample from which the ranges of a quantized model's tensors are measured.

They come from the training split alone. Ranges fitted to the faces that a figure is later reported on would flatter it.
A split's name does not prove that: FER2013 has faces that stand, pixel for pixel, in its training split and in a split
that models are judged on. Those are passed over here, and a set in which they are many is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.errors import CalibrationError
from edge_runtime.facesets import FaceSet, open_faces
from edge_runtime.illumination import NO_ILLUMINATION, normalize_all
from edge_runtime.preprocess import fit_face

__all__ = [
    "DEFAULT_COUNT",
    "LEAST_COUNT",
    "TRAINING_SPLITS",
    "Calibration",
    "calibrated_on",
    "check_training_split",
    "choose_calibration",
    "full_range",
    "read_calibration_faces",
    "read_evaluation_faces",
    "read_training_faces",
]

DEFAULT_COUNT = 500
LEAST_COUNT = 32
"""Fewer faces leave the ranges of deep tensors to chance."""

TRAINING_SPLITS = ("training", "train")
"""How data sets call the faces to fit, in lower case: FER2013's csv says Training, its folder form train."""

MOST_LEAKED = 0.05
"""Of the training faces, at most this share may stand in the same data set's other splits too: of FER2013's
28,709 training faces, 351 (1.2 %) are PublicTest faces, pixel for pixel."""


@dataclass(frozen=True)
class Calibration:
    """The faces, and where they come from.

    Attributes:
        pixels: uint8 (N, S, S, C), as the model reads them: scaled, with their illumination normalised.
        source: file or folder name of the data, without its path.
        split: the split's name in the data.
        rows: the row or file number of each face in its source, in the order of `pixels`.
        seed: that they were chosen with.
        darkest, brightest: of the chosen faces. Where they are not 0 and 255, the darkest and brightest pixels were
            set to that, so that the input's range is all of uint8.
        sha256: of `pixels`.
        illumination: how they were normalised.
        passed_over: how many faces were not to be chosen because they stand in an evaluation split too.
        compared: how many evaluation faces they were compared with.
        drawn_from: of frames for a face detector, the sha256 of what they were drawn from; "" for faces.
    """

    pixels: NDArray[np.uint8]
    source: str
    split: str
    rows: tuple[int, ...]
    seed: int
    darkest: int
    brightest: int
    sha256: str
    illumination: str = NO_ILLUMINATION
    passed_over: int = 0
    compared: int = 0
    drawn_from: str = ""

    def __len__(self) -> int:
        return len(self.pixels)

    def as_table(self) -> dict[str, Any]:
        """What the manifest keeps: everything but the pixels; the rows on one line; what does not apply is left out."""
        normalized = {} if self.illumination == NO_ILLUMINATION else {"illumination": self.illumination}
        kept_apart = {"compared": self.compared, "passed_over": self.passed_over} if self.compared else {}
        return {
            **normalized,
            **kept_apart,
            **({"drawn_from": self.drawn_from} if self.drawn_from else {}),
            "source": self.source,
            "split": self.split,
            "count": len(self),
            "seed": self.seed,
            "darkest": self.darkest,
            "brightest": self.brightest,
            "rows": " ".join(str(row) for row in self.rows),
            "sha256": self.sha256,
        }


def read_training_faces(path: Path, split: str = "Training") -> FaceSet:
    """The faces of the training split of any data that `open_faces` opens.

    Raises:
        CalibrationError: a split that is not for training.
        FaceSetError: data that cannot be read, or that has no such split.
    """
    check_training_split(split, path)
    faces = open_faces(path, split=split)
    for name in faces.split_names():
        check_training_split(name, path)
    return faces


def read_calibration_faces(path: Path, split: str = "Training") -> tuple[FaceSet, FaceSet]:
    """The training faces of a data set, and all faces of its other splits, which may be none.

    Raises:
        CalibrationError: a split that is not for training.
        FaceSetError: data that cannot be read, or that has no such split.
    """
    check_training_split(split, path)
    faces = open_faces(path)
    others = np.array([name.strip().lower() not in TRAINING_SPLITS for name in faces.splits], bool)
    training = faces.split(split)
    for name in training.split_names():
        check_training_split(name, path)
    return training, faces.where(others)


def read_evaluation_faces(path: Path, split: str | None = None) -> FaceSet:
    """The faces that a model is judged on: one split, or all but those for training where the data has any.

    Raises:
        FaceSetError: data that cannot be read, or that has no such split.
    """
    faces = open_faces(path, split=split)
    if split is not None:
        return faces
    others = np.array([name.strip().lower() not in TRAINING_SPLITS for name in faces.splits], bool)
    return faces.where(others) if others.any() else faces


def choose_calibration(
    faces: FaceSet,
    source: str,
    size: int,
    channels: int,
    count: int = DEFAULT_COUNT,
    seed: int = 1,
    illumination: str = NO_ILLUMINATION,
    others: FaceSet | None = None,
    evaluation: FaceSet | None = None,
) -> Calibration:
    """A seeded sample with as many faces of each class as there are to have, scaled to the model's input.

    Faces without a label and faces of one single grey level are passed over. Where a class has fewer faces than its
    share, the other classes fill up.

    Args:
        faces: of the training split.
        source: what the data is called in the provenance.
        size, channels: of the model's input.
        illumination: that the model was trained with.
        others: the other splits of the same data set. Faces that stand there too are passed over; they are a known
            defect of public data, but more than MOST_LEAKED of them are a leak.
        evaluation: faces of another data set that the model is to be judged on: none of them may be here.

    Raises:
        UsageError: no such illumination.
        CalibrationError: faces of another split, no usable face, a class without any, fewer than `count`, or faces
            that the model is to be judged on.
    """
    for name in faces.split_names():
        check_training_split(name, source)
    if count < LEAST_COUNT:
        raise CalibrationError(f"count {count}", f"at least {LEAST_COUNT} calibration faces", "raise --count")
    axes = tuple(range(1, faces.pixels.ndim))
    varied = faces.pixels.min(axis=axes) < faces.pixels.max(axis=axes)
    leaked = _leaked(faces, size, channels, source, others, evaluation)
    usable = np.flatnonzero((faces.labels >= 0) & varied & ~leaked)
    if len(usable) < count:
        what = "labelled, not of one single grey level" + (", in no evaluation split" if leaked.any() else "")
        raise CalibrationError(
            f"{source}: {len(usable)} usable faces of {len(faces)} ({what})",
            f"at least {count}",
            "name larger training data or lower --count",
        )
    chosen = usable[_balanced(faces.labels[usable], faces, source, count, np.random.default_rng(seed))]
    pixels, darkest, brightest = _as_read(faces.pixels[chosen], size, channels, illumination)
    split = ", ".join(faces.split_names())
    rows = tuple(int(row) for row in faces.rows[chosen])
    sha256 = hashlib.sha256(pixels.tobytes()).hexdigest()
    compared = sum(len(kept) for kept in (others, evaluation) if kept is not None)
    passed = int(leaked.sum())
    return Calibration(pixels, source, split, rows, seed, darkest, brightest, sha256, illumination, passed, compared)


def calibrated_on(table: Mapping[str, Any], faces: FaceSet, size: int, channels: int) -> bool:
    """Whether the faces of a calibration are among `faces`: the rows that its card or manifest names, with the same pixels.

    A row's number alone proves nothing, for another file numbers its own faces. False, too, where the rows are others, or
    where the table does not say enough.

    Args:
        table: of `Calibration.as_table`, as a card or a manifest keeps it.
        faces: as their data has them.
        size, channels: of the model's input.
    """
    rows, sha256 = table.get("rows"), table.get("sha256")
    if not isinstance(rows, str) or not isinstance(sha256, str) or not all(row.isdecimal() for row in rows.split()):
        return False
    places = {int(row): place for place, row in enumerate(faces.rows)}
    found = [places[int(row)] for row in rows.split() if int(row) in places]
    if not found or len(found) < len(rows.split()):
        return False
    illumination = str(table.get("illumination", NO_ILLUMINATION))
    pixels, _, _ = _as_read(faces.pixels[found], size, channels, illumination)
    return hashlib.sha256(pixels.tobytes()).hexdigest() == sha256


def _as_read(
    faces: NDArray[np.uint8], size: int, channels: int, illumination: str
) -> tuple[NDArray[np.uint8], int, int]:
    """Faces as a model reads them, with both ends of the range among their pixels; what was darkest and brightest before."""
    pixels = normalize_all(np.stack([fit_face(face, size, channels) for face in faces]), illumination)
    return full_range(pixels)


def full_range(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int, int]:
    """The pixels with both ends of the range among them, written in place; what was darkest and brightest before."""
    darkest, brightest = int(pixels.min()), int(pixels.max())
    # The converter takes the input's scale from the range it sees: 0 to 255 gives scale 1 and zero point 0, so that
    # raw pixels go straight in. Two pixels of hundreds of thousands move no other range.
    pixels.reshape(-1)[int(pixels.argmin())] = 0
    pixels.reshape(-1)[int(pixels.argmax())] = 255
    return pixels, darkest, brightest


def _leaked(
    faces: FaceSet, size: int, channels: int, source: str, others: FaceSet | None, evaluation: FaceSet | None
) -> NDArray[np.bool_]:
    """Which faces stand, as the model would read them, among those that it is judged on."""
    none = np.zeros(len(faces), bool)
    if not len(faces) or not any(kept is not None and len(kept) for kept in (others, evaluation)):
        return none
    own = _keys(faces, size, channels)
    if evaluation is not None:
        judged = set(_keys(evaluation, size, channels))
        found = [int(row) for row, key in zip(faces.rows, own, strict=True) if key in judged]
        if found:
            raise CalibrationError(
                f"{source}: {len(found)} of {len(faces)} calibration faces are evaluation faces, the first in row {found[0]}",
                "no picture on both sides",
                "faces that the model is judged by must not set its ranges: take them out of one side",
            )
    judged = set() if others is None else set(_keys(others, size, channels))
    leaked = np.array([key in judged for key in own], bool)
    if leaked.mean() > MOST_LEAKED:
        raise CalibrationError(
            f"{source}: {int(leaked.sum())} of {len(faces)} training faces are in its other splits too",
            f"at most {MOST_LEAKED:.0%} of them, as public data sets have",
            "split the data again, without copies across splits",
        )
    return leaked


def _keys(faces: FaceSet, size: int, channels: int) -> list[bytes]:
    """A hash of each face as the model reads it, before its illumination is normalised."""
    return [hashlib.blake2b(fit_face(face, size, channels).tobytes(), digest_size=16).digest() for face in faces.pixels]


def check_training_split(split: str, where: object) -> None:
    """Raises CalibrationError for a split that is not for training."""
    if split.strip().lower() not in TRAINING_SPLITS:
        raise CalibrationError(
            f"{where}: calibration faces of the split {split!r}",
            f"training faces only: a split called {' or '.join(TRAINING_SPLITS)}",
            "faces that the model is chosen or judged by must not set its ranges: name the training split",
        )


def _balanced(
    labels: NDArray[np.int16], faces: FaceSet, source: str, count: int, random: np.random.Generator
) -> NDArray[np.int64]:
    """Indices into `labels`: the classes take turns, each in a random order of its own, until `count` are chosen."""
    turns = np.empty(len(labels), np.int64)
    for label, name in enumerate(faces.label_set.names):
        members = np.flatnonzero(labels == label)
        if not len(members):
            raise CalibrationError(
                f"{source}: no usable face of {name!r}",
                "calibration faces of each class",
                "name complete training data",
            )
        turns[members] = random.permutation(len(members))
    return np.sort(np.lexsort((labels, turns))[:count])
