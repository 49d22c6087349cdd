"""What forms answered so far, on disk: a search that was broken off goes on where it was, by the same command.

A file's name is a hash of the form, the pixels and the interpreter, so that nothing else can be taken for it.
"""

from __future__ import annotations

import hashlib
import io
import shutil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convert.parity.sides import Advance
from convert.search.forms import FormSide
from edge_runtime.files import write_whole

__all__ = ["FOLDER", "Answered"]

FOLDER = "answers"


class Answered:
    """Asks forms, and remembers what they said.

    Args:
        out: the search's folder; the answers go into `FOLDER` in it, made with the first of them.
    """

    def __init__(self, out: Path) -> None:
        self._out, self._folder = out, out / FOLDER

    def ask(self, side: FormSide, pixels: NDArray[np.uint8], advance: Advance) -> NDArray[np.float32]:
        """`side.probabilities`, or what it said before.

        Raises:
            OutputError: the answers cannot be written.
        """
        path = self._path(side, pixels)
        said = _read(path, (len(pixels), side.about.classes))
        if said is not None:
            advance(len(pixels))
            return said
        answers = side.probabilities(pixels, advance)
        self._folder.mkdir(parents=True, exist_ok=True)
        content = io.BytesIO()
        np.save(content, answers, allow_pickle=False)
        write_whole(path, content.getvalue())
        return answers

    def forget(self) -> None:
        """Removes the answers, and the search's folder if nothing else is in it."""
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._out.is_dir() and not any(self._out.iterdir()):
            self._out.rmdir()

    def _path(self, side: FormSide, pixels: NDArray[np.uint8]) -> Path:
        asked = hashlib.sha256(side.about.facts.sha256.encode())
        asked.update(repr(sorted(side.about.facts.environment.items())).encode())
        asked.update(hashlib.sha256(pixels.tobytes()).digest())
        return self._folder / f"{asked.hexdigest()[:32]}.npy"


def _read(path: Path, shape: tuple[int, int]) -> NDArray[np.float32] | None:
    """None for a file that is not there, damaged or of another shape: it is answered again."""
    try:
        said = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return said if said.shape == shape and said.dtype == np.float32 else None
