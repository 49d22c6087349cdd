"""A folder of pictures as a camera: one after the other by name."""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.base import Deadlines, Frame, Opening
from devices.cameras.source import Source
from devices.errors import CameraError, ExplainedError, one_line
from devices.quiet import quiet_libraries

__all__ = ["Images", "find_reader", "read_picture"]

_SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif"))

ReadPicture = Callable[[Path], NDArray[np.uint8]]


@dataclass(frozen=True)
class ImagesOptions:
    """What may stand behind "?".

    Attributes:
        fps: pictures a second, with monotonic time; without it each comes when the one before was taken, with its number
            as its time.
        loop: whether the first follows the last.
    """

    fps: float | None = None
    loop: bool = False

    def __post_init__(self) -> None:
        if self.fps is not None and not 0.01 <= self.fps <= 1000:
            raise ValueError(f"fps={self.fps:g}: expected 0.01 to 1000")


def read_picture(path: Path) -> NDArray[np.uint8]:
    """A picture file by OpenCV's own reader: BGR uint8 (H, W, 3). The runtime has a stricter one and gives it.

    Raises:
        CameraError: OpenCV cannot read it.
    """
    import cv2

    with quiet_libraries():
        image: NDArray[np.uint8] | None = cv2.imread(os.fspath(path), cv2.IMREAD_COLOR)
    if image is None:
        raise CameraError(f"{path}: cannot be read", "a picture file", "check the path, or save it as JPEG")
    return image


def find_reader(name: str) -> ReadPicture:
    """The function that "module:function" names."""
    module_name, _, function_name = name.partition(":")
    reader: ReadPicture = getattr(importlib.import_module(module_name), function_name)
    return reader


class Images(Source):
    """The pictures of one folder (not those of folders within), in the order of their names, each in its own size.

    A picture that cannot be read is passed over.

    Attributes:
        unreadable: how many were passed over so far.

    Raises:
        CameraError: no folder, or no picture in it that can be read.
    """

    Options = ImagesOptions
    example = "folder:pictures/?fps=2&loop=true"
    deadlines = Deadlines(open_s=20.0, read_s=20.0)
    retries = False
    checks = False

    def __init__(self, target: str, options: ImagesOptions | None = None, opening: Opening | None = None) -> None:
        self._options = options or ImagesOptions()
        opening = opening or Opening()
        self.name = target
        self.fps = self._options.fps
        self.live = self.fps is not None
        self.unreadable = 0
        self._reader = find_reader(opening.picture_reader)
        self._count = self._first = opening.frames_before
        self._began_s = time.monotonic()
        try:
            names = sorted(os.listdir(target))
        except OSError as error:
            raise CameraError(f"{target}: {error.strerror}", "a folder of pictures", "check the path") from error
        self._paths = [
            Path(target, name) for name in names if Path(name).suffix.lower() in _SUFFIXES and not name.startswith(".")
        ]
        if not self._paths:
            raise CameraError(
                f"{target}: no picture among {len(names)} files", "JPEG, PNG, WebP, …", "name a folder that has some"
            )
        self._next = 0

    def read(self) -> Frame | None:
        failures = 0
        while failures < len(self._paths):
            if self._next == len(self._paths):
                if not self._options.loop:
                    break
                self._next = 0
            path = self._paths[self._next]
            self._next += 1
            try:
                image = self._reader(path)
            except ExplainedError:
                self.unreadable += 1
                failures += 1
                continue
            self._count += 1
            return Frame(image, self._time_s(), self._count - 1)
        if self._count == self._first:
            raise CameraError(
                f"{one_line(self.name)}: none of {len(self._paths)} pictures can be read", "pictures", "check the files"
            )
        return None

    def close(self) -> None:
        self._paths = []

    def _time_s(self) -> float:
        number: Any = self._count - 1 - self._first
        if self.fps is None:
            return float(number)
        due_s = self._began_s + number / self.fps
        time.sleep(max(0.0, due_s - time.monotonic()))
        return time.monotonic()
