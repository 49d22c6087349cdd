"""The faces of a labelled data set: each picture is known to show one, also where the teacher is not sure of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from edge_runtime.detectors import Detector
from edge_runtime.facesets import FaceSet
from edge_runtime.framesets.marks import POINTS
from edge_runtime.labels import FERPLUS_VOTES
from train.scenes.teacher import Taught, Teacher

__all__ = ["Crops", "missed_by", "shown", "teach_crops"]

_FLAT = 8.0
"""Grey levels; a picture with less contrast than this shows nothing."""

_LEAST_SEEN = 20
"""Faces that say what is usual."""

_LOOK_PX = 128
"""A crop is enlarged to this, with half as much of its border continued around it, before a detector looks for its face."""


def shown(faces: FaceSet) -> FaceSet:
    """Without those of which most of FER+'s annotators said that they show no face."""
    if faces.votes is None:
        return faces
    return faces.where(faces.votes.argmax(axis=1) != FERPLUS_VOTES.index("NF"))


def missed_by(detector: Detector, pictures: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Of pictures that show one face each, uint8 (N, H, W) or BGR (N, H, W, 3): in which of them it finds none, bool (N,)."""
    looked = tqdm(pictures, "looking", unit="face", disable=None, leave=False)
    return np.array([not _finds(detector, picture) for picture in looked], bool)


def _finds(detector: Detector, picture: NDArray[np.uint8]) -> bool:
    """Whether it finds a face whose middle lies in the crop."""
    scale = _LOOK_PX / max(picture.shape[:2])
    enlarged = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    around = _LOOK_PX // 2
    framed = cv2.copyMakeBorder(enlarged, *(around,) * 4, cv2.BORDER_REPLICATE)
    height, width = enlarged.shape[:2]
    middles = (np.array(found.box.center) - around for found in detector.detect(_colour(framed)))
    return any(0 < x < width and 0 < y < height for x, y in middles)


def _colour(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """BGR (H, W, 3), as detectors take pictures."""
    colour: NDArray[np.uint8] = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR) if picture.ndim == 2 else picture
    return colour


@dataclass(frozen=True)
class Crops:
    """What is known of each crop, and how.

    Attributes:
        taught: of each picture; None for one that shows nothing, or where too few were seen to say what is usual.
        sure, doubtful, usual: how many faces the teacher was sure of, and not; and how many it hardly saw, which have the
            box that is usual in these crops, and no landmarks.
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
    boxes: list[NDArray[np.float32]] = []
    unseen: dict[int, NDArray[np.float32]] = {}
    sure = 0
    for index, picture in enumerate(pictures):
        if picture.std() < _FLAT:
            taught.append(None)
            continue
        colour = _colour(picture)
        found = teacher.one_face(colour)
        sure += found is not None
        found = found or teacher.known_face(colour)
        taught.append(found)
        height, width = picture.shape[:2]
        size = np.array([width, height] * 2, np.float32)
        if found is None:
            unseen[index] = size
        else:
            boxes.append(found.box / size)
    if len(boxes) < _LEAST_SEEN:
        return Crops(taught, sure, len(boxes) - sure, 0)
    usual = np.median(boxes, axis=0).astype(np.float32)
    for index, size in unseen.items():
        taught[index] = Taught(usual * size, np.full((POINTS, 2), np.nan, np.float32))
    return Crops(taught, sure, len(boxes) - sure, len(unseen))
