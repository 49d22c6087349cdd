"""JAFFE, the Japanese Female Facial Expression data set (Lyons et al. 1998): 10 people, 213 grey pictures of 256 × 256 px.

    KA.AN1.39.tiff     in one folder

A name holds the person's initials, the expression (AN angry, DI disgust, FE fear, HA happy, NE neutral, SA sad,
SU surprise) with the number of the picture, and a running number. Groups are the initials.
"""

from __future__ import annotations

import re
from pathlib import Path

from edge_runtime.facesets.base import FaceSet, Problem
from edge_runtime.facesets.gather import (
    Listed,
    Wanted,
    at_face,
    folders_in,
    gather,
    pictures_in,
    require_classes,
)
from edge_runtime.labels import BASIC7

__all__ = ["looks_like_jaffe", "read_jaffe"]

ASK = "https://zenodo.org/record/3451524"
_EXPRESSIONS = {
    "AN": "angry",
    "DI": "disgust",
    "FE": "fear",
    "HA": "happy",
    "NE": "neutral",
    "SA": "sad",
    "SU": "surprise",
}
# Copies have tif, jpg and png beside the original tiff.
_NAME = re.compile(rf"([A-Z]{{2}})\.({'|'.join(_EXPRESSIONS)})\d+\.\d+\.[a-z]+", re.IGNORECASE)


def looks_like_jaffe(path: Path) -> bool:
    """Whether a folder, or a folder in it whose name begins with jaffe, has JAFFE's pictures."""
    return _folder(path) is not None


def read_jaffe(path: Path, wanted: Wanted | None = None) -> FaceSet:
    """Reads JAFFE, labelled in `BASIC7`, one split "all"; faces are found and cut out.

    Raises:
        FaceSetError: not JAFFE, an expression that is missing, or no usable picture.
    """
    wanted = wanted or Wanted()
    listed: list[Listed] = []
    problems: list[Problem] = []
    for file in pictures_in(_folder(path) or path):
        where = str(file.relative_to(path))
        match = _NAME.fullmatch(file.name)
        if match is None:
            problems.append(Problem(where, "a name that is no JAFFE code"))
            continue
        person, expression = (code.upper() for code in match.groups())
        listed.append(Listed(file, where, BASIC7.index(_EXPRESSIONS[expression]), group=person))
    require_classes(path, listed, BASIC7.names, "JAFFE's pictures, such as KA.AN1.39.tiff", ASK)
    return gather(path, listed, BASIC7, wanted, at_face(wanted), problems)


def _folder(path: Path) -> Path | None:
    inside = [folder for folder in folders_in(path) if folder.name.lower().startswith("jaffe")]
    for folder in (path, *inside):
        if any(_NAME.fullmatch(file.name) for file in pictures_in(folder)):
            return folder
    return None
