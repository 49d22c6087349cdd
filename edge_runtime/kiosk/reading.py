"""Expressions in a picture that somebody sends. One picture at a time, in a thread of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from edge_runtime.errors import PictureError
from edge_runtime.face import Face
from edge_runtime.kiosk.state import box_as_json
from edge_runtime.kiosk.upload import UploadRefusedError
from edge_runtime.picture_header import HEAD_BYTES, picture_kind
from edge_runtime.pictures import decode_picture
from edge_runtime.pipeline import Recognizer

__all__ = ["KINDS", "MOST_WAITING", "PictureReader"]

KINDS = ("JPEG", "PNG", "WebP")
"""What browsers show and cameras make. Other decoders need not meet strangers' bytes."""

MOST_WAITING = 8


class PictureReader:
    """Faces of a picture's bytes.

    Args:
        open_recognizer: called once, in the thread, when the first picture comes.
    """

    def __init__(self, open_recognizer: Callable[[], Recognizer]) -> None:
        self._open = open_recognizer
        self._recognizer: Recognizer | None = None
        self._thread = ThreadPoolExecutor(1, "kiosk pictures")
        self._waiting = 0

    async def read(self, data: bytes) -> dict[str, Any]:
        """The answer of `POST /api/predict`. A picture without a face has an empty list.

        Raises:
            UploadRefusedError: 415 another kind of picture, 422 one that cannot be read, 503 where too many wait.
        """
        if self._waiting >= MOST_WAITING:
            raise UploadRefusedError(503, f"{self._waiting} pictures wait; expected fewer; send it again in a second")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._answer, data)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _answer(self, data: bytes) -> dict[str, Any]:
        kind = picture_kind(data[:HEAD_BYTES])
        if kind not in KINDS:
            raise UploadRefusedError(
                415, f"{kind or 'no picture'}, {len(data)} bytes; expected {', '.join(KINDS)}; save it as JPEG"
            )
        try:
            image = decode_picture(data, "the picture")
        except PictureError as error:
            raise UploadRefusedError(422, str(error)) from None
        if self._recognizer is None:
            self._recognizer = self._open()
        began = time.perf_counter()
        faces = self._recognizer(image)
        return {
            "width": image.shape[1],
            "height": image.shape[0],
            "faces": [_as_json(face) for face in faces],
            "left_out": self._recognizer.left_out,
            "took_ms": round(1000 * (time.perf_counter() - began), 1),
            "bundle": self._recognizer.bundle.name,
            "bundle_sha256": self._recognizer.bundle.sha256,
            "detector": self._recognizer.detector.name,
        }


def _as_json(face: Face) -> dict[str, Any]:
    return {
        "label": face.label,
        "score": round(face.score, 4),
        "emotions": {name: round(value, 4) for name, value in face.emotions.items()},
        "box": box_as_json(face.box),
        "detector_score": round(face.detector_score, 4),
    }
