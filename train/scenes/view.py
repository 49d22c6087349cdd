"""A part of a picture, seen at some scale: the ground of a scene."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.framesets.marks import Marks

__all__ = ["View"]

_ENLARGED = 4.0
_TILT_DEG = 4.0


@dataclass(frozen=True)
class View:
    """`matrix` (2 × 3) leads from a picture of `shape` to a scene of `size` (width, height). Beyond its border the
    picture is mirrored."""

    matrix: NDArray[np.float64]
    shape: tuple[int, ...]
    size: tuple[int, int]

    @classmethod
    def draw(
        cls,
        shape: tuple[int, ...],
        target: NDArray[np.float32] | None,
        scale: float,
        size: tuple[int, int],
        random: np.random.Generator,
    ) -> View:
        """A view that fills the scene.

        Args:
            shape: of the picture.
            target: a box that is to be seen, about anywhere; None looks anywhere.
            scale: at which the target is to be seen, as far as the picture allows.
        """
        height, width = shape[:2]
        least = max(size[0] / width, size[1] / height)
        whole = np.array([width, height], np.float64)
        if target is None:
            scale = least * np.exp(random.uniform(0, 0.9))
            at, goal = whole * random.uniform(0.3, 0.7, 2), np.array(size) / 2
        else:
            scale = min(max(scale, least), max(_ENLARGED, least))
            at, goal = (target[:2] + target[2:]) / 2, np.array(size) * random.uniform(0.15, 0.85, 2)
            # The view stays within the picture where it can.
            before, after = at * scale, (whole - at) * scale
            goal = np.clip(goal, np.minimum(np.array(size) - after, before), np.maximum(np.array(size) - after, before))
        angle = np.deg2rad(random.normal(0, _TILT_DEG))
        linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        if random.random() < 0.5:
            linear = linear @ np.diag([-1.0, 1.0])
        return cls(np.column_stack([linear, goal - linear @ at]), shape, size)

    def of(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The scene's pixels. Shrinking averages over areas, so that no pixel is skipped."""
        linear, shift = self.matrix[:, :2], self.matrix[:, 2]
        scale = float(np.sqrt(abs(np.linalg.det(linear))))
        if scale < 0.6:
            height, width = picture.shape[:2]
            size = max(1, round(width * scale)), max(1, round(height * scale))
            picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
            linear = linear @ np.diag([width / size[0], height / size[1]])
        # Boxes have pixel edges at whole numbers, OpenCV has pixel centres there.
        drawn = np.column_stack([linear, shift + linear @ (0.5, 0.5) - 0.5])
        seen: NDArray[np.uint8] = cv2.warpAffine(
            picture, drawn, self.size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
        return seen

    def marks(self, marks: Marks) -> Marks:
        """The faces in the scene's pixels. What is seen a second time in the mirror beyond the border is ignored."""
        moved = marks.moved(self.matrix)
        if not len(marks) and not len(marks.ignored):
            return moved
        height, width = self.shape[:2]
        ignored = [moved.ignored]
        for across, down in itertools.product((None, 0, 2 * width), (None, 0, 2 * height)):
            if across is None and down is None:
                continue
            mirror = np.array([[1.0, 0, 0], [0, 1, 0]])
            for axis, edge in enumerate((across, down)):
                if edge is not None:
                    mirror[axis, axis], mirror[axis, 2] = -1, edge
            again = marks.moved(mirror).moved(self.matrix)
            ignored += [again.boxes, again.ignored]
        return Marks(moved.boxes, moved.points, np.concatenate(ignored))
