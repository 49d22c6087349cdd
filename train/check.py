"""`python -m train check`: what is in a data set, and what is wrong with it before anything is trained on it.

Exit codes: 0 everything could be read and nothing was found; 1 something was found (repeated, shared or constant pictures,
labels that disagree, an empty class, a group in two splits); 2 rows or files could not be used, as for every command.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections import Counter
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from edge_runtime.facesets import FaceSet, Problem, open_faces
from edge_runtime.labels import label_set
from edge_runtime.running import DONE, FAILED, WRONG_USE
from train.faces import count_table, say_problems

__all__ = ["Findings", "Shared", "examine", "run"]

_ROWS_SHOWN = 5
_SPLIT_ORDER = (("train",), ("val", "public", "dev"), ("test", "private"))
"""Which splits come before which, by how their names begin: faces are fitted, then chosen on, then reported on."""


@dataclass(frozen=True)
class Shared:
    """Faces of `later` that are pixel for pixel in `earlier` too."""

    earlier: str
    later: str
    faces: int


@dataclass(frozen=True)
class Findings:
    """What `examine` found. Rows are those of the data set, from 0.

    Attributes:
        repeated: rows that repeat an earlier one pixel for pixel, in all splits together.
        disagreeing: pictures that occur with different labels.
        shared: pairs of splits with pictures in common.
        constant: rows of pictures with one grey level or colour.
        empty: (split, class) without a face.
        straddling: groups with faces in more than one split.
        left_out: rows or files that could not be used.
    """

    repeated: tuple[int, ...]
    disagreeing: int
    shared: tuple[Shared, ...]
    constant: tuple[int, ...]
    empty: tuple[tuple[str, str], ...]
    straddling: tuple[str, ...]
    left_out: tuple[Problem, ...]

    @property
    def clean(self) -> bool:
        found = (self.repeated, self.shared, self.constant, self.empty, self.straddling)
        return not any(found) and self.disagreeing == 0

    def lines(self) -> list[str]:
        """One sentence a finding, for people."""
        said = []
        if self.repeated:
            said.append(f"{len(self.repeated):,} rows that repeat an earlier one pixel for pixel{_some(self.repeated)}")
        if self.disagreeing:
            said.append(f"{self.disagreeing:,} pictures that occur with different labels")
        said += [f"{pair.faces:,} {pair.later} faces that are in {pair.earlier} too" for pair in self.shared]
        if self.constant:
            said.append(f"{len(self.constant):,} constant pictures{_some(self.constant)}")
        said += [f"no face of {name!r} in {split}" for split, name in self.empty]
        if self.straddling:
            names = ", ".join(self.straddling[:_ROWS_SHOWN]) + (", …" if len(self.straddling) > _ROWS_SHOWN else "")
            said.append(f"{len(self.straddling):,} groups with faces in more than one split ({names})")
        return said


def run(arguments: argparse.Namespace) -> int:
    """Reads the data and prints counts, groups and findings, or JSON."""
    labels = None if arguments.label_set is None else label_set(arguments.label_set)
    faces = open_faces(arguments.data, arguments.votes, label_set=labels, size=arguments.size)
    findings = examine(faces)
    if arguments.json:
        print(json.dumps(_facts(str(arguments.data), faces, findings), indent=2, ensure_ascii=False))
    else:
        _print(faces, findings)
    say_problems(faces, lambda line: print(line, file=sys.stderr))
    if findings.left_out:
        return WRONG_USE
    return DONE if findings.clean else FAILED


def examine(faces: FaceSet) -> Findings:
    """Compares every face with every other one, by the hash of its pixels."""
    hashes = [hashlib.blake2b(face.tobytes(), digest_size=16).digest() for face in faces.pixels]
    seen: set[bytes] = set()
    repeated: list[int] = []
    labels_of: dict[bytes, set[int]] = {}
    for row, digest, label in zip(faces.rows.tolist(), hashes, faces.labels.tolist(), strict=True):
        if digest in seen:
            repeated.append(row)
        seen.add(digest)
        if label >= 0:
            labels_of.setdefault(digest, set()).add(label)
    splits = _in_order(faces)
    hashes_of: dict[str, list[bytes]] = {split: [] for split in splits}
    for split, digest in zip(faces.splits.tolist(), hashes, strict=True):
        hashes_of[split].append(digest)
    known = {split: set(digests) for split, digests in hashes_of.items()}
    pairs = [
        Shared(earlier, later, sum(digest in known[earlier] for digest in hashes_of[later]))
        for earlier, later in combinations(splits, 2)
    ]
    # One pixel's worth of values a picture, compared with all its others: colour counts as constant by channel.
    dots = faces.pixels.reshape(len(faces), faces.pixels.shape[1] * faces.pixels.shape[2], -1)
    constant = [row for row, face in zip(faces.rows.tolist(), dots, strict=True) if (face == face[0]).all()]
    empty = [
        (split, name)
        for split in splits
        for index, name in enumerate(faces.label_set.names)
        if not ((faces.splits == split) & (faces.labels == index)).any()
    ]
    return Findings(
        tuple(repeated),
        sum(len(labels) > 1 for labels in labels_of.values()),
        tuple(pair for pair in pairs if pair.faces),
        tuple(constant),
        tuple(empty),
        _straddling(faces),
        faces.problems,
    )


def _in_order(faces: FaceSet) -> list[str]:
    """The splits in the order of `_SPLIT_ORDER`, others behind, by their names."""

    def place(split: str) -> int:
        places = (index for index, starts in enumerate(_SPLIT_ORDER) if split.lower().startswith(starts))
        return next(places, len(_SPLIT_ORDER))

    return sorted(faces.split_names(), key=place)


def _straddling(faces: FaceSet) -> tuple[str, ...]:
    if faces.groups is None:
        return ()
    pairs = set(zip(faces.groups.tolist(), faces.splits.tolist(), strict=True))
    return tuple(sorted(group for group, count in Counter(group for group, _ in pairs).items() if count > 1))


def _some(rows: tuple[int, ...]) -> str:
    shown = ", ".join(map(str, rows[:_ROWS_SHOWN]))
    return f" (rows {shown}{', …' if len(rows) > _ROWS_SHOWN else ''})"


def _print(faces: FaceSet, findings: Findings) -> None:
    height, width = faces.pixels.shape[1:3]
    colour = "grey" if faces.pixels.ndim == 3 else "BGR"
    print(count_table(faces))
    print(f"{len(faces):,} faces, {width} × {height} px, {colour}, labels of {faces.label_set.name}")
    groups = _group_sizes(faces)
    if groups:
        print(f"{len(groups):,} groups of {min(groups.values()):,} to {max(groups.values()):,} faces")
    else:
        print("no groups: the data set does not say who is who")
    for line in findings.lines():
        print(f"found: {line}")
    if findings.clean:
        print("found nothing that is repeated, shared between splits, constant or empty")
    if findings.left_out:
        print(f"{len(findings.left_out):,} rows or files could not be used", file=sys.stderr)


def _group_sizes(faces: FaceSet) -> Counter[str]:
    return Counter() if faces.groups is None else Counter(faces.groups.tolist())


def _facts(data: str, faces: FaceSet, findings: Findings) -> dict[str, Any]:
    height, width = faces.pixels.shape[1:3]
    names = {**dict(enumerate(faces.label_set.names)), -1: "left out"}
    counts: dict[str, dict[str, int]] = {}
    for split in _in_order(faces):
        labels = faces.labels[faces.splits == split]
        counts[split] = {name: int(np.count_nonzero(labels == index)) for index, name in names.items()}
    groups = _group_sizes(faces)
    return {
        "data": data,
        "faces": len(faces),
        "size": [width, height],
        "channels": 1 if faces.pixels.ndim == 3 else 3,
        "label_set": faces.label_set.name,
        "counts": counts,
        "groups": {"count": len(groups), "smallest": min(groups.values()), "largest": max(groups.values())}
        if groups
        else None,
        "repeated_rows": list(findings.repeated),
        "pictures_with_different_labels": findings.disagreeing,
        "shared": [{"earlier": one.earlier, "later": one.later, "faces": one.faces} for one in findings.shared],
        "constant_rows": list(findings.constant),
        "empty_classes": [{"split": split, "label": name} for split, name in findings.empty],
        "groups_in_several_splits": list(findings.straddling),
        "left_out": [{"where": problem.where, "what": problem.what} for problem in findings.left_out],
        "clean": findings.clean and not findings.left_out,
    }
