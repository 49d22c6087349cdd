"""Scenes cut out of annotated photographs."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np

from edge_runtime.errors import PictureError
from edge_runtime.framesets.marks import Scene
from edge_runtime.pictures import read_picture
from train.errors import DataError
from train.scenes.distort import distort
from train.scenes.options import SceneOptions
from train.scenes.view import View
from train.scenes.wider import find_photographs

__all__ = ["Photographs"]


class Photographs:
    """Scenes of a folder that is laid out as WIDER FACE is. Threads may share it.

    A view shows one face of a photograph at a drawn size, and whatever else is near it.
    """

    def __init__(self, folder: Path, split: str, options: SceneOptions, size: tuple[int, int], channels: int) -> None:
        self.options, self.size, self.channels = options, size, channels
        self.photographs = find_photographs(folder, split)
        digest = hashlib.sha256()
        for each in self.photographs:
            digest.update(f"{each.path.relative_to(folder)}".encode())
            digest.update(each.marks.boxes.tobytes() + each.marks.points.tobytes())
        self.sha256 = digest.hexdigest()

    def scene(self, *seed: int) -> Scene:
        """The scene of a seed. Raises DataError where its photograph cannot be read."""
        random = np.random.default_rng(seed)
        photograph = self.photographs[random.integers(len(self.photographs))]
        try:
            picture = read_picture(photograph.path)
        except PictureError as error:
            raise DataError(error.received, error.expected, error.mend) from error
        if self.channels == 1:
            picture = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        boxes, target, scale = photograph.marks.boxes, None, 1.0
        if len(boxes):
            target = boxes[random.integers(len(boxes))]
            low, high = np.log(self.options.smallest_px), np.log(self.options.largest * self.size[1])
            scale = float(np.exp(random.uniform(low, high))) / max(1.0, float(target[3] - target[1]))
        view = View.draw(picture.shape, target, scale, self.size, random)
        image, marks = view.of(picture), view.marks(photograph.marks)
        if self.channels == 3 and random.random() < self.options.grey:
            image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        image = distort(image, self.options, random)
        return Scene(
            image.reshape(*image.shape[:2], self.channels), marks.within(*self.size, self.options.smallest_taught_px)
        )
