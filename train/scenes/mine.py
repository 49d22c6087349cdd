"""`python -m train scenes mine`: where a detector fires though nobody is there."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from devices.quiet import quiet_libraries
from edge_runtime.detectors import DETECTORS, open_detector
from edge_runtime.detectors.decode import overlaps
from train.errors import DataError
from train.files import check_model_file, make_folder, model_at
from train.scenes.negatives import Negatives, read_negatives, write_negatives
from train.scenes.store import TRAINING, Store, read_store

__all__ = ["mine", "run"]

Firing = tuple[NDArray[np.float32], NDArray[np.float32]]
Detect = Callable[[NDArray[np.uint8]], Firing]
"""A BGR picture (H, W, 3) of TILE pixels to boxes float32 (N, 4) and scores float32 (N,)."""

TILE = (320, 256)
"""Width and height of the parts that a place is looked at in, which overlap by a third."""

_SCALES = (0.6, 1.0, 1.6)
_APART = 0.1


def run(arguments: argparse.Namespace) -> int:
    """Runs the detector over all training places, writes where it was wrong. Returns 0."""
    if arguments.most < 1:
        raise DataError(f"--most {arguments.most}", "at least 1", "correct it")
    # Whatever can be wrong is looked at before the minutes that follow.
    detect = _detector(arguments.detector, arguments.threshold)
    store = read_store(arguments.data)
    earlier = None if arguments.add_to is None else read_negatives(arguments.add_to, store.sha256)
    make_folder(arguments.out.parent)
    found = mine(store, detect, arguments.threshold)
    fresh = len(found)
    if earlier is not None:
        found = found.plus(earlier)
    among = len(found)
    found = found.worst(arguments.most)
    write_negatives(found, arguments.out)
    places = len(set(found.places.tolist()))
    print(
        f"{arguments.out}: {len(found)} places where it fired in {places} pictures,"
        f" the surest of {among}, {fresh} of them found now"
    )
    return 0


def mine(store: Store, detect: Detect, threshold: float) -> Negatives:
    """Every training place in three sizes; boxes that touch nobody whom the teacher saw or suspected are kept."""
    rows: list[tuple[int, NDArray[np.float32], float, float]] = []
    training = np.flatnonzero(store.place_splits == TRAINING).tolist()
    for index in tqdm(training, "mining", unit="place", disable=None, leave=False):
        picture, marks = store.place(index, 3), store.marks[index]
        people = np.concatenate([marks.boxes, marks.ignored])
        for scale in _SCALES:
            for left, top, tile in _tiles(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)):
                boxes, scores = detect(tile)
                boxes = (boxes + np.array([left, top, left, top], np.float32)) / np.float32(scale)
                wrong = scores >= threshold
                if len(people) and len(boxes):
                    wrong &= overlaps(boxes, people, of_smaller=True).max(axis=1) < _APART
                rows += [(index, boxes[at], scale, float(scores[at])) for at in np.flatnonzero(wrong).tolist()]
    return Negatives(
        np.array([row[0] for row in rows], np.int64),
        np.array([row[1] for row in rows], np.float32).reshape(-1, 4),
        np.array([row[2] for row in rows], np.float32),
        np.array([row[3] for row in rows], np.float32),
        store.sha256,
    )


def _tiles(picture: NDArray[np.uint8]) -> Iterator[tuple[int, int, NDArray[np.uint8]]]:
    """Left, top and pixels of parts of TILE pixels that cover a picture; what lies beyond its border is black."""
    height, width = picture.shape[:2]
    steps = [
        range(0, max(1, side - tile // 3), 2 * tile // 3) for side, tile in zip((width, height), TILE, strict=True)
    ]
    for left, top in itertools.product(*steps):
        tile = np.zeros((TILE[1], TILE[0], 3), np.uint8)
        part = picture[top : top + TILE[1], left : left + TILE[0]]
        tile[: part.shape[0], : part.shape[1]] = part
        yield left, top, tile


def _detector(name: str, threshold: float) -> Detect:
    """A run folder or saved model of `fit --recipe face_detector`, or a detector by the name that `fer-edge` knows."""
    if name.partition(":")[0] in DETECTORS and not Path(name).exists():
        detector = open_detector(name)

        def by_name(picture: NDArray[np.uint8]) -> Firing:
            found = detector.detect(picture)
            boxes = np.array([each.box.as_tuple() for each in found], np.float32).reshape(-1, 4)
            return boxes, np.array([each.score for each in found], np.float32)

        return by_name
    check_model_file(model_at(Path(name)))
    with quiet_libraries():  # only here: a detector by name needs no Keras
        from train.detection.saved import SavedDetector

    saved = SavedDetector(Path(name))

    def by_net(picture: NDArray[np.uint8]) -> Firing:
        found = saved.find(picture, threshold)
        return found.boxes, found.scores

    return by_net
