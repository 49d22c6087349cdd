"""Made-up faces for `fer-edge record`: drawn, so that they may be made anywhere and show nobody."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from boards.errors import BoardsError
from edge_runtime.facesets import FaceSet, write_prepared
from edge_runtime.geometry import Box
from edge_runtime.golden import made_up_frames
from edge_runtime.labels import FER2013
from edge_runtime.preprocess import crop_face

__all__ = ["SEED", "write_faces"]

SEED = 20260202
_SIZE = 96
_MOST = 100_000


def write_faces(count: int, path: Path) -> None:
    """Writes `count` drawn faces, 96 px in colour, with FER2013's labels in turn; the same ones each time.

    Raises:
        BoardsError: no faces, or more than anybody waits for.
    """
    if not 1 <= count <= _MOST:
        raise BoardsError(f"{count} faces", f"1 to {_MOST:,}", "take the default, 200")
    frames, squares = made_up_frames(count, SEED)
    pixels = np.stack(
        [crop_face(frame, Box(*square), _SIZE, 3) for frame, square in zip(frames, squares.tolist(), strict=True)]
    )
    numbers = np.arange(count)
    faces = FaceSet(pixels, (numbers % len(FER2013)).astype(np.int16), np.full(count, "made up"), numbers, FER2013)
    write_prepared(faces, path)
