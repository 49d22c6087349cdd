"""KDEF, the Karolinska Directed Emotional Faces (Lundqvist, Flykt & Öhman 1998): 70 people, 4,900 pictures of 562 × 762 px.

    KDEF/AF01/AF01ANS.JPG     or all pictures in one folder

A name holds five codes: session (A, B), sex (F, M), person (01 to 35), expression (AF afraid, AN angry, DI disgusted,
HA happy, NE neutral, SA sad, SU surprised) and angle (FL full left profile, HL half left, S straight, HR, FR). Groups are
sex and person, such as F01, over both sessions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from edge_runtime.facesets.base import FaceSet, Problem
from edge_runtime.facesets.gather import (
    WHOLE,
    Listed,
    Wanted,
    at_face,
    folders_in,
    gather,
    incomplete,
    pictures_in,
    require_classes,
)
from edge_runtime.labels import BASIC7

__all__ = ["looks_like_kdef", "read_kdef"]

ASK = "https://kdef.se"
ANGLES = ("FL", "HL", "S", "HR", "FR")
_EXPRESSIONS = {
    "AF": "fear",
    "AN": "angry",
    "DI": "disgust",
    "HA": "happy",
    "NE": "neutral",
    "SA": "sad",
    "SU": "surprise",
}
_PERSON = re.compile(r"[AB][FM]\d\d", re.IGNORECASE)
_NAME = re.compile(
    rf"[AB](?P<person>[FM]\d\d)(?P<expression>{'|'.join(_EXPRESSIONS)})(?P<angle>{'|'.join(ANGLES)})\.JPE?G",
    re.IGNORECASE,
)
_EXPECTED = "KDEF's pictures, such as AF01/AF01ANS.JPG"


def looks_like_kdef(path: Path) -> bool:
    """Whether a folder, or the folder KDEF in it, has KDEF's pictures or its people's folders."""
    return bool(_folders(path))


def read_kdef(path: Path, wanted: Wanted | None = None, angles: Sequence[str] = ("S",)) -> FaceSet:
    """Reads KDEF, labelled in `BASIC7`; faces are found and cut out.

    Args:
        path: the folder of the people's folders or pictures, or the one above it.
        wanted: split, size and colour.
        angles: which of FL, HL, S, HR and FR; by default the 980 straight pictures, as the field's protocols do and
            as a frontal detector can.

    Raises:
        FaceSetError: not KDEF, an expression or angle that is missing, or no usable picture.
    """
    wanted = wanted or Wanted()
    listed: list[Listed] = []
    problems: list[Problem] = []
    found_angles: set[str] = set()
    for folder in _folders(path):
        for file in pictures_in(folder):
            where = str(file.relative_to(path))
            match = _NAME.fullmatch(file.name)
            if match is None:
                problems.append(Problem(where, "a name that is no KDEF code"))
                continue
            code = {key: value.upper() for key, value in match.groupdict().items()}
            found_angles.add(code["angle"])
            if code["angle"] not in angles:
                continue
            label = BASIC7.index(_EXPRESSIONS[code["expression"]])
            listed.append(Listed(file, where, label, WHOLE, code["person"]))
    missing = [angle for angle in angles if angle not in found_angles]
    if missing:
        there = ", ".join(angle for angle in ANGLES if angle in found_angles) or "none"
        raise incomplete(path, f"no picture of angle {', '.join(missing)} (angles there: {there})", _EXPECTED, ASK)
    require_classes(path, listed, BASIC7.names, _EXPECTED, ASK)
    return gather(path, listed, BASIC7, wanted, at_face(wanted), problems)


def _folders(path: Path) -> list[Path]:
    """The folders that hold the pictures: people's folders or this one, here or in a folder called KDEF."""
    for root in (path, path / "KDEF"):
        if not root.is_dir():
            continue
        people = [folder for folder in folders_in(root) if _PERSON.fullmatch(folder.name)]
        here = any(_NAME.fullmatch(file.name) for file in pictures_in(root))
        if people or here:
            return [*people, *([root] if here else [])]
    return []
