"""What stands before the camera of a kiosk that is measured or photographed: the demo's portrait, once or four times.

The boxes are where the portrait's face is; the expressions are made up, so that each has its colour on the page.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from devices.base import Frame
from edge_runtime import DEMO_PICTURE
from edge_runtime.geometry import Box
from edge_runtime.labels import FER2013
from edge_runtime.live.hub import Seen
from edge_runtime.live.smoothing import UNCERTAIN, UNCLEAR
from edge_runtime.live.state import LiveState, ShownFace
from edge_runtime.pictures import read_picture

__all__ = ["SIZE", "Scene", "emotions_of", "shown_face"]

SIZE = 640, 480
_FACE = Box(128, 44, 210, 128)  # in the portrait of 384 × 384 px, as Haar finds it, a little wider
_CUT = 352, 264  # of the portrait, as wide in proportion as a frame
_FEW = ("happy", "surprise", "neutral", "sad", "angry", "fear")


def _empty_room() -> NDArray[np.uint8]:
    """A wall and a floor, lit from the upper left."""
    x, y = np.meshgrid(np.linspace(0, 1, SIZE[0]), np.linspace(0, 1, SIZE[1]))
    light = 0.95 - 0.3 * x - 0.25 * y
    floor = y > 0.78 + 0.04 * x
    colour = np.where(floor[..., None], (96, 122, 150), (188, 205, 214)) * light[..., None]
    return np.asarray(cv2.GaussianBlur(colour.clip(0, 255).astype(np.uint8), (0, 0), 2), np.uint8)


_EMPTY_ROOM = _empty_room()


def emotions_of(label: str, score: float) -> dict[str, float]:
    """Probabilities of every label; the rest falls off as it does with real faces."""
    others = [name for name in FER2013.names if name != label]
    weights = {name: 0.45**rank for rank, name in enumerate(sorted(others, key=lambda name: (name != "neutral", name)))}
    whole = sum(weights.values())
    return {name: score if name == label else (1 - score) * weights[name] / whole for name in FER2013.names}


def shown_face(track: str, label: str, score: float, box: Box, reason: str = "") -> ShownFace:
    named = label if label in FER2013.names else "neutral"
    return ShownFace(track, label, score, reason, emotions_of(named, score), box)


class Scene:
    """Frames of 640 × 480 px with one face or four.

    Args:
        count: 0, 1 or 4.
        labels: of the faces, each with its probability; a label that is "uncertain" has a reason instead.
    """

    def __init__(self, count: int, labels: Mapping[str, float] | None = None) -> None:
        given = labels or {"happy": 0.93, "surprise": 0.71, "neutral": 0.64, "sad": 0.58}
        self._labels = list(given.items())[:count]
        self._count = count
        self._portrait = read_picture(DEMO_PICTURE)

    def seen(self, index: int, faults: Mapping[str, str] | None = None, rate: float = 25.0) -> Seen:
        """Frame `index` of a slow walk, taken now."""
        shift = round(16 * (0.5 + 0.5 * np.sin(index / 40)))
        image, boxes = self._drawn(shift)
        faces = tuple(
            shown_face(f"visitor{at}", label, score, box, UNCLEAR if label == UNCERTAIN else "")
            for at, ((label, score), box) in enumerate(zip(self._labels, boxes, strict=True))
        )
        state = LiveState(faces, rate, dict(faults or {}), "cpu", "live", 0.03, index + 1, 0)
        return Seen(Frame(image, time.monotonic(), index), state)

    def lost(self, index: int) -> Seen:
        """While the camera is away."""
        return Seen(None, LiveState((), 0.0, {"camera": "no frame for 2.5 s"}, "cpu", "lost", 0.0, index, 0))

    def _drawn(self, shift: int) -> tuple[NDArray[np.uint8], list[Box]]:
        width, height = SIZE
        if self._count == 0:
            return _EMPTY_ROOM, []
        cut = self._portrait[8 : 8 + _CUT[1], shift : shift + _CUT[0]]
        tiles = 2 if self._count > 1 else 1
        side = width // tiles, height // tiles
        tile = np.asarray(cv2.resize(cut, side, interpolation=cv2.INTER_CUBIC), np.uint8)
        scale = side[0] / _CUT[0]
        image, boxes = np.tile(tile, (tiles, tiles, 1)), []
        for place in range(self._count):
            left, top = side[0] * (place % tiles), side[1] * (place // tiles)
            boxes.append(
                Box(
                    left + (_FACE.left - shift) * scale,
                    top + (_FACE.top - 8) * scale,
                    left + (_FACE.right - shift) * scale,
                    top + (_FACE.bottom - 8) * scale,
                )
            )
        return image, boxes
