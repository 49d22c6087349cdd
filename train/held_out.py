"""What the model of one fold said of the faces that it never saw, kept in a file until every fold is done."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_runtime.archives import DamagedArchiveError, read_archive
from edge_runtime.files import whole_file

__all__ = ["HeldOut"]


@dataclass(frozen=True)
class HeldOut:
    """What one fold's model said of the faces that it never saw.

    Attributes:
        rows: int64 (N,), positions in the face set.
        probabilities: float32 (N, C).
        best_epoch: the epoch whose weights were taken, from 1.
        wall_s: how long fitting took.
    """

    rows: NDArray[np.int64]
    probabilities: NDArray[np.float32]
    best_epoch: int
    wall_s: float

    def write(self, path: Path, key: str) -> None:
        """An .npz, whole or not at all. `key` says which faces and recipe it belongs to. Raises OutputError."""
        facts = json.dumps({"key": key, "best_epoch": self.best_epoch, "wall_s": self.wall_s})
        with whole_file(path) as file:
            np.savez(file, allow_pickle=False, facts=np.array(facts), rows=self.rows, probabilities=self.probabilities)

    @classmethod
    def read(cls, path: Path, key: str, say: Callable[[str], None]) -> HeldOut | None:
        """What `write` left, or None where that is nothing, damaged or of another key; the last two are said."""
        if not path.exists():
            return None
        try:
            members = read_archive(path)
            facts = json.loads(str(members["facts"]))
            if facts["key"] != key:
                say(f"{path} is of other faces or another recipe; the fold is fitted again")
                return None
            return cls(members["rows"], members["probabilities"], facts["best_epoch"], facts["wall_s"])
        except (OSError, DamagedArchiveError, KeyError, ValueError, TypeError) as error:
            say(f"{path} is damaged ({error}); the fold is fitted again")
            return None
