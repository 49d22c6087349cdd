"""Pictures without labels: portraits from anywhere, whose faces a teacher can say something about."""

from __future__ import annotations

from pathlib import Path

from edge_runtime.detectors import DEFAULT_DETECTOR, Detector
from edge_runtime.errors import FaceSetError
from edge_runtime.facesets.base import FaceSet
from edge_runtime.facesets.gather import Listed, Wanted, as_it_is, at_face, folders_in, gather, pictures_in
from edge_runtime.labels import FER2013, LabelSet

__all__ = ["UNLABELLED", "read_unlabelled"]

UNLABELLED = "Unlabelled"
"""What the split of such pictures is called."""


def read_unlabelled(
    path: Path,
    label_set: LabelSet | None = None,
    size: int | None = None,
    channels: int | None = None,
    detector: Detector | str = DEFAULT_DETECTOR,
) -> FaceSet:
    """Reads every picture in a folder and the folders in it, in the order of their names; all labels are -1.

    Args:
        path: the folder. Hidden entries, and files that are not called as pictures are, are passed over.
        label_set: what the faces would be labelled with; None takes FER2013's.
        size: side in pixels that every face is scaled to; None cuts faces at 96, and takes whole pictures as they are.
        channels: 1 for grey, 3 for BGR; None is grey.
        detector: finds the largest face of each picture: a name or an object; "none" for pictures that are faces already.

    Raises:
        FaceSetError: no such folder, no picture in it, or no usable one.
        DetectorError: a detector that is unknown or cannot be opened.
    """
    labels = label_set or FER2013
    listed = [Listed(file, str(file.relative_to(path)), -1, UNLABELLED) for file in _pictures(path)]
    if not listed:
        raise FaceSetError(f"{path}: no picture in it", "a folder with pictures", "check the path")
    wanted = Wanted(None, labels, size, channels, detector)
    return gather(path, listed, labels, wanted, as_it_is(wanted) if detector == "none" else at_face(wanted))


def _pictures(folder: Path) -> list[Path]:
    """Those of the folder first, then those of each folder in it."""
    found = pictures_in(folder)
    for inner in folders_in(folder):
        found += _pictures(inner)
    return found
