"""`python -m train scenes prepare`: pictures of faces and of places into one file that scenes are composed from."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from edge_runtime.errors import PictureError
from edge_runtime.facesets import open_faces
from edge_runtime.framesets.marks import Marks
from edge_runtime.pictures import PICTURE_SUFFIXES, decode_picture
from train.errors import DataError
from train.files import make_folder
from train.scenes.store import HELD_OUT, SPLITS, TRAINING, Store, write_store
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


def run(arguments: argparse.Namespace) -> int:
    """Reads, asks the teacher, writes the .npz. Returns 2 where files could not be read, else 0."""
    teacher = Teacher(arguments.teacher)
    faces, places = _Gathered(), _Gathered()
    taught = _faces(arguments, teacher, faces)
    marks = [teacher.marks(image) for image in _pictures(arguments.backgrounds, PLACE_PX, places, "places")]
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
        _splits(len(faces.files), arguments.held_out, random),
        places.files,
        _splits(len(places.files), arguments.held_out, random),
        marks,
        {"teacher_sha256": teacher.sha256, "held_out": arguments.held_out, "seed": arguments.seed},
    )
    make_folder(arguments.out.parent)
    write_store(store, arguments.out)
    _say(store, faces, arguments.out)
    for problem in [*faces.problems, *places.problems]:
        print(problem, file=sys.stderr)
    return 2 if faces.problems or places.problems else 0


def _faces(arguments: argparse.Namespace, teacher: Teacher, gathered: _Gathered) -> list[Taught]:
    """The face of each picture of one person; pictures without exactly one sure face are counted and left out."""
    taught: list[Taught] = []

    def ask(image: NDArray[np.uint8]) -> None:
        found = teacher.one_face(image)
        if found is None:
            gathered.faceless += 1
            gathered.files.pop()
        else:
            taught.append(found)

    for image in _pictures(arguments.faces, FACE_PX, gathered, "faces"):
        ask(image)
    if arguments.crops is not None:
        crops = open_faces(arguments.crops).split(arguments.crops_split)
        chosen = np.random.default_rng(arguments.seed).permutation(len(crops))[: arguments.crops_count]
        for index in tqdm(np.sort(chosen), "crops", unit="face", disable=None, leave=False):
            pixels = crops.pixels[index]
            gathered.files.append(_png(pixels))
            ask(cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR) if pixels.ndim == 2 else pixels)
    return taught


def _pictures(folders: Sequence[Path], longest_px: int, gathered: _Gathered, what: str) -> Iterator[NDArray[np.uint8]]:
    """Every picture of some folders, BGR; its file's bytes are the last of `gathered.files` when it is given."""
    for path in tqdm(_paths(folders), what, unit="picture", disable=None, leave=False):
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
    paths: list[Path] = []
    for folder in folders:
        if not folder.is_dir():
            raise DataError(f"{folder}, which is no folder", "a folder of pictures", "check the path")
        paths += sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURE_SUFFIXES)
    return paths


def _splits(count: int, share: float, random: np.random.Generator) -> NDArray[np.str_]:
    """TRAINING or HELD_OUT for each picture: `share` of them, but at least one and never all, is held out."""
    held = min(count - 1, max(1, round(count * share)))
    splits = np.full(count, TRAINING, dtype=f"U{max(map(len, SPLITS))}")
    splits[random.permutation(count)[:held]] = HELD_OUT
    return splits


def _png(image: NDArray[np.uint8]) -> bytes:
    return bytes(cv2.imencode(".png", image)[1])


def _say(store: Store, faces: _Gathered, out: Path) -> None:
    def people(marks: Sequence[Marks]) -> str:
        return f"{sum(map(len, marks))} faces seen in places, {sum(len(each.ignored) for each in marks)} doubtful"

    for name in SPLITS:
        print(f"{name}: {(store.face_splits == name).sum()} faces, {(store.place_splits == name).sum()} places")
    print(f"{people(store.marks)}; {faces.faceless} pictures without exactly one sure face left out")
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB")
