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
from edge_runtime.sinks.label_places import Bar, place_label

__all__ = ["AnnotatedVideo", "annotated", "write_annotated"]

FONT = cv2.FONT_HERSHEY_DUPLEX

_FEW = 4
"""Faces, above which labels are small."""


def annotated(image: NDArray[np.uint8], faces: list[Face]) -> NDArray[np.uint8]:
    """A copy of a BGR picture with a box and "label 93 %" for each face; small pictures are enlarged to stay readable.

    Labels keep off other faces and labels where there is room.
    """
    enlarge = max(1, -(-320 // max(1, min(image.shape[:2]))))
    enlarge = min(enlarge, 8)
    canvas = (
        cv2.resize(image, None, fx=enlarge, fy=enlarge, interpolation=cv2.INTER_LINEAR) if enlarge > 1 else image.copy()
    )
    line = max(2, round(min(canvas.shape[:2]) / 240))
    boxes = [_bar(face, float(enlarge)) for face in faces]
    for face, box in zip(faces, boxes, strict=True):
        cv2.rectangle(canvas, box[:2], box[2:], (0, 0, 0), line + 2, cv2.LINE_AA)
        cv2.rectangle(canvas, box[:2], box[2:], colour_of(face.label), line, cv2.LINE_AA)
    taken = list(boxes)
    for face, box in zip(faces, boxes, strict=True):
        taken.append(_label(canvas, face, box, taken, len(faces) > _FEW))
    return canvas


def _bar(face: Face, enlarge: float) -> Bar:
    left, top, right, bottom = (round(value * enlarge) for value in face.box.as_tuple())
    return left, top, right, bottom


def _label(canvas: NDArray[np.uint8], face: Face, box: Bar, taken: list[Bar], small: bool) -> Bar:
    """Draws a face's label, in small letters where asked, and returns its place."""
    height, width = canvas.shape[:2]
    colour = colour_of(face.label)
    text = f"{face.label} {face.score:.0%}" if face.track is None else f"{face.track}: {face.label} {face.score:.0%}"
    least_px = max(11, height / 34) if small else max(14, height / 26)
    wanted_px = max(min(0.16 * (box[2] - box[0]), height / 12), least_px)
    scale = wanted_px / 22
    thickness = max(1, round(scale * 1.5))
    (text_width, text_height), base = cv2.getTextSize(text, FONT, scale, thickness)
    if text_width + 8 > width:
        scale *= width / (text_width + 8)
        (text_width, text_height), base = cv2.getTextSize(text, FONT, scale, thickness)
    pad = max(2, base // 2)
    place = place_label(box, (text_width + 2 * pad, text_height + base + 2 * pad), (width, height), taken)
    cv2.rectangle(canvas, place[:2], place[2:], colour, -1)
    at = place[0] + pad, place[1] + pad + text_height
    cv2.putText(canvas, text, at, FONT, scale, _ink_on(colour), thickness, cv2.LINE_AA)
    return place


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
