"""Teachers' answers for drawn views, kept in the run folder: asked for once, however many epochs then use them.

One .npz a view, float16. It grows chunk by chunk, so that whoever stops loses a chunk at most, and says of which data,
recipe and teachers it is: answers of others are refused.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_runtime.archives import DamagedArchiveError, read_archive
from edge_runtime.files import whole_file
from train.drawn import DrawnView, chunks
from train.errors import CheckpointError, DataError
from train.files import make_folder

__all__ = ["AnswerStore", "Answered"]

WORDS = {"data": "data", "recipe": "recipe", "teachers": "set of teachers"}
"""What each of a store's facts is a hash of."""


@dataclass(frozen=True)
class Answered:
    """How far the teachers are: pictures answered of all that there are, and the seconds left."""

    done: int
    total: int
    remaining_s: float


class AnswerStore:
    """The answers in one folder.

    Args:
        folder: made with the first answers.
        facts: sha256 of the data, the recipe and the teachers, under the keys of `WORDS`.
        shape: (faces, classes) of each view's answers.
        say: called with a line where a damaged file is passed over.
    """

    def __init__(
        self, folder: Path, facts: Mapping[str, str], shape: tuple[int, int], say: Callable[[str], None]
    ) -> None:
        self.folder, self.facts, self.shape, self.say = folder, dict(facts), shape, say

    def read(self, view: DrawnView) -> NDArray[np.float16]:
        """The answers for the first faces that have one, float16 (0 … N, C), in the faces' order.

        Raises:
            CheckpointError: they are of other data, another recipe or other teachers.
        """
        path = self._path(view)
        try:
            archive = read_archive(path)
            facts = json.loads(str(archive["facts"]))
            answers = archive["answers"]
            found = {key: str(facts[key]) for key in WORDS}
        except FileNotFoundError:
            return np.empty((0, self.shape[1]), np.float16)
        except (OSError, DamagedArchiveError, KeyError, ValueError, TypeError) as error:
            self.say(f"the answers {path.name} are damaged ({error}); the teachers are asked again")
            return np.empty((0, self.shape[1]), np.float16)
        for key, what in WORDS.items():
            if found[key] != self.facts[key]:
                raise CheckpointError(
                    f"{path}: teachers' answers of another {what} ({found[key][:12]})",
                    f"{what} {self.facts[key][:12]}",
                    f"name a new run folder with --out, or remove {self.folder}",
                )
        if answers.dtype != np.float16 or answers.ndim != 2 or answers.shape[1] != self.shape[1]:
            self.say(f"the answers {path.name} are {answers.dtype} {answers.shape}; the teachers are asked again")
            return np.empty((0, self.shape[1]), np.float16)
        return answers[: self.shape[0]]

    def whole(self, view: DrawnView) -> NDArray[np.float32]:
        """All answers for a view, float32 (N, C). Raises DataError where some are missing."""
        answers = self.read(view)
        if len(answers) < self.shape[0]:
            raise DataError(
                f"{self._path(view)}: {len(answers)} answers",
                f"one for each of {self.shape[0]} faces",
                "run the same command again: the teachers are asked for the rest",
            )
        return answers.astype(np.float32)

    def complete(
        self,
        views: Sequence[DrawnView],
        ask: Callable[[DrawnView, slice], NDArray[np.float32]],
        report: Callable[[Answered], None],
    ) -> None:
        """Asks for what is missing.

        Args:
            views: all that are needed.
            ask: answers for one chunk of a view's faces, float32 (n, C).
            report: called after each chunk that was asked for.
        """
        kept = {view: self.read(view) for view in views}
        total = len(views) * self.shape[0]
        done = sum(len(answers) for answers in kept.values())
        first, began = done, time.monotonic()
        for view, answers in kept.items():
            for place in chunks(self.shape[0]):
                if place.stop <= len(answers):
                    continue
                answers = np.concatenate([answers[: place.start], ask(view, place).astype(np.float16)])
                self._write(view, answers)
                done = min(total, done + place.stop - place.start)
                left = (time.monotonic() - began) * (total - done) / max(1, done - first)
                report(Answered(done, total, left))

    def _write(self, view: DrawnView, answers: NDArray[np.float16]) -> None:
        make_folder(self.folder)
        with whole_file(self._path(view)) as file:
            np.savez(file, allow_pickle=False, facts=np.array(json.dumps(self.facts)), answers=answers)

    def _path(self, view: DrawnView) -> Path:
        return self.folder / f"{view}.npz"
