"""The pictures of a data set, listed first and then read: cut, scaled and stacked, the unusable ones named.

A reader says which pictures there are and what each shows; everything after that is here, once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_runtime.detectors import DEFAULT_DETECTOR, Detector, open_detector
from edge_runtime.errors import FaceSetError, PictureError
from edge_runtime.facesets.base import FaceSet, Problem
from edge_runtime.geometry import Box
from edge_runtime.labels import LabelSet
from edge_runtime.pictures import PICTURE_SUFFIXES, read_picture
from edge_runtime.preprocess import Framing, crop_face, fit_face

__all__ = [
    "CUT_PX",
    "WHOLE",
    "Cut",
    "Listed",
    "Wanted",
    "as_it_is",
    "at_box",
    "at_face",
    "folders_in",
    "gather",
    "incomplete",
    "pictures_in",
    "require_classes",
    "visible_in",
]

WHOLE = "all"
"""The split of a data set that has none."""

CUT_PX = 96
"""Side of faces that are cut out of larger pictures, where no size is asked for."""


@dataclass(frozen=True)
class Wanted:
    """What of a data set is wanted, and how.

    Attributes:
        split: only this one; None for all.
        label_set: what a folder's or csv's own names are matched with; None leaves that to the form. Data sets with a
            numbering of their own pass over it.
        size: side in pixels; None keeps that of cropped faces and cuts others at `CUT_PX`.
        channels: 1 for grey, 3 for BGR; None is grey.
        detector: finds the faces of pictures that are not cropped: an object, or a name as `open_detector` takes it.
    """

    split: str | None = None
    label_set: LabelSet | None = None
    size: int | None = None
    channels: int | None = None
    detector: Detector | str = DEFAULT_DETECTOR


@dataclass(frozen=True)
class Listed:
    """A picture that is not read yet. `where` is its name in messages; `group` is "" where the data set has none."""

    file: Path
    where: str
    label: int
    split: str = WHOLE
    group: str = ""
    box: Box | None = None


Cut = Callable[[NDArray[np.uint8], Listed], NDArray[np.uint8] | None]
"""A BGR picture to a face, uint8 (size, size, channels); None where it shows none."""


def as_it_is(wanted: Wanted) -> Cut:
    """For faces that are cropped already: scaled to the size wanted, or left as they are where they are square."""

    def cut(picture: NDArray[np.uint8], listed: Listed) -> NDArray[np.uint8]:
        height, width = picture.shape[:2]
        if wanted.size is None and height != width:
            raise FaceSetError(
                f"{listed.file}: {width} × {height} px", "square faces, or a size to scale them to", "name a size"
            )
        return fit_face(picture, wanted.size or width, wanted.channels or 1)

    return cut


def at_box(wanted: Wanted) -> Cut:
    """For pictures whose data set says where the face is: the square about that box, of its longer side."""

    def cut(picture: NDArray[np.uint8], listed: Listed) -> NDArray[np.uint8]:
        assert listed.box is not None
        side = "width" if listed.box.width >= listed.box.height else "height"
        return crop_face(picture, Framing(side, 1.0).square(listed.box), wanted.size or CUT_PX, wanted.channels or 1)

    return cut


def at_face(wanted: Wanted) -> Cut:
    """For pictures larger than the face: the largest face found, framed as at run time."""
    detector = open_detector(wanted.detector) if isinstance(wanted.detector, str) else wanted.detector

    def cut(picture: NDArray[np.uint8], _: Listed) -> NDArray[np.uint8] | None:
        found = detector.detect(picture)
        if not found:
            return None
        square = detector.framing.square(found[0].box)
        return crop_face(picture, square, wanted.size or CUT_PX, wanted.channels or 1)

    return cut


def gather(
    path: Path,
    listed: Sequence[Listed],
    label_set: LabelSet,
    wanted: Wanted,
    cut: Cut,
    problems: Sequence[Problem] = (),
) -> FaceSet:
    """Reads what a reader listed. A picture that cannot be read or shows no face becomes a Problem; the rest goes on.

    `rows` are places in the list of all splits, so that a face has one number however it is read.

    Raises:
        FaceSetError: no such split, pictures of several sizes without a size to scale them to, or no usable picture.
    """
    chosen = [(row, one) for row, one in enumerate(listed) if wanted.split in (None, one.split)]
    if wanted.split is not None and not chosen:
        known = ", ".join(sorted({one.split for one in listed})) or "none"
        raise FaceSetError(
            f"{path}: no split {wanted.split!r}", f"one of {known}", "name a split that the data set has"
        )
    pixels = np.empty((0, 1, 1, 1), np.uint8)
    kept: list[tuple[int, Listed]] = []
    left_out = list(problems)
    for row, one in chosen:
        try:
            face = cut(read_picture(one.file), one)
        except PictureError as error:
            left_out.append(Problem(one.where, error.received.removeprefix(f"{one.file}: ")))
            continue
        if face is None:
            left_out.append(Problem(one.where, "no face found"))
            continue
        if not kept:
            pixels = np.empty((len(chosen), *face.shape), np.uint8)
        elif face.shape != pixels.shape[1:]:
            raise FaceSetError(
                f"{one.where}: {face.shape[1]} px where the faces before have {pixels.shape[2]}",
                "faces of one size, or a size to scale them to",
                "name a size",
            )
        pixels[len(kept)] = face
        kept.append((row, one))
    if not kept:
        first = f" (first: {left_out[0]})" if left_out else ""
        raise FaceSetError(
            f"{path}: no usable picture, {len(left_out)} left out{first}",
            f"labelled pictures of {', '.join(label_set.names)}",
            "check the folder",
        )
    pixels = pixels[: len(kept)]
    groups = np.array([one.group for _, one in kept])
    return FaceSet(
        pixels[..., 0] if pixels.shape[3] == 1 else pixels,
        np.array([one.label for _, one in kept], np.int16),
        np.array([one.split for _, one in kept]),
        np.array([row for row, _ in kept], np.int64),
        label_set,
        groups=groups if (groups != "").all() else None,
        problems=tuple(left_out),
    )


def incomplete(path: Path, missing: str, expected: str, ask: str) -> FaceSetError:
    """The error for a data set without one of its parts; `ask` names the page where its owners give it out."""
    return FaceSetError(f"{path}: {missing}", expected, f"unpack all of it; it is asked for at {ask}")


def require_classes(path: Path, listed: Sequence[Listed], names: Sequence[str], expected: str, ask: str) -> None:
    """Raises FaceSetError where one of the classes 0 … has no picture: a published data set has some of each."""
    there = {one.label for one in listed}
    empty = [name for index, name in enumerate(names) if index not in there]
    if empty:
        raise incomplete(path, f"no picture labelled {', '.join(empty)}", expected, ask)


def visible_in(folder: Path) -> list[Path]:
    """What is in a folder, by name, without hidden entries and what operating systems leave behind."""
    try:
        return sorted(entry for entry in folder.iterdir() if not entry.name.startswith((".", "__")))
    except OSError as error:
        raise FaceSetError(f"{folder}: {error.strerror}", "a folder of labelled pictures", "check the path") from error


def folders_in(folder: Path) -> list[Path]:
    return [entry for entry in visible_in(folder) if entry.is_dir()]


def pictures_in(folder: Path) -> list[Path]:
    return [entry for entry in visible_in(folder) if entry.suffix.lower() in PICTURE_SUFFIXES]
