"""Prepared faces: one .npz that `python -m train prepare` writes and everything reads, a second instead of a csv's wait.

Plain arrays without pickles, the format's version, and a hash over all members that is verified on reading.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.archives import DamagedArchiveError, read_archive
from edge_runtime.errors import FaceSetError, LabelError
from edge_runtime.facesets.base import FaceSet
from edge_runtime.files import whole_file
from edge_runtime.labels import LABEL_SETS, LabelSet

__all__ = ["PREPARED_VERSION", "looks_like_prepared", "read_prepared", "write_prepared"]

PREPARED_VERSION = 2
"""2 has the groups. Faces without groups are written as version 1, which earlier releases read."""

_KIND = "fer-edge faces"
_ARRAYS: dict[int, tuple[str, ...]] = {1: ("pixels", "labels", "splits", "rows", "votes")}
_ARRAYS[2] = (*_ARRAYS[1], "groups")
_MEND = "make it again with `python -m train prepare`"


def looks_like_prepared(beginning: bytes) -> bool:
    """Whether a file begins as a zip, which every .npz is."""
    return beginning.startswith(b"PK\x03\x04")


def write_prepared(faces: FaceSet, path: Path) -> None:
    """Writes `faces` to an .npz, whole or not at all; `problems` are not kept.

    Raises:
        OutputError: the folder or the disk refuses.
    """
    arrays: dict[str, NDArray[Any]] = {
        "pixels": np.ascontiguousarray(faces.pixels),
        "labels": faces.labels.astype("<i2"),
        "splits": faces.splits.astype("<U"),
        "rows": faces.rows.astype("<i8"),
        "votes": np.zeros((0, 0), np.uint8) if faces.votes is None else np.ascontiguousarray(faces.votes),
    }
    if faces.groups is not None:
        arrays["groups"] = faces.groups.astype("<U")
    facts = {
        "kind": _KIND,
        "version": 1 if faces.groups is None else 2,
        "label_set": faces.label_set.name,
        "labels": list(faces.label_set.names),
        "voted": faces.votes is not None,
    }
    facts["sha256"] = _sha256(facts, arrays)
    with whole_file(path) as file:
        np.savez(file, allow_pickle=False, facts=np.array(json.dumps(facts)), **arrays)


def read_prepared(path: Path, split: str | None = None) -> FaceSet:
    """Reads what `write_prepared` wrote, all of it or one split.

    Raises:
        FaceSetError: missing, damaged, of a newer version, not a file of ours, or without faces of `split`.
    """
    try:
        members = read_archive(path)
    except OSError as error:
        raise FaceSetError(f"{path}: {error.strerror}", "a prepared .npz", "check the path") from error
    except DamagedArchiveError as error:
        raise FaceSetError(f"{path}: {error}", "an undamaged .npz", f"copy it again, or {_MEND}") from error
    facts = _facts(members, path)
    arrays = {name: members[name] for name in _ARRAYS[facts["version"]]}
    if facts["sha256"] != _sha256(facts, arrays):
        raise FaceSetError(
            f"{path}: its bytes do not match its own sha256",
            "an undamaged prepared file",
            f"copy it again, or {_MEND}",
        )
    faces = FaceSet(
        arrays["pixels"],
        arrays["labels"].astype(np.int16),
        arrays["splits"],
        arrays["rows"].astype(np.int64),
        _label_set(facts, path),
        arrays["votes"] if facts["voted"] else None,
        arrays.get("groups"),
    )
    return faces if split is None else faces.split(split)


def _facts(members: Mapping[str, NDArray[Any]], path: Path) -> dict[str, Any]:
    try:
        facts = json.loads(str(members["facts"]))
        kind, version = facts["kind"], facts["version"]
    except (KeyError, TypeError, ValueError) as error:
        raise FaceSetError(f"{path}: an .npz without face-set facts", "a prepared .npz", _MEND) from error
    if kind == _KIND and isinstance(version, int) and version > PREPARED_VERSION:
        raise FaceSetError(
            f"{path}: version {version} of prepared faces",
            f"at most {PREPARED_VERSION}",
            "upgrade fer-edge: pip install -U fer-edge",
        )
    known = _ARRAYS.get(version) if isinstance(version, int) else None
    missing = [name for name in known or () if name not in members]
    missing += [name for name in ("label_set", "labels", "voted", "sha256") if name not in facts]
    if kind != _KIND or known is None or missing:
        found = f"no {missing[0]}" if missing else f"{kind} version {version}"
        raise FaceSetError(f"{path}: {found}", f"{_KIND} version 1 to {PREPARED_VERSION}", _MEND)
    return dict(facts)


def _label_set(facts: Mapping[str, Any], path: Path) -> LabelSet:
    try:
        labels = LabelSet(str(facts["label_set"]), tuple(str(name) for name in facts["labels"]))
    except LabelError as error:
        raise FaceSetError(f"{path}: {error.received}", error.expected, _MEND) from error
    known = LABEL_SETS.get(labels.name)
    if known is not None and known != labels:
        raise FaceSetError(
            f"{path}: label set {labels.name!r} with {list(labels.names)}", f"{list(known.names)}", _MEND
        )
    return labels


def _sha256(facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> str:
    """A hash over the facts (but itself) and every array with its name, type and shape."""
    rest = {key: value for key, value in facts.items() if key != "sha256"}
    digest = hashlib.sha256(json.dumps(rest, sort_keys=True).encode())
    for name in _ARRAYS[PREPARED_VERSION]:
        if name not in arrays:
            continue
        array = arrays[name]
        digest.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
