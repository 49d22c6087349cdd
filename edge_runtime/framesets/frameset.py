"""A frame set: pictures of one size with what is known of their faces, in one .npz.

Whoever has pictures with known faces writes one (`python -m train scenes draw`); calibration and parity of face detectors
read it. Plain arrays without pickles, and a hash over all members that is verified on reading.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.archives import DamagedArchiveError, read_archive
from edge_runtime.errors import FrameSetError
from edge_runtime.files import whole_file
from edge_runtime.framesets.marks import POINTS, Marks

__all__ = ["FRAME_SET_VERSION", "FrameSet", "is_frame_set", "read_frame_set", "write_frame_set"]

FRAME_SET_VERSION = 1

_KIND = "fer-edge frames"
_ARRAYS = ("frames", "boxes", "box_frames", "points", "ignored", "ignored_frames")
_FACTS = ("kind", "version", "split", "source", "source_sha256", "drawn", "sha256")
_MEND = "make it again with `python -m train scenes draw`"


@dataclass(frozen=True)
class FrameSet:
    """Frames and their faces.

    Attributes:
        frames: uint8 (N, H, W, C) with C 1 (grey) or 3 (BGR), at least one.
        marks: of each frame, in its pixels.
        split: of what they were drawn from: "training" or "held-out".
        source: what they were drawn from, in a word, such as a file's name.
        source_sha256: of that: two frame sets of one source and one split show the same people and places.
        drawn: how they were drawn, in plain words and numbers, such as the seed.

    Raises:
        ValueError: frames or marks of another form, or marks that are no numbers.
    """

    frames: NDArray[np.uint8]
    marks: Sequence[Marks]
    split: str
    source: str
    source_sha256: str
    drawn: Mapping[str, Any]

    def __post_init__(self) -> None:
        shape = self.frames.shape
        if self.frames.dtype != np.uint8 or len(shape) != 4 or shape[3] not in (1, 3) or 0 in shape:
            raise ValueError(f"frames {self.frames.dtype} {shape}, but uint8 (N, H, W, 1 or 3), at least one")
        if len(self.marks) != len(self.frames):
            raise ValueError(f"marks of {len(self.marks)} frames for {len(self.frames)}")
        if not all(np.isfinite(each.boxes).all() and np.isfinite(each.ignored).all() for each in self.marks):
            raise ValueError("boxes that are no numbers")

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def faces(self) -> int:
        return sum(len(each) for each in self.marks)

    @property
    def sha256(self) -> str:
        """Of the frames, their marks and where they come from."""
        return _sha256(_facts(self), _members(self))

    def image(self, index: int) -> NDArray[np.uint8]:
        """A frame as detectors take it: BGR (H, W, 3) or grey (H, W)."""
        frame: NDArray[np.uint8] = self.frames[index]
        return np.squeeze(frame, axis=2) if frame.shape[2] == 1 else frame

    def frame_hashes(self) -> list[bytes]:
        """A hash of each frame's pixels, which tells whether it stands in another set too."""
        return [hashlib.blake2b(frame.tobytes(), digest_size=16).digest() for frame in self.frames]


def write_frame_set(frames: FrameSet, path: Path) -> None:
    """Writes the .npz, whole or not at all. Raises OutputError."""
    facts, members = _facts(frames), _members(frames)
    facts["sha256"] = _sha256(facts, members)
    with whole_file(path) as file:
        np.savez_compressed(file, facts=np.array(json.dumps(facts)), **members)  # type: ignore[arg-type]


def is_frame_set(path: Path) -> bool:
    """Whether a file looks like a frame set, without reading it all: other .npz files have other members."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {"frames.npy", "box_frames.npy"} <= set(archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def read_frame_set(path: Path) -> FrameSet:
    """Reads what `write_frame_set` wrote.

    Raises:
        FrameSetError: missing, damaged, of a newer version, or not a file of ours.
    """
    try:
        members = read_archive(path)
    except OSError as error:
        raise FrameSetError(f"{path}: {error.strerror}", "a frame set (.npz)", "check the path") from error
    except DamagedArchiveError as error:
        raise FrameSetError(
            f"{path}: {error}", "an undamaged frame set (.npz)", f"copy it again, or {_MEND}"
        ) from error
    facts = _read_facts(members, path)
    arrays = {name: members[name] for name in _ARRAYS}
    if facts["sha256"] != _sha256(facts, arrays):
        raise FrameSetError(
            f"{path}: its bytes do not match its own sha256", "an undamaged frame set", f"copy it again, or {_MEND}"
        )
    try:
        marks = [_marks(arrays, index) for index in range(len(arrays["frames"]))]
        return FrameSet(
            arrays["frames"],
            marks,
            str(facts["split"]),
            str(facts["source"]),
            str(facts["source_sha256"]),
            facts["drawn"],
        )
    except (ValueError, TypeError, IndexError) as error:
        raise FrameSetError(f"{path}: {error}", "frames with their faces", _MEND) from error


def _read_facts(members: Mapping[str, NDArray[Any]], path: Path) -> dict[str, Any]:
    try:
        facts = json.loads(str(members["facts"]))
        kind, version = facts["kind"], facts["version"]
    except (KeyError, TypeError, ValueError) as error:
        raise FrameSetError(f"{path}: an .npz without a frame set's facts", "a frame set", _MEND) from error
    if kind == _KIND and isinstance(version, int) and version > FRAME_SET_VERSION:
        raise FrameSetError(
            f"{path}: version {version} of frame sets", f"at most {FRAME_SET_VERSION}", "upgrade fer-edge"
        )
    missing = [name for name in _ARRAYS if name not in members] + [name for name in _FACTS if name not in facts]
    if kind != _KIND or version != FRAME_SET_VERSION or missing:
        found = f"no {missing[0]}" if missing else f"{kind!r}, version {version!r}"
        raise FrameSetError(f"{path}: {found}", f"{_KIND} of version {FRAME_SET_VERSION}", _MEND)
    return dict(facts)


def _marks(arrays: Mapping[str, NDArray[Any]], index: int) -> Marks:
    own = arrays["box_frames"] == index
    return Marks(arrays["boxes"][own], arrays["points"][own], arrays["ignored"][arrays["ignored_frames"] == index])


def _facts(frames: FrameSet) -> dict[str, Any]:
    return {
        "kind": _KIND,
        "version": FRAME_SET_VERSION,
        "split": frames.split,
        "source": frames.source,
        "source_sha256": frames.source_sha256,
        "drawn": dict(frames.drawn),
    }


def _members(frames: FrameSet) -> dict[str, NDArray[Any]]:
    marks = frames.marks
    numbers = np.arange(len(marks))
    return {
        "frames": np.ascontiguousarray(frames.frames),
        "boxes": _stacked([each.boxes for each in marks], (4,)),
        "box_frames": np.repeat(numbers, [len(each) for each in marks]).astype("<i8"),
        "points": _stacked([each.points for each in marks], (POINTS, 2)),
        "ignored": _stacked([each.ignored for each in marks], (4,)),
        "ignored_frames": np.repeat(numbers, [len(each.ignored) for each in marks]).astype("<i8"),
    }


def _stacked(arrays: Sequence[NDArray[np.float32]], shape: tuple[int, ...]) -> NDArray[np.float32]:
    return np.concatenate([np.zeros((0, *shape), np.float32), *arrays]).astype("<f4")


def _sha256(facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> str:
    """A hash over the facts (but itself) and every array with its name, type and shape."""
    rest = {key: value for key, value in facts.items() if key != "sha256"}
    digest = hashlib.sha256(json.dumps(rest, sort_keys=True).encode())
    for name in _ARRAYS:
        array = arrays[name]
        digest.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
