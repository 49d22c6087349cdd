"""SFEW 2.0, Static Facial Expressions in the Wild (Dhall et al. 2011 and 2015): stills of 720 × 576 px from films.

    Train/Angry/Airheads_000519240_00000005.png     Angry Disgust Fear Happy Neutral Sad Surprise
    Val/Angry/…
    Test/…                                          labels are kept by the authors; read where there are label folders

A name holds the film, the time and the frame; groups are the films. The largest face of a still is found and cut out.
The release's own aligned faces (Train_Aligned_Faces, …) are read as any folder of labelled pictures.
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
    incomplete,
    pictures_in,
)
from edge_runtime.labels import BASIC7, canonical

__all__ = ["looks_like_sfew", "read_sfew"]

ASK = "https://cs.anu.edu.au/few"
_SPLITS = ("Train", "Val", "Test")
_NAME = re.compile(r"(.+)_\d{9}_\d{8}\.[a-z]+", re.IGNORECASE)
_EXPECTED = "SFEW 2.0's Train and Val with folders Angry Disgust Fear Happy Neutral Sad Surprise"


def looks_like_sfew(path: Path) -> bool:
    """Whether one of SFEW's splits is there with stills called as SFEW's are.

    The folders alone do not tell: anyone's cropped faces may lie in Train/Angry.
    """
    for split in _SPLITS:
        if not (path / split).is_dir():
            continue
        for folder in folders_in(path / split):
            files = pictures_in(folder)
            if files:
                return _NAME.fullmatch(files[0].name) is not None
    return False


def read_sfew(path: Path, wanted: Wanted | None = None) -> FaceSet:
    """Reads SFEW's splits Train, Val and, where its labels are there, Test, labelled in `BASIC7`.

    Raises:
        FaceSetError: a split or an expression's folder is missing, or no usable picture.
    """
    wanted = wanted or Wanted()
    listed: list[Listed] = []
    problems: list[Problem] = []
    for split in _SPLITS:
        folders = {
            canonical(folder.name): folder for folder in (folders_in(path / split) if (path / split).is_dir() else [])
        }
        empty = [name for name in BASIC7.names if name not in folders or not pictures_in(folders[name])]
        if split == "Test" and len(empty) == len(BASIC7):
            continue
        if empty:
            missing = f"no folder {split}" if not folders else f"no pictures in {split} for {', '.join(empty)}"
            raise incomplete(path, missing, _EXPECTED, ASK)
        for label, name in enumerate(BASIC7.names):
            for file in pictures_in(folders[name]):
                where = str(file.relative_to(path))
                match = _NAME.fullmatch(file.name)
                if match is None:
                    problems.append(Problem(where, "a name that is no SFEW code"))
                    continue
                listed.append(Listed(file, where, label, split, match[1]))
    return gather(path, listed, BASIC7, wanted, at_face(wanted), problems)
