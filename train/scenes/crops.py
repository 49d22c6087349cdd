"""The faces of a labelled data set: each picture is known to show one, also where the teacher is not sure of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.framesets.marks import POINTS
from train.scenes.teacher import DOUBTFUL, Taught, Teacher

__all__ = ["Crops", "teach_crops"]

_FLAT = 8.0
"""Grey levels; a picture with less contrast than this shows nothing."""

_LEAST_SEEN = 20
"""Faces that say what is usual."""


@dataclass(frozen=True)
class Crops:
    """What is known of each crop, and how.

    Attributes:
        taught: of each picture; None for one that shows nothing, or where too few were seen to say what is usual.
        sure, doubtful, usual: how many faces the teacher was sure of, and not; and how many it did not see at all, which
            have the box that is usual in these crops, and no landmarks.
    """

    taught: list[Taught | None]
    sure: int
    doubtful: int
    usual: int


def teach_crops(pictures: Iterable[NDArray[np.uint8]], teacher: Teacher) -> Crops:
    """Asks the teacher for the face of each picture, uint8 (H, W) or BGR (H, W, 3).

    A detector that learns only the faces that its teacher is sure of finds no profile, no head that is bowed and no face behind
    hands which the teacher does not find.
    """
    taught: list[Taught | None] = []
    sizes: list[NDArray[np.float32]] = []
    sure = doubtful = 0
    for picture in pictures:
        colour = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR) if picture.ndim == 2 else picture
        found = None
        if picture.std() >= _FLAT:
            found = teacher.one_face(colour)
            sure += found is not None
            if found is None:
                found = teacher.one_face(colour, DOUBTFUL)
                doubtful += found is not None
        height, width = picture.shape[:2]
        taught.append(found)
        sizes.append(np.array([width, height] * 2 if picture.std() >= _FLAT else [0] * 4, np.float32))
    seen = [each.box / size for each, size in zip(taught, sizes, strict=True) if each is not None]
    if len(seen) < _LEAST_SEEN:
        return Crops(taught, sure, doubtful, 0)
    middle = np.median(seen, axis=0).astype(np.float32)
    unknown = np.full((POINTS, 2), np.nan, np.float32)
    whole = [
        Taught(middle * size, unknown) if each is None and size.any() else each
        for each, size in zip(taught, sizes, strict=True)
    ]
    return Crops(whole, sure, doubtful, sum(each is not None for each in whole) - len(seen))
