"""Scenes composed of faces and places, each from its seed alone."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.detectors.decode import overlaps
from edge_runtime.framesets.marks import Marks, Scene
from train.errors import DataError
from train.scenes.cutouts import Cutout, Library
from train.scenes.distort import distort
from train.scenes.negatives import Negatives
from train.scenes.options import SceneOptions
from train.scenes.paste import Pose, paste
from train.scenes.store import Store
from train.scenes.view import View

__all__ = ["Composer"]

_HIDDEN = 0.4
"""A face is ignored once so much of its box is hidden behind something pasted later."""

_TRIES = 12


class Composer:
    """Composes scenes. Threads may share it.

    Args:
        store: faces and places.
        split: which of them: training ones or those held out.
        options: what scenes are like.
        size: (width, height) of a scene in pixels.
        channels: 1 for grey, 3 for BGR.
        negatives: places where an earlier model fired; None has none.
    """

    def __init__(
        self,
        store: Store,
        split: str,
        options: SceneOptions,
        size: tuple[int, int],
        channels: int,
        negatives: Negatives | None = None,
    ) -> None:
        self.options, self.size, self.channels = options, size, channels
        self.sha256 = store.sha256
        self.library = Library(store, split, channels)
        if not len(self.library.faces) or not len(self.library.places):
            raise DataError(f"{split}: no faces or no places", "some of both", "prepare the scenes from more pictures")
        self.negatives = None if negatives is None else negatives.at(self.library.places)

    def scene(self, *seed: int) -> Scene:
        """The scene of a seed, which may be several numbers: the same one gives the same scene."""
        random = np.random.default_rng(seed)
        if self.options.portraits and random.random() < self.options.portraits:
            return self._finished(*self._portrait(random), random)
        image, marks = self._place(random)
        if self.channels == 3 and random.random() < self.options.grey:
            image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
            tinted = False
        else:
            tinted = self.channels == 3
        return self._finished(*self._pasted(image, marks, tinted, random), random)

    def _finished(self, image: NDArray[np.uint8], marks: Marks, random: np.random.Generator) -> Scene:
        image = distort(image, self.options, random)
        _bars(image, marks, random)
        marks = marks.within(*self.size, self.options.smallest_taught_px)
        return Scene(image.reshape(*image.shape[:2], self.channels), marks)

    def _portrait(self, random: np.random.Generator) -> tuple[NDArray[np.uint8], Marks]:
        """A picture of one face from the upper left corner on, as a picture is scaled into a detector's input."""
        cutout = self.library.draw_face(random, self.size[1], self.options.enlarged)
        picture = cutout.levels[0]
        height, width = picture.shape[:2]
        fit = min(self.size[0] / width, self.size[1] / height)
        angle = np.deg2rad(random.normal(0, self.options.rotation_deg))
        linear = (
            fit
            * random.uniform(0.75, 1.25)
            * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        )
        if random.random() < 0.5:
            linear = linear @ np.diag([-1.0, 1.0])
        filled = np.array([width, height]) * fit
        matrix = np.column_stack([linear, filled / 2 - linear @ (np.array([width, height]) / 2)])
        view = View(matrix, picture.shape, self.size)
        image = view.of(picture)
        right, bottom = np.rint(filled).astype(int).tolist()
        image[bottom:] = 0
        image[:, right:] = 0
        face = Marks(cutout.box[None], cutout.points[None], np.zeros((0, 4), np.float32))
        return image, view.marks(face)

    def _place(self, random: np.random.Generator) -> tuple[NDArray[np.uint8], Marks]:
        """A part of a place as the scene's ground, with the people that are in it."""
        library = self.library
        kind = random.random()
        target: NDArray[np.float32] | None = None
        scale = 0.0
        if self.negatives is not None and len(self.negatives) and kind < self.options.hard:
            index, target, fired_at = self.negatives.draw(random)
            scale = fired_at * random.uniform(0.75, 1.3)
        elif len(library.peopled) and kind > 1 - self.options.people:
            index = int(random.choice(library.peopled))
            boxes = library.marks(index).boxes
            target = boxes[random.integers(len(boxes))]
            scale = self._height(random, 0.7) / max(1.0, float(target[3] - target[1]))
        else:
            index = int(random.choice(library.places))
        view = View.draw(library.place(index).shape, target, scale, self.size, random)
        return view.of(library.place(index)), view.marks(library.marks(index))

    def _pasted(
        self, image: NDArray[np.uint8], marks: Marks, tinted: bool, random: np.random.Generator
    ) -> tuple[NDArray[np.uint8], Marks]:
        """With faces and distractors in any order. What a later one hides is ignored."""
        options, library = self.options, self.library
        count = 0 if random.random() < options.empty else 1 + _few(random, options.crowd - 1)
        things = [True] * count + [False] * int(random.poisson(options.distractors * max(1, count)))
        random.shuffle(things)
        for is_face in things:
            height = self._height(random, options.largest / np.sqrt(max(1.0, 0.5 * len(things))))
            if is_face:
                cutout = library.draw_face(random, height, options.enlarged)
            else:
                cutout = library.draw_distractor(random, options.emblems)
            pose = self._free(height, marks, random)
            if pose is None:
                continue
            covered = np.zeros(image.shape[:2], np.uint8)
            texture = library.draw_texture(random)
            paste(image, covered, _tinted(cutout, random) if tinted else cutout, pose, texture, options, random)
            marks = _hidden(marks, covered).plus(pose.marks(cutout))
        return image, marks

    def _height(self, random: np.random.Generator, largest: float) -> float:
        low = self.options.smallest_px
        return float(np.exp(random.uniform(np.log(low), np.log(max(low * 1.5, largest * self.size[1])))))

    def _free(self, height: float, marks: Marks, random: np.random.Generator) -> Pose | None:
        """A pose whose face would hide none that is there; None where no place was found."""
        options = self.options
        turned = random.random() < options.turned
        for _ in range(_TRIES):
            angle = random.uniform(-1, 1) * options.turned_deg if turned else random.normal(0, options.rotation_deg)
            room = min(0.35 * height, 0.2 * self.size[1])
            x, y = (random.random() * (side - 2 * room) + room for side in self.size)
            pose = Pose(x, y, height, angle, float(np.exp(random.normal(0, 0.06))), bool(random.random() < 0.5))
            half = np.array([0.45 * height, 0.5 * height])
            center = np.array([x, y])
            box = np.concatenate([center - half, center + half]).astype(np.float32)[None]
            there = np.concatenate([marks.boxes, marks.ignored])
            if not len(there) or overlaps(box, there, of_smaller=True).max() < 0.15:
                return pose
        return None


def _bars(image: NDArray[np.uint8], marks: Marks, random: np.random.Generator) -> None:
    """Black to the right or at the bottom of some scenes, where no face is: a frame of another shape is filled up so."""
    kind, share = random.random(), random.uniform(0.6, 1.0)
    seen = np.concatenate([np.zeros((1, 4), np.float32), marks.boxes, marks.ignored])
    if kind < 0.1:
        at = round(image.shape[1] * share)
        if seen[:, 2].max() <= at:
            image[:, at:] = 0
    elif kind < 0.2:
        at = round(image.shape[0] * share)
        if seen[:, 3].max() <= at:
            image[at:] = 0


def _few(random: np.random.Generator, most: int) -> int:
    """A number from 0 to `most`; half of the draws are below 2, and few are many."""
    return min(most, int(random.geometric(0.35)) - 1) if random.random() < 0.9 else int(random.integers(0, most + 1))


def _hidden(marks: Marks, covered: NDArray[np.uint8]) -> Marks:
    """The faces of which something was covered too far are ignored."""
    if not len(marks):
        return marks
    height, width = covered.shape
    shares = []
    for left, top, right, bottom in np.rint(marks.boxes).astype(int).tolist():
        part = covered[max(0, top) : max(0, min(bottom, height)), max(0, left) : max(0, min(right, width))]
        shares.append(float((part > 96).mean()) if part.size else 0.0)
    gone = np.array(shares) > _HIDDEN
    return Marks(marks.boxes[~gone], marks.points[~gone], np.concatenate([marks.ignored, marks.boxes[gone]]))


def _tinted(cutout: Cutout, random: np.random.Generator) -> Cutout:
    """A grey cut-out in a colour between pale and dark skin, or any pale colour; one that has colours stays."""
    if not cutout.colourless:
        return cutout
    red = random.uniform(1.0, 1.25)
    gains = np.array([red * random.uniform(0.55, 0.95), red * random.uniform(0.75, 0.98), red])
    levels = np.clip(np.arange(256)[:, None] * gains, 0, 255).astype(np.uint8)[None]
    tinted = tuple(cv2.LUT(level, levels) for level in cutout.levels)
    return Cutout(tinted, cutout.box, cutout.points, cutout.is_face, False)
