"""Checkpoints: every variable of a model and its optimizer in one .npz, written whole or not at all.

Plain arrays by position and shape, so that a run begun on one Keras backend goes on with another.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_runtime.archives import DamagedArchiveError, read_archive
from train.errors import CheckpointError

__all__ = ["Checkpoints", "State"]

KEEP = 2


@dataclass(frozen=True)
class State:
    """What a checkpoint holds: the arrays and a small table of facts (epoch, history, recipe hash …)."""

    arrays: tuple[np.ndarray, ...]
    facts: dict[str, Any]


class Checkpoints:
    """The checkpoints of one run folder; the newest two are kept.

    Args:
        folder: where they lie; made on the first save.
        say: called with a line when a damaged checkpoint is passed over.
    """

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self.folder = folder
        self.say = say

    def save(self, epoch: int, arrays: Sequence[np.ndarray], facts: dict[str, Any]) -> None:
        """Writes `epoch-NNNN.npz`. Raises CheckpointError where the disk refuses; earlier checkpoints stay."""
        path = self.folder / f"epoch-{epoch:04d}.npz"
        partial = path.with_suffix(".partial")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with open(partial, "wb") as file:
                members = {f"v{index:05d}": np.asarray(array) for index, array in enumerate(arrays)}
                np.savez(file, facts=np.array(json.dumps({**facts, "epoch": epoch, "count": len(members)})), **members)  # type: ignore[arg-type]
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, path)
        except OSError as error:
            with contextlib.suppress(OSError):
                partial.unlink()
            raise CheckpointError(
                f"{path}: {error.strerror or error}",
                "room for a checkpoint",
                "free disk space and run the same command again: it goes on from the last good checkpoint",
            ) from error
        for old in sorted(self.folder.glob("epoch-*.npz"))[:-KEEP]:
            old.unlink()

    def newest(self) -> State | None:
        """The newest checkpoint that can be read, or None; a damaged one is passed over, and said."""
        for path in sorted(self.folder.glob("epoch-*.npz"), reverse=True):
            try:
                archive = read_archive(path)
                facts = json.loads(str(archive["facts"]))
                return State(tuple(archive[f"v{index:05d}"] for index in range(facts["count"])), facts)
            except (OSError, DamagedArchiveError, KeyError, ValueError, TypeError) as error:
                self.say(f"checkpoint {path.name} is damaged ({error}); going on from the one before")
        return None
