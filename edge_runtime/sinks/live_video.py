"""An annotated video of a live run: in real time whatever the frame rate was, and whole even where the disk becomes full."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import OutputError
from edge_runtime.face import Face
from edge_runtime.sinks.annotate import AnnotatedVideo

__all__ = ["LiveVideo"]

LIVE_FPS = 15.0
"""Of a live camera's video: results come when they come, and are shown for as long as they stood."""

MOST_REPEATS = round(LIVE_FPS * 10)
"""A camera that was lost for an hour does not fill the disk with one picture."""

LEAST_FREE_BYTES = 32 * 1024 * 1024
_CHECK_EVERY = 50


class LiveVideo:
    """An mp4 that gets its name on `close`.

    Args:
        path: ends in .mp4.

    Attributes:
        problem: why it ended early; empty while it grows.

    Raises:
        OutputError: no .mp4, or a folder that is missing or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if path.suffix.lower() != ".mp4":
            raise OutputError(f"--annotate {path}", "a name that ends in .mp4", f"{path.with_suffix('.mp4')}")
        if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
            raise OutputError(f"--annotate {path}: no folder that can be written", "one", "make it, or name another")
        self.problem = ""
        self._video: AnnotatedVideo | None = None
        self._first_s = 0.0
        self._written = self._calls = 0

    def write(self, image: NDArray[np.uint8], faces: Sequence[Face], time_s: float, fps: float | None) -> None:
        """Adds one result.

        Args:
            image: BGR uint8 (H, W, 3).
            time_s: of the frame.
            fps: of a recording, each of whose frames is written once; None for a live camera.
        """
        if self.problem:
            return
        try:
            if self._calls % _CHECK_EVERY == 0:
                self._check_space()
            self._calls += 1
            if self._video is None:
                self._video, self._first_s = AnnotatedVideo(self.path, fps or LIVE_FPS), time_s
            due = self._written + 1 if fps else int((time_s - self._first_s) * LIVE_FPS) + 1
            for _ in range(min(due - self._written, MOST_REPEATS)):
                self._video.write(image, list(faces))
            self._written = max(self._written, due)
        except (OutputError, OSError) as error:
            self.problem = str(error)
            self.close()

    def close(self) -> None:
        """Ends the file and gives it its name. May be called twice."""
        video, self._video = self._video, None
        if video is None:
            return
        try:
            video.close()
        except OSError as error:
            self.problem = f"{self.path}: {error.strerror or error}"

    def _check_space(self) -> None:
        if shutil.disk_usage(self.path.parent).free < LEAST_FREE_BYTES:
            raise OutputError(f"{self.path}: the disk is nearly full", "32 MB free", "make room, and start again")
