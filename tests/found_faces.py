"""What the tests of the public data sets share: reading them with a made-up detector, and what was drawn."""

from pathlib import Path

from edge_runtime.facesets import (
    FaceSet,
    open_faces,
)
from tests.made_datasets import FoundFaces


def opened(path: Path, **wanted: object) -> FaceSet:
    return open_faces(path, detector=FoundFaces(), **wanted)


def greys(faces: FaceSet) -> list[int]:
    """What was drawn: the grey of each face, to the nearest ten where JPEG moved it."""
    return [round(float(face.mean())) for face in faces.pixels]


def drawn(faces: FaceSet) -> dict[str, set[int]]:
    """Label -> the greys of its faces, in tens."""
    found: dict[str, set[int]] = {}
    for grey, label in zip(greys(faces), faces.labels, strict=True):
        found.setdefault(faces.label_set.names[label], set()).add(round(grey / 10) * 10)
    return found


def splits(faces: FaceSet) -> dict[str, int]:
    return {name: int((faces.splits == name).sum()) for name in faces.split_names()}
