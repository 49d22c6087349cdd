"""`python -m train scenes prepare`: pictures of faces and of places into one file that scenes are composed from."""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from edge_runtime.detectors import Detector, open_detector
from edge_runtime.errors import PictureError
from edge_runtime.facesets import FaceSet, open_faces
from edge_runtime.framesets.marks import Marks
from edge_runtime.pictures import PICTURE_SUFFIXES, decode_picture
from train.errors import DataError
from train.files import make_folder
from train.scenes.crops import missed_by, shown, teach_crops
from train.scenes.store import HELD_OUT, SPLITS, TRAINING, Store, read_store, write_store
from train.scenes.teacher import Taught, Teacher

__all__ = ["run"]

FACE_PX, PLACE_PX = 256, 640
"""Longest sides that are kept. Larger pictures are made smaller; a scene is hardly larger than 320 px."""


@dataclass
class _Gathered:
    """Pictures as they are read, and what could not be read or used."""

    files: list[bytes] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    faceless: int = 0

    def take(self, found: Taught | None, taught: list[Taught]) -> None:
        """Keeps the last file with its face, or drops it."""
        if found is None:
            self.faceless += 1
            self.files.pop()
        else:
            taught.append(found)


def run(arguments: argparse.Namespace) -> int:
    """Reads, asks the teacher, writes the .npz. Returns 2 where files could not be read, else 0."""
    for option, value in (("--votes", arguments.votes), ("--crops-missed-by", arguments.crops_missed_by)):
        if value is not None and arguments.crops is None:
            raise DataError(
                f"{option} without --crops", "the labelled faces that it is about", "name them with --crops"
            )
    earlier = {} if arguments.division is None else _division(read_store(arguments.division))
    people, backgrounds = _paths(arguments.faces), _paths(arguments.backgrounds)
    labelled = None
    if arguments.crops is not None:
        labelled = shown(open_faces(arguments.crops, arguments.votes).split(arguments.crops_split))
    missing = None if arguments.crops_missed_by is None else open_detector(arguments.crops_missed_by)
    teacher = Teacher(arguments.teacher)
    make_folder(arguments.out.parent)
    # Only now, as looking through a data set takes minutes: whatever was named wrongly has been said.
    crops = [] if labelled is None else _crops(labelled, arguments.crops_count, arguments.seed, missing)
    faces, places = _Gathered(), _Gathered()
    taught = _faces(people, crops, teacher, faces)
    marks = [teacher.marks(image) for image in _pictures(backgrounds, PLACE_PX, places, "places")]
    for what, gathered in (("face", faces), ("background", places)):
        if len(gathered.files) < 2:
            raise DataError(
                f"{len(gathered.files)} usable {what} pictures", "at least 2, to train and to judge on", "name more"
            )
    random = np.random.default_rng(arguments.seed)
    store = Store(
        faces.files,
        np.stack([each.box for each in taught]).astype(np.float32),
        np.stack([each.points for each in taught]).astype(np.float32),
        _splits(faces.files, arguments.held_out, random, earlier),
        places.files,
        _splits(places.files, arguments.held_out, random, earlier),
        marks,
        {"teacher_sha256": teacher.sha256, "held_out": arguments.held_out, "seed": arguments.seed},
    )
    write_store(store, arguments.out)
    _say(store, faces, arguments.out)
    for problem in [*faces.problems, *places.problems]:
        print(problem, file=sys.stderr)
    return 2 if faces.problems or places.problems else 0


def _crops(faces: FaceSet, count: int, seed: int, detector: Detector | None) -> list[NDArray[np.uint8]]:
    """Some of the labelled faces, by chance; those that a detector misses come first."""
    order = np.random.default_rng(seed).permutation(len(faces))
    if detector is not None:
        missed = missed_by(detector, faces.pixels)
        order = order[np.argsort(~missed[order], kind="stable")]
        print(f"crops: {detector.name} misses {missed.sum()} of {len(faces)} faces; these come first")
    return [faces.pixels[index] for index in np.sort(order[:count])]


def _faces(
    people: Sequence[Path], pictures: Sequence[NDArray[np.uint8]], teacher: Teacher, gathered: _Gathered
) -> list[Taught]:
    """The face of each picture of one person, and of each crop; pictures in which no one face is found are counted and left out."""
    taught: list[Taught] = []
    for image in _pictures(people, FACE_PX, gathered, "faces"):
        gathered.take(teacher.one_face(image), taught)
    if pictures:
        crops = teach_crops(tqdm(pictures, "crops", unit="face", disable=None, leave=False), teacher)
        for picture, found in zip(pictures, crops.taught, strict=True):
            gathered.files.append(_png(picture))
            gathered.take(found, taught)
        print(
            f"crops: {crops.sure} with a sure face, {crops.doubtful} doubtful, {crops.usual} not seen, with the usual box"
        )
    return taught


def _pictures(paths: Sequence[Path], longest_px: int, gathered: _Gathered, what: str) -> Iterator[NDArray[np.uint8]]:
    """Every picture of some files, BGR; its file's bytes are the last of `gathered.files` when it is given."""
    for path in tqdm(paths, what, unit="picture", disable=None, leave=False):
        try:
            data = path.read_bytes()
            image = decode_picture(data, str(path))
        except (OSError, PictureError) as error:
            gathered.problems.append(str(error))
            continue
        scale = longest_px / max(image.shape[:2])
        if scale < 1:
            image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            data = _png(image)
        gathered.files.append(data)
        yield image


def _paths(folders: Sequence[Path]) -> list[Path]:
    """The pictures of some folders, before any of them is opened."""
    paths: list[Path] = []
    for folder in folders:
        if not folder.is_dir():
            raise DataError(f"{folder}, which is no folder", "a folder of pictures", "check the path")
        paths += sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURE_SUFFIXES)
    return paths


def _splits(
    files: Sequence[bytes], share: float, random: np.random.Generator, earlier: Mapping[bytes, str]
) -> NDArray[np.str_]:
    """TRAINING or HELD_OUT for each picture: `share` of them, but at least one and never all, is held out; those of an
    earlier division stay where they were."""
    count = len(files)
    held = min(count - 1, max(1, round(count * share)))
    splits = np.full(count, TRAINING, dtype=f"U{max(map(len, SPLITS))}")
    splits[random.permutation(count)[:held]] = HELD_OUT
    for number, data in enumerate(files):
        splits[number] = earlier.get(_name(data), splits[number])
    return splits


def _division(store: Store) -> dict[bytes, str]:
    pairs = ((store.faces, store.face_splits), (store.places, store.place_splits))
    return {_name(data): str(split) for files, splits in pairs for data, split in zip(files, splits, strict=True)}


def _name(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _png(image: NDArray[np.uint8]) -> bytes:
    return bytes(cv2.imencode(".png", image)[1])


def _say(store: Store, faces: _Gathered, out: Path) -> None:
    def people(marks: Sequence[Marks]) -> str:
        return f"{sum(map(len, marks))} faces seen in places, {sum(len(each.ignored) for each in marks)} doubtful"

    for name in SPLITS:
        print(f"{name}: {(store.face_splits == name).sum()} faces, {(store.place_splits == name).sum()} places")
    print(f"{people(store.marks)}; {faces.faceless} pictures left out, in which no one face was found")
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB")
