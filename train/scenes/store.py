"""What scenes are composed of, in one .npz: faces with boxes and landmarks, and places with what a teacher saw in them.

Pictures are kept as the bytes of picture files, so that thousands of them stay small on the disk; opening decodes them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.archives import DamagedArchiveError, read_archive
from edge_runtime.errors import PictureError
from edge_runtime.files import whole_file
from edge_runtime.framesets.marks import POINTS, Marks
from edge_runtime.pictures import decode_picture
from train.errors import DataError

__all__ = ["HELD_OUT", "SPLITS", "TRAINING", "Store", "is_store", "read_store", "write_store"]

FORMAT = 1
TRAINING, HELD_OUT = SPLITS = ("training", "held-out")
_KEYS = (
    *("format", "facts", "faces", "face_ends", "face_boxes", "face_points", "face_splits"),
    *("places", "place_ends", "place_splits", "mark_places", "mark_boxes", "mark_points", "ignored_places", "ignored"),
)


@dataclass(frozen=True)
class Store:
    """Faces and places, as files in memory.

    Attributes:
        faces: one face each, as the bytes of a picture file.
        face_boxes: float32 (N, 4), in the face's own pixels. face_points: float32 (N, 5, 2).
        face_splits: the split of each face. place_splits: of each place.
        places: backgrounds, as the bytes of picture files.
        marks: of each place, what the teacher saw in it.
        facts: where all this came from, in plain words and numbers.
        sha256: of the file; "" before it was written.
    """

    faces: Sequence[bytes]
    face_boxes: NDArray[np.float32]
    face_points: NDArray[np.float32]
    face_splits: NDArray[np.str_]
    places: Sequence[bytes]
    place_splits: NDArray[np.str_]
    marks: Sequence[Marks]
    facts: Mapping[str, Any]
    sha256: str = ""

    def face(self, index: int, channels: int) -> NDArray[np.uint8]:
        """The pixels of a face: (H, W) for 1 channel, BGR (H, W, 3) for 3."""
        return _decoded(self.faces[index], f"face {index}", channels)

    def place(self, index: int, channels: int) -> NDArray[np.uint8]:
        """The pixels of a place, in the same shapes."""
        return _decoded(self.places[index], f"place {index}", channels)


def write_store(store: Store, path: Path) -> None:
    """Writes the .npz, whole or not at all. Raises OutputError."""
    marks = store.marks
    members: dict[str, Any] = {
        "format": np.array(FORMAT),
        "facts": np.array(json.dumps(store.facts, sort_keys=True)),
        "faces": _joined(store.faces),
        "face_ends": _ends(store.faces),
        "face_boxes": store.face_boxes,
        "face_points": store.face_points,
        "face_splits": store.face_splits,
        "places": _joined(store.places),
        "place_ends": _ends(store.places),
        "place_splits": store.place_splits,
        "mark_places": np.repeat(np.arange(len(marks)), [len(each) for each in marks]),
        "mark_boxes": _stacked([each.boxes for each in marks], (4,)),
        "mark_points": _stacked([each.points for each in marks], (POINTS, 2)),
        "ignored_places": np.repeat(np.arange(len(marks)), [len(each.ignored) for each in marks]),
        "ignored": _stacked([each.ignored for each in marks], (4,)),
    }
    with whole_file(path) as file:
        np.savez(file, **members)


def is_store(path: Path) -> bool:
    """Whether a file looks like one of `scenes prepare`, without reading it all."""
    return path.is_file() and path.suffix == ".npz"


def read_store(path: Path) -> Store:
    """Reads what `scenes prepare` wrote. Raises DataError."""
    try:
        data = path.read_bytes()
        archive = read_archive(data)
        missing = [key for key in _KEYS if key not in archive]
        if missing or int(archive["format"]) != FORMAT:
            what = f"no member {missing[0]!r}" if missing else f"format {int(archive['format'])}"
            raise DataError(f"{path}: {what}", f"scenes of format {FORMAT}", "run `python -m train scenes prepare`")
        marks = [
            Marks(
                archive["mark_boxes"][archive["mark_places"] == index],
                archive["mark_points"][archive["mark_places"] == index],
                archive["ignored"][archive["ignored_places"] == index],
            )
            for index in range(len(archive["place_ends"]))
        ]
        return Store(
            _parted(archive["faces"], archive["face_ends"]),
            archive["face_boxes"],
            archive["face_points"],
            archive["face_splits"],
            _parted(archive["places"], archive["place_ends"]),
            archive["place_splits"],
            marks,
            json.loads(str(archive["facts"])),
            hashlib.sha256(data).hexdigest(),
        )
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}", "the .npz of `scenes prepare`", "check the path") from error
    except (DamagedArchiveError, ValueError, TypeError) as error:
        raise DataError(f"{path}: {error}", "an undamaged .npz of `scenes prepare`", "prepare it again") from error


def _decoded(data: bytes, name: str, channels: int) -> NDArray[np.uint8]:
    try:
        image = decode_picture(data, name)
    except PictureError as error:
        raise DataError(str(error.received), "an undamaged .npz of `scenes prepare`", "prepare it again") from error
    grey: NDArray[np.uint8] = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) if channels == 1 else image
    return grey


def _joined(files: Sequence[bytes]) -> NDArray[np.uint8]:
    return np.frombuffer(b"".join(files), np.uint8)


def _ends(files: Sequence[bytes]) -> NDArray[np.int64]:
    return np.cumsum([len(data) for data in files], dtype=np.int64)


def _parted(joined: NDArray[np.uint8], ends: NDArray[np.int64]) -> list[bytes]:
    whole = joined.tobytes()
    starts = [0, *ends[:-1].tolist()]
    return [whole[start:end] for start, end in zip(starts, ends.tolist(), strict=True)]


def _stacked(arrays: Sequence[NDArray[np.float32]], shape: tuple[int, ...]) -> NDArray[np.float32]:
    return np.concatenate([np.zeros((0, *shape), np.float32), *arrays]).astype(np.float32)
