"""A folder of labelled pictures: `<label>/*.png`, or `<split>/<label>/*.jpg` as Kaggle gives FER2013.

Splits are called as the folders are. Kaggle's `test` is PublicTest and PrivateTest together, so it is not renamed to
either. A folder without splits is one split, "all".
"""

from __future__ import annotations

from pathlib import Path

from edge_runtime.errors import FaceSetError
from edge_runtime.facesets.base import FaceSet
from edge_runtime.facesets.gather import WHOLE, Listed, Wanted, as_it_is, folders_in, gather, pictures_in
from edge_runtime.labels import FER2013, LabelSet, canonical

__all__ = ["read_folder"]


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
    splits = _splits(path, labels)
    if split is not None and split not in splits:
        raise FaceSetError(
            f"{path}: no split {split!r}", f"one of {', '.join(splits)}", "name a split that the folder has"
        )
    listed = [
        Listed(file, str(file.relative_to(path)), labels.index(label), name)
        for name, split_folder in splits.items()
        for label, label_folder in _labels(split_folder, labels).items()
        for file in pictures_in(label_folder)
    ]
    wanted = Wanted(split if listed else None, labels, size, channels)
    return gather(path, listed, labels, wanted, as_it_is(wanted))


def _known(labels: LabelSet) -> dict[str, str]:
    return {canonical(name): name for name in labels.names}


def _splits(path: Path, labels: LabelSet) -> dict[str, Path]:
    """Split name -> folder: the first-level folders where none of them is a label and all have folders inside."""
    folders = folders_in(path)
    known = _known(labels)
    if folders and not any(canonical(folder.name) in known for folder in folders) and all(map(folders_in, folders)):
        return {folder.name: folder for folder in folders}
    return {WHOLE: path}


def _labels(folder: Path, labels: LabelSet) -> dict[str, Path]:
    """Label -> folder, in the label set's order."""
    known = _known(labels)
    found: dict[str, Path] = {}
    for entry in folders_in(folder):
        label = known.get(canonical(entry.name))
        if label is None or label in found:
            what = f"and {found[label].name} are one label" if label else f"is no label of {labels.name!r}"
            raise FaceSetError(
                f"{entry}: {entry.name!r} {what}",
                f"one folder each for {', '.join(labels.names)}",
                "rename or remove the folder, or name the label set that it was labelled with; a public data set is known by"
                " its own layout: AffectNet, CK+, RAF-DB, SFEW, KDEF, JAFFE (docs/datasets.md)",
            )
        found[label] = entry
    if not found:
        raise FaceSetError(
            f"{folder}: no folders in it", f"folders named {', '.join(labels.names)}", "name the folder above them"
        )
    return {name: found[name] for name in labels.names if name in found}
