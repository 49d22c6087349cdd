"""A folder of labelled pictures: `<label>/*.png`, or `<split>/<label>/*.jpg` as Kaggle gives FER2013.

Splits are called as the folders are. Kaggle's `test` is PublicTest and PrivateTest together, so it is not renamed to
either. A folder without splits is one split, "all".
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import FaceSetError, PictureError
from edge_runtime.facesets.base import FaceSet, Problem
from edge_runtime.labels import FER2013, LabelSet, canonical
from edge_runtime.pictures import PICTURE_SUFFIXES, read_picture
from edge_runtime.preprocess import fit_face

__all__ = ["WHOLE", "read_folder"]

WHOLE = "all"
"""The split of a folder that has none."""


def read_folder(
    path: Path,
    label_set: LabelSet | None = None,
    split: str | None = None,
    size: int | None = None,
    channels: int = 1,
) -> FaceSet:
    """Reads labelled pictures, in the order of their names.

    Args:
        path: the folder. Hidden entries, and files that are not called as pictures are, are passed over.
        label_set: what the folders' names are matched with, in any of the field's spellings; None takes FER2013's.
        split: read only this one.
        size: side in pixels that every face is scaled to; None takes square pictures of one size as they are.
        channels: 1 for grey, 3 for BGR.

    Raises:
        FaceSetError: no such folder, a folder that is no label, pictures of several sizes without `size`, or no
            usable picture (of `split`).
    """
    labels = label_set or FER2013
    pixels: list[NDArray[np.uint8]] = []
    found: list[tuple[int, str, int]] = []
    problems: list[Problem] = []
    splits = _splits(path, labels)
    if split is not None and split not in splits:
        raise FaceSetError(
            f"{path}: no split {split!r}", f"one of {', '.join(splits)}", "name a split that the folder has"
        )
    row = -1
    for name, split_folder in splits.items():
        for label, label_folder in _labels(split_folder, labels).items():
            for file in _pictures(label_folder):
                row += 1  # counted in every split, so that a face has one number however it is read
                if split is not None and name != split:
                    continue
                try:
                    face = _read_face(file, size, channels)
                except PictureError as error:
                    problems.append(Problem(str(file.relative_to(path)), error.received.removeprefix(f"{file}: ")))
                    continue
                _check_size(face, pixels, file, path)
                pixels.append(face)
                found.append((labels.index(label), name, row))
    if not pixels:
        first = f" (first: {problems[0]})" if problems else ""
        raise FaceSetError(
            f"{path}: no usable picture, {len(problems)} broken{first}",
            "pictures in folders named after their expressions",
            "check the folder",
        )
    stacked = np.stack(pixels)
    return FaceSet(
        stacked[..., 0] if channels == 1 else stacked,
        np.array([label for label, _, _ in found], np.int16),
        np.array([name for _, name, _ in found]),
        np.array([number for _, _, number in found], np.int64),
        labels,
        problems=tuple(problems),
    )


def _visible(folder: Path) -> list[Path]:
    try:
        return sorted(entry for entry in folder.iterdir() if not entry.name.startswith((".", "__")))
    except OSError as error:
        raise FaceSetError(f"{folder}: {error.strerror}", "a folder of labelled pictures", "check the path") from error


def _folders(folder: Path) -> list[Path]:
    return [entry for entry in _visible(folder) if entry.is_dir()]


def _pictures(folder: Path) -> list[Path]:
    return [entry for entry in _visible(folder) if entry.suffix.lower() in PICTURE_SUFFIXES]


def _known(labels: LabelSet) -> dict[str, str]:
    return {canonical(name): name for name in labels.names}


def _splits(path: Path, labels: LabelSet) -> dict[str, Path]:
    """Split name -> folder: the first-level folders where none of them is a label and all have folders inside."""
    folders = _folders(path)
    known = _known(labels)
    if folders and not any(canonical(folder.name) in known for folder in folders) and all(map(_folders, folders)):
        return {folder.name: folder for folder in folders}
    return {WHOLE: path}


def _labels(folder: Path, labels: LabelSet) -> dict[str, Path]:
    """Label -> folder, in the label set's order."""
    known = _known(labels)
    found: dict[str, Path] = {}
    for entry in _folders(folder):
        label = known.get(canonical(entry.name))
        if label is None or label in found:
            what = f"and {found[label].name} are one label" if label else f"is no label of {labels.name!r}"
            raise FaceSetError(
                f"{entry}: {entry.name!r} {what}",
                f"one folder each for {', '.join(labels.names)}",
                "rename or remove the folder, or name the label set that it was labelled with",
            )
        found[label] = entry
    if not found:
        raise FaceSetError(
            f"{folder}: no folders in it", f"folders named {', '.join(labels.names)}", "name the folder above them"
        )
    return {name: found[name] for name in labels.names if name in found}


def _read_face(file: Path, size: int | None, channels: int) -> NDArray[np.uint8]:
    picture = read_picture(file)
    height, width = picture.shape[:2]
    if size is None and height != width:
        raise FaceSetError(f"{file}: {width} × {height} px", "square faces, or a size to scale them to", "name a size")
    return fit_face(picture, size or width, channels)


def _check_size(face: NDArray[np.uint8], pixels: list[NDArray[np.uint8]], file: Path, path: Path) -> None:
    if pixels and face.shape != pixels[0].shape:
        raise FaceSetError(
            f"{file.relative_to(path)}: {face.shape[1]} px where the faces before have {pixels[0].shape[1]}",
            "faces of one size, or a size to scale them to",
            "name a size",
        )
