"""What is pasted into a scene: a picture with a face, or one without that is treated alike."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.framesets.marks import POINTS, Marks
from train.scenes.emblems import draw_emblem
from train.scenes.options import SceneOptions
from train.scenes.store import Store

__all__ = ["Cutout", "Library"]


@dataclass(frozen=True)
class Cutout:
    """A picture in several sizes, each half of the one before, and where its face is in the first.

    Attributes:
        levels: (H, W) or BGR (H, W, 3), uint8.
        box: float32 (4,). points: float32 (5, 2), NaN where unknown.
        is_face: a distractor has a box too, which only says how it is framed.
        colourless: whether a colour picture has no colour in it.
    """

    levels: tuple[NDArray[np.uint8], ...]
    box: NDArray[np.float32]
    points: NDArray[np.float32]
    is_face: bool
    colourless: bool

    @property
    def height(self) -> float:
        return float(self.box[3] - self.box[1])

    def level(self, scale: float) -> tuple[NDArray[np.uint8], float, float]:
        """The smallest picture that need not be enlarged at that scale, and its own scale along x and y.

        Shrinking at once to far below the half would skip pixels.
        """
        number = 0
        while number + 1 < len(self.levels) and scale <= 0.5 ** (number + 1):
            number += 1
        (height, width), (whole_height, whole_width) = self.levels[number].shape[:2], self.levels[0].shape[:2]
        return self.levels[number], width / whole_width, height / whole_height

    @classmethod
    def of(cls, image: NDArray[np.uint8], box: NDArray[np.float32], points: NDArray[np.float32] | None) -> Cutout:
        """A cut-out of one picture; without landmarks it is a distractor."""
        levels = [image]
        while min(levels[-1].shape[:2]) >= 16:
            height, width = levels[-1].shape[:2]
            size = (width + 1) // 2, (height + 1) // 2
            levels.append(cv2.resize(levels[-1], size, interpolation=cv2.INTER_AREA))
        known = np.full((POINTS, 2), np.nan, np.float32) if points is None else points
        return cls(tuple(levels), box, known, points is not None, _colourless(image))


class Library:
    """The faces and places of one split, decoded when they are first asked for. Threads may share it.

    Args:
        store: what `scenes prepare` made.
        split: of `store.SPLITS`.
        channels: 1 for grey pictures, 3 for BGR.
    """

    def __init__(self, store: Store, split: str, channels: int) -> None:
        self.store, self.channels = store, channels
        self.faces = np.flatnonzero(store.face_splits == split)
        self.places = np.flatnonzero(store.place_splits == split)
        self.peopled = np.array([index for index in self.places.tolist() if len(store.marks[index])], np.int64)
        alone = [
            index
            for index in self.places.tolist()
            if not len(store.marks[index]) and not len(store.marks[index].ignored)
        ]
        self.deserted = np.array(alone, np.int64)
        self._cutouts: dict[int, Cutout] = {}
        self._pictures: dict[int, NDArray[np.uint8]] = {}

    def face(self, index: int) -> Cutout:
        if index not in self._cutouts:
            image = self.store.face(index, self.channels)
            self._cutouts[index] = Cutout.of(image, self.store.face_boxes[index], self.store.face_points[index])
        return self._cutouts[index]

    def place(self, index: int) -> NDArray[np.uint8]:
        if index not in self._pictures:
            self._pictures[index] = self.store.place(index, self.channels)
        return self._pictures[index]

    def marks(self, index: int) -> Marks:
        return self.store.marks[index]

    def draw_face(
        self, random: np.random.Generator, height_px: float, enlarged: float = SceneOptions.enlarged
    ) -> Cutout:
        """A face that need not be enlarged more than so many times to be so high, where a few draws find one."""
        cutout = self.face(int(random.choice(self.faces)))
        for _ in range(8):
            if cutout.height * enlarged >= height_px:
                break
            cutout = self.face(int(random.choice(self.faces)))
        return cutout

    def draw_texture(self, random: np.random.Generator) -> NDArray[np.uint8]:
        """A place in which the teacher saw and suspected nobody, as clothes must not show unmarked faces; else a plain grey."""
        if len(self.deserted):
            return self.place(int(random.choice(self.deserted)))
        return self._plain(random)

    def draw_distractor(self, random: np.random.Generator, emblems: float = 0.0) -> Cutout:
        """A part of a place without any face, or rarely a face whose halves are exchanged, framed as a face would be; or a
        drawn badge, for that share of them."""
        if emblems and random.random() < emblems:
            image = draw_emblem(random, self.channels)
        else:
            image = self._jumbled_face(random) if random.random() < 0.12 else self._part(random)
        height, width = image.shape[:2]
        left, top = random.uniform(0.05, 0.15) * width, random.uniform(0.0, 0.08) * height
        box = np.array([left, top, width - left, height * random.uniform(0.92, 1.0)], np.float32)
        return Cutout.of(image, box, None)

    def _jumbled_face(self, random: np.random.Generator) -> NDArray[np.uint8]:
        image = self.draw_face(random, 64).levels[0]
        return np.roll(image, image.shape[0] // 2, axis=0)

    def _part(self, random: np.random.Generator) -> NDArray[np.uint8]:
        for _ in range(6):
            index = int(random.choice(self.places))
            image = self.place(index)
            height, width = image.shape[:2]
            side = round(min(height, width) * random.uniform(0.1, 0.8))
            left, top = int(random.integers(0, width - side + 1)), int(random.integers(0, height - side + 1))
            marks = self.marks(index)
            seen = np.concatenate([marks.boxes, marks.ignored])
            apart = (seen[:, 0] > left + side) | (seen[:, 2] < left) | (seen[:, 1] > top + side) | (seen[:, 3] < top)
            if apart.all() and side >= 12:
                return image[top : top + side, left : left + side]
        return self._plain(random)

    def _plain(self, random: np.random.Generator) -> NDArray[np.uint8]:
        return np.full((32, 32, 3) if self.channels == 3 else (32, 32), int(random.integers(256)), np.uint8)


def _colourless(image: NDArray[np.uint8]) -> bool:
    if image.ndim == 2:
        return False
    few = image[::4, ::4].astype(np.int16)
    return bool(np.abs(few[..., 0] - few[..., 2]).max() <= 12)
