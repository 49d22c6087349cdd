"""CK+, the extended Cohn-Kanade data set (Lucey et al. 2010): 593 sequences of 123 people, from neutral to a peak.

    cohn-kanade-images/S005/001/S005_001_00000001.png …     640 × 490 px
    Emotion/S005/001/S005_001_00000011_emotion.txt          "   3.0000000e+00"

Codes: 0 neutral, 1 anger, 2 contempt, 3 disgust, 4 fear, 5 happy, 6 sadness, 7 surprise. Only 327 sequences have a code;
the others are passed over. As is usual in the field, the last three frames of a coded sequence are its expression and the
first one is neutral (`peak_frames`; with the label set `ckplus7` the neutral ones are left out). There are no splits;
groups are the people, and frames of one sequence are near copies: split by groups.
"""

from __future__ import annotations

from pathlib import Path

from edge_runtime.errors import FaceSetError
from edge_runtime.facesets.base import FaceSet, Problem
from edge_runtime.facesets.gather import (
    Listed,
    Wanted,
    at_face,
    folders_in,
    gather,
    incomplete,
    pictures_in,
    require_classes,
    visible_in,
)
from edge_runtime.labels import CKPLUS8

__all__ = ["PEAK_FRAMES", "looks_like_ckplus", "read_ckplus"]

ASK = "https://www.jeffcohn.net/Resources/"
PEAK_FRAMES = 3
"""How many frames at the end of a sequence count as its expression."""

_IMAGES = ("cohn-kanade-images", "extended-cohn-kanade-images/cohn-kanade-images")
_EMOTIONS = ("Emotion", "Emotion_labels/Emotion", "Emotion_labels")
_EXPECTED = "CK+'s cohn-kanade-images/S005/001/*.png and Emotion/S005/001/*_emotion.txt"


def looks_like_ckplus(path: Path) -> bool:
    """Whether a folder has CK+'s pictures, or folders of its people under Emotion."""
    emotions = _first(path, _EMOTIONS)
    return _first(path, _IMAGES) is not None or (
        emotions is not None
        and any(folder.name[:1] == "S" and folder.name[1:].isdigit() for folder in folders_in(emotions))
    )


def read_ckplus(path: Path, wanted: Wanted | None = None, peak_frames: int = PEAK_FRAMES) -> FaceSet:
    """Reads CK+'s coded sequences in eight classes, one split "all"; faces are found and cut out.

    Args:
        path: the folder with `cohn-kanade-images` and `Emotion` in it.
        wanted: size and colour.
        peak_frames: frames at the end of a sequence that show its expression; the first frame of all is neutral.

    Raises:
        FaceSetError: one of the two folders or a class is missing, or no usable picture.
    """
    wanted = wanted or Wanted()
    if peak_frames < 1:
        raise FaceSetError(f"{peak_frames} peak frames", "at least one", "3 is usual")
    images, emotions = _first(path, _IMAGES), _first(path, _EMOTIONS)
    if images is None:
        raise incomplete(path, "no folder cohn-kanade-images", _EXPECTED, ASK)
    if emotions is None:
        raise incomplete(path, "no folder Emotion", _EXPECTED, ASK)
    listed: list[Listed] = []
    problems: list[Problem] = []
    for person in folders_in(emotions):
        for sequence in folders_in(person):
            for file in visible_in(sequence):
                if not file.name.endswith("_emotion.txt"):
                    continue
                where = str(file.relative_to(path))
                try:
                    label = _code(file)
                    frames = _frames(images / person.name / sequence.name, peak_frames)
                except ValueError as error:
                    problems.append(Problem(where, str(error)))
                    continue
                labels = [0] + [label] * peak_frames
                listed += [
                    Listed(frame, str(frame.relative_to(path)), label, group=person.name)
                    for frame, label in zip(frames, labels, strict=True)
                ]
    require_classes(path, listed, CKPLUS8.names, _EXPECTED, ASK)
    return gather(path, listed, CKPLUS8, wanted, at_face(wanted), problems)


def _first(path: Path, names: tuple[str, ...]) -> Path | None:
    return next((path / name for name in names if (path / name).is_dir()), None)


def _code(file: Path) -> int:
    """The number in an emotion file. Raises ValueError with the reason for one that is none."""
    try:
        text = file.read_bytes()[:80].decode(errors="replace").strip()
    except OSError as error:
        raise ValueError(error.strerror) from error
    try:
        code = float(text)
    except ValueError:
        code = -1.0
    if code not in range(len(CKPLUS8)):
        raise ValueError(f"code {text[:20]!r} instead of 0 to {len(CKPLUS8) - 1}")
    return int(code)


def _frames(folder: Path, peak_frames: int) -> list[Path]:
    """The first and the last frames of a sequence. Raises ValueError for one that is missing or too short."""
    frames = pictures_in(folder) if folder.is_dir() else []
    if len(frames) < 1 + peak_frames:
        raise ValueError(f"{len(frames)} frames of its sequence instead of at least {1 + peak_frames}")
    return [frames[0], *frames[-peak_frames:]]
