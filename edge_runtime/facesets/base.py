"""A set of ready-cropped, labelled faces in memory: what training, calibration, `record` and parity measure on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import FaceSetError
from edge_runtime.labels import LabelSet

__all__ = ["FaceSet", "Problem"]


@dataclass(frozen=True)
class Problem:
    """One row or file of a data set that was left out, and why."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(frozen=True)
class FaceSet:
    """Labelled faces, all of one size.

    Attributes:
        pixels: uint8, (N, H, W) grey or (N, H, W, 3) BGR.
        labels: int16 (N,), class indices into `label_set`; -1 where the protocol leaves a row out.
        splits: str (N,), "Training", "PublicTest", … as the data set names them.
        rows: int64 (N,), the row (from 0) or file number that each face has in its source.
        label_set: what the labels mean.
        votes: uint8 (N, 10) FER+ votes in the order of `FERPLUS_VOTES`, or None.
        groups: str (N,), whom each face shows ("F01", "S005") or what it was taken from, or None where the data set
            does not say. Faces of one group belong on one side of a split.
        problems: rows or files that were left out.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int16]
    splits: NDArray[np.str_]
    rows: NDArray[np.int64]
    label_set: LabelSet
    votes: NDArray[np.uint8] | None = None
    groups: NDArray[np.str_] | None = None
    problems: tuple[Problem, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        count = len(self.pixels)
        for name in ("labels", "splits", "rows", "votes", "groups"):
            values = getattr(self, name)
            if values is not None and len(values) != count:
                raise FaceSetError(
                    f"{len(values)} {name} for {count} faces", "as many of each", "read the data set again"
                )
        if self.pixels.dtype != np.uint8 or self.pixels.ndim not in (3, 4):
            raise FaceSetError(
                f"pixels {self.pixels.dtype} {self.pixels.shape}",
                "uint8 (N, H, W) or (N, H, W, 3)",
                "convert the pixels",
            )
        if self.groups is not None and (self.groups == "").any():
            raise FaceSetError(
                f"{int((self.groups == '').sum())} faces without a group among {count}",
                "a group for every face, or none at all",
                "name the missing ones, or leave the groups out",
            )
        if count and not (int(self.labels.min()) >= -1 and int(self.labels.max()) < len(self.label_set)):
            raise FaceSetError(
                f"labels from {self.labels.min()} to {self.labels.max()}",
                f"-1 to {len(self.label_set) - 1} for {self.label_set.name!r}",
                "name the label set that the data was labelled with",
            )

    def __len__(self) -> int:
        return len(self.pixels)

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> FaceSet:
        """The faces that a mask or an index array chooses, in that order."""
        return FaceSet(
            self.pixels[chosen],
            self.labels[chosen],
            self.splits[chosen],
            self.rows[chosen],
            self.label_set,
            None if self.votes is None else self.votes[chosen],
            None if self.groups is None else self.groups[chosen],
            self.problems,
        )

    def split(self, name: str) -> FaceSet:
        """The faces of one split. Raises FaceSetError, listing the splits, where there are none."""
        chosen = self.splits == name
        if not chosen.any():
            known = ", ".join(self.split_names()) or "none"
            raise FaceSetError(f"split {name!r} with no faces", f"one of {known}", "name a split that the data set has")
        return self.where(chosen)

    def split_names(self) -> Sequence[str]:
        return sorted({str(name) for name in self.splits})

    def sha256(self) -> str:
        """A hash of pixels, labels and rows: two sets with one hash are the same faces in the same order."""
        digest = hashlib.sha256(f"{self.label_set.name} {self.pixels.shape} ".encode())
        for values in (self.pixels, self.labels.astype("<i2"), self.rows.astype("<i8")):
            digest.update(np.ascontiguousarray(values).tobytes())
        return digest.hexdigest()
