"""Boxes and labels drawn on pictures and videos, for people."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.colours import colour_of
from edge_runtime.errors import OutputError
from edge_runtime.face import Face
from edge_runtime.files import partial_path, write_whole

__all__ = ["AnnotatedVideo", "annotated", "write_annotated"]

FONT = cv2.FONT_HERSHEY_DUPLEX


def annotated(image: NDArray[np.uint8], faces: list[Face]) -> NDArray[np.uint8]:
    """A copy of a BGR picture with a box and "label 93 %" for each face; small pictures are enlarged to stay readable."""
    enlarge = max(1, -(-320 // max(1, min(image.shape[:2]))))
    enlarge = min(enlarge, 8)
    canvas = (
        cv2.resize(image, None, fx=enlarge, fy=enlarge, interpolation=cv2.INTER_LINEAR) if enlarge > 1 else image.copy()
    )
    line = max(2, round(min(canvas.shape[:2]) / 240))
    for face in faces:
        _draw(canvas, face, float(enlarge), line)
    return canvas


def _draw(canvas: NDArray[np.uint8], face: Face, enlarge: float, line: int) -> None:
    height, width = canvas.shape[:2]
    box = face.box
    left, top, right, bottom = (round(value * enlarge) for value in box.as_tuple())
    colour = colour_of(face.label)
    cv2.rectangle(canvas, (left, top), (right, bottom), (0, 0, 0), line + 2, cv2.LINE_AA)
    cv2.rectangle(canvas, (left, top), (right, bottom), colour, line, cv2.LINE_AA)
    text = f"{face.label} {face.score:.0%}" if face.track is None else f"{face.track}: {face.label} {face.score:.0%}"
    wanted_px = max(14, min(0.16 * (right - left), height / 12), height / 26)
    scale = wanted_px / 22
    thickness = max(1, round(scale * 1.5))
    (text_width, text_height), base = cv2.getTextSize(text, FONT, scale, thickness)
    if text_width + 8 > width:
        scale *= width / (text_width + 8)
        (text_width, text_height), base = cv2.getTextSize(text, FONT, scale, thickness)
    pad = max(2, base // 2)
    bar_height = text_height + base + 2 * pad
    # Above the box where there is room, else inside it; always within the picture.
    bar_top = top - bar_height if top >= bar_height else min(max(0, top), max(0, height - bar_height))
    bar_left = max(0, min(left, width - text_width - 2 * pad))
    cv2.rectangle(canvas, (bar_left, bar_top), (bar_left + text_width + 2 * pad, bar_top + bar_height), colour, -1)
    cv2.putText(
        canvas,
        text,
        (bar_left + pad, bar_top + pad + text_height),
        FONT,
        scale,
        _ink_on(colour),
        thickness,
        cv2.LINE_AA,
    )


def _ink_on(colour: tuple[int, int, int]) -> tuple[int, int, int]:
    """Black or white, whichever stands out more from a BGR colour (luma of ITU-R BT.601)."""
    blue, green, red = colour
    return (0, 0, 0) if 0.299 * red + 0.587 * green + 0.114 * blue > 110 else (255, 255, 255)


def write_annotated(path: Path, image: NDArray[np.uint8], faces: list[Face]) -> None:
    """Writes the annotated picture as the suffix says (.jpg or .png), whole or not at all. Raises OutputError."""
    written, data = cv2.imencode(path.suffix, annotated(image, faces))
    if not written:
        raise OutputError(f"{path}: OpenCV cannot write {path.suffix}", ".jpg or .png", "name another suffix")
    write_whole(path, data.tobytes())


class AnnotatedVideo:
    """An mp4 of annotated frames; it gets its name on `close`, and vanishes on `discard`.

    Args:
        path: ends in .mp4.
        fps: frames per second of the result.
    """

    def __init__(self, path: Path, fps: float) -> None:
        self.path = path
        self._fps = fps if fps > 0 else 25.0
        self._partial = partial_path(path)
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)

    def write(self, image: NDArray[np.uint8], faces: list[Face]) -> None:
        canvas = annotated(image, faces)
        if self._writer is None:
            try:
                str(self._partial).encode()
            except UnicodeEncodeError as error:
                # OpenCV ends the process on such a name.
                raise OutputError(
                    f"{self.path}: a name that is no UTF-8", "a name of plain characters", "rename the video"
                ) from error
            self._size = canvas.shape[1], canvas.shape[0]
            # H264 cannot be written by OpenCV's wheels; mp4v plays everywhere.
            self._writer = cv2.VideoWriter(str(self._partial), cv2.VideoWriter.fourcc(*"mp4v"), self._fps, self._size)
            if not self._writer.isOpened():
                self.discard()
                raise OutputError(
                    f"{self.path} cannot be written",
                    "a folder that can be written",
                    "check its permissions and the free space",
                )
        if (canvas.shape[1], canvas.shape[0]) != self._size:
            canvas = cv2.resize(canvas, self._size)
        self._writer.write(canvas)

    def close(self) -> None:
        """Ends the file and gives it its name; without a frame nothing is written."""
        if self._writer is not None:
            self._writer.release()
            self._writer = None
            os.replace(self._partial, self.path)

    def discard(self) -> None:
        if self._writer is not None:
            self._writer.release()
            self._writer = None
        self._partial.unlink(missing_ok=True)
