"""RAF-DB, the Real-world Affective Faces Database (Li, Deng & Du 2017), its basic part: aligned faces of 100 × 100 px.

    basic/EmoLabel/list_patition_label.txt           train_00001.jpg 5       (the file is spelled so)
    basic/Image/aligned/train_00001_aligned.jpg

Codes: 1 surprise, 2 fear, 3 disgust, 4 happiness, 5 sadness, 6 anger, 7 neutral. Splits "train" and "test" are in the
names. The release does not say who is who, so there are no groups.
"""

from __future__ import annotations

import re
from pathlib import Path

from edge_runtime.errors import FaceSetError
from edge_runtime.facesets.base import FaceSet, Problem
from edge_runtime.facesets.gather import Listed, Wanted, as_it_is, gather, incomplete, require_classes
from edge_runtime.labels import RAFDB

__all__ = ["looks_like_rafdb", "read_rafdb"]

ASK = "http://www.whdeng.cn/raf/model1.html"
_LIST = Path("EmoLabel", "list_patition_label.txt")
_IMAGES = Path("Image", "aligned")
_LINE = re.compile(r"((train|test)_\d+)\.jpg\s+([1-7])")
_EXPECTED = f"RAF-DB's basic/{_LIST.as_posix()} and basic/{_IMAGES.as_posix()}"


def looks_like_rafdb(path: Path) -> bool:
    """Whether a folder, or the folder `basic` in it, has RAF-DB's label file or its aligned faces."""
    return any((root / part).exists() for root in (path, path / "basic") for part in (_LIST, _IMAGES))


def read_rafdb(path: Path, wanted: Wanted | None = None) -> FaceSet:
    """Reads RAF-DB's aligned faces in its own seven classes.

    Raises:
        FaceSetError: the label file, the faces, a split or a class is missing, or no usable picture.
    """
    wanted = wanted or Wanted()
    root = path / "basic" if (path / "basic").is_dir() else path
    if not (root / _IMAGES).is_dir():
        raise incomplete(path, f"no folder {_IMAGES.as_posix()}", _EXPECTED, ASK)
    try:
        lines = (root / _LIST).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError as error:
        raise incomplete(path, f"no {_LIST.as_posix()}", _EXPECTED, ASK) from error
    except OSError as error:
        raise FaceSetError(f"{root / _LIST}: {error.strerror}", "a readable file", "check the path") from error
    listed: list[Listed] = []
    problems: list[Problem] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            problems.append(Problem(f"{_LIST.name} line {number}", f"{line.strip()[:40]!r} is no name and code 1 to 7"))
            continue
        name = f"{match[1]}_aligned.jpg"
        listed.append(Listed(root / _IMAGES / name, name, int(match[3]) - 1, match[2]))
    for split in ("train", "test"):
        if all(one.split != split for one in listed):
            raise incomplete(path, f"no {split} faces in {_LIST.name}", _EXPECTED, ASK)
    require_classes(path, listed, RAFDB.names, _EXPECTED, ASK)
    return gather(path, listed, RAFDB, wanted, as_it_is(wanted), problems)
