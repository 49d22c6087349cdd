"""A run that stops before its end: Ctrl-C, or minutes that are over. What was done is kept."""

from __future__ import annotations

import sys
from pathlib import Path

from edge_runtime.running import INTERRUPTED

__all__ = ["INTERRUPTED", "TimeIsUpError", "say_interrupted"]


class TimeIsUpError(Exception):
    """The minutes that the command was given are over; the epoch's checkpoint is written."""


def say_interrupted(cause: BaseException, done: int | None, total: int, folder: Path) -> None:
    """Says how many of `total` epochs are kept in `folder`; `done` is None where this command finished none."""
    kept = f"{done} of {total} epochs are kept" if done is not None else "what was done before is kept"
    why = "interrupted" if isinstance(cause, KeyboardInterrupt) else "the minutes are over"
    print(f"\n{why}: {kept} in {folder}; the same command goes on from there", file=sys.stderr)
