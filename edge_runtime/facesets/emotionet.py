"""A csv that names pictures and their emotion categories, as EmotioNet's (Benitez-Quiroz, Srinivasan & Martinez 2016).

    path,emotion[,split][,subject]
    n1/abc.jpg,happy

EmotioNet gives out addresses and codes, not pictures; what is relied on here is what its users end up with:

- a column with the picture's path beside the csv: path, file, filename, image or image_path. Addresses are not followed.
- a column with the category by its name: emotion, expression, label or category, in any of the field's spellings.
- optional columns split (or usage, set) and subject (or person, group).

EmotioNet's other categories (awed, appalled, the compound ones such as "happily surprised") are passed over; any other
unknown name is a problem of its row. A csv with action units (AU1, …) and no category is refused. Faces are found and
cut out.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edge_runtime.errors import FaceSetError
from edge_runtime.facesets.base import FaceSet, Problem
from edge_runtime.facesets.gather import WHOLE, Listed, Wanted, at_face, gather
from edge_runtime.facesets.tables import column_names, read_rows
from edge_runtime.labels import BASIC7, canonical

__all__ = ["looks_like_emotionet", "read_emotionet"]

ASK = "http://cbcsl.ece.ohio-state.edu/EmotionNetChallenge/index.html"
_PATHS = ("path", "file", "filename", "image", "image_path")
_ADDRESSES = ("url", "urls", "orig_url")
_LABELS = ("emotion", "expression", "label", "category")
_SPLITS = ("split", "usage", "set")
_SUBJECTS = ("subject", "person", "group")
_OTHERS = frozenset(
    (
        "angrily disgusted",
        "angrily surprised",
        "appalled",
        "awed",
        "disgustedly surprised",
        "fearfully angry",
        "fearfully disgusted",
        "fearfully surprised",
        "happily disgusted",
        "happily surprised",
        "hatred",
        "sadly angry",
        "sadly disgusted",
        "sadly fearful",
        "sadly surprised",
    )
)
"""Categories of Du, Tao & Martinez 2014 and of the challenges of 2018 and 2020 that are no basic expression."""


def looks_like_emotionet(header: str) -> bool:
    """Whether the first line of a csv names a column of pictures and one of categories, or of action units."""
    names = column_names(header)
    pictures = _one_of(names, (*_PATHS, *_ADDRESSES))
    return pictures is not None and "pixels" not in names and (_one_of(names, _LABELS) is not None or _units(names))


def read_emotionet(path: Path, wanted: Wanted | None = None) -> FaceSet:
    """Reads the pictures that a csv names, in `wanted.label_set` or `BASIC7`; faces are found and cut out.

    Raises:
        FaceSetError: no column of paths or categories, no row of a known category, or no usable picture.
    """
    wanted = wanted or Wanted()
    labels = wanted.label_set or BASIC7
    known = {canonical(name): index for index, name in enumerate(labels.names)}
    path_at, label_at, split_at, subject_at = _columns(path)
    listed: list[Listed] = []
    problems: list[Problem] = []
    for row, cells in read_rows(path):
        name, emotion = cells.get(path_at, ""), cells.get(label_at, "")
        label = known.get(canonical(emotion))
        where = f"{path.name} row {row}"
        if label is None and " ".join(emotion.lower().replace("_", " ").split()) in _OTHERS:
            continue
        if label is None:
            problems.append(Problem(where, f"{label_at} {emotion[:40]!r} is no label of {labels.name!r}"))
        elif not name or "://" in name or Path(name).is_absolute() or ".." in Path(name).parts:
            problems.append(Problem(where, f"{path_at} {name[:60]!r} instead of a path beside the csv"))
        else:
            split = cells.get(split_at, "") if split_at else ""
            group = cells.get(subject_at, "") if subject_at else ""
            listed.append(Listed(path.parent / name, f"{where}: {name}", label, split or WHOLE, group))
    if not listed:
        first = f" (first: {problems[0]})" if problems else ""
        raise FaceSetError(
            f"{path}: no row that can be used, {len(problems)} broken{first}",
            f"paths beside the csv and categories such as {', '.join(labels.names)}",
            "check the columns, or name the label set",
        )
    return gather(path, listed, labels, wanted, at_face(wanted), problems)


def _columns(path: Path) -> tuple[str, str, str | None, str | None]:
    try:
        with open(path, "rb") as file:
            names = column_names(file.readline(4096).decode(errors="replace").strip())
    except OSError as error:
        raise FaceSetError(f"{path}: {error.strerror}", "a readable csv", "check the path") from error
    paths, labels = _one_of(names, _PATHS), _one_of(names, _LABELS)
    shown = [name[:20] for name in names[:6]]
    if labels is None:
        what = "action units and no emotion category" if _units(names) else "no emotion category"
        raise FaceSetError(
            f"{path}: {what}, columns {shown}",
            f"a column of names called {', '.join(_LABELS)}",
            f"use the list of emotion categories; it is asked for at {ASK}",
        )
    if paths is None:
        raise FaceSetError(
            f"{path}: no column of paths, columns {shown}",
            f"a column called {', '.join(_PATHS)}",
            "fetch the pictures yourself and add the paths: addresses are not followed",
        )
    return paths, labels, _one_of(names, _SPLITS), _one_of(names, _SUBJECTS)


def _one_of(names: Sequence[str], wanted: Sequence[str]) -> str | None:
    return next((name for name in wanted if name in names), None)


def _units(names: Sequence[str]) -> bool:
    """Whether there are columns called AU1, AU 12, au_2."""
    return any(name[:2] == "au" and name[2:].strip(" _").isdecimal() for name in names)
