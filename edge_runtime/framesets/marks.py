"""What is known about the faces of a picture, and how it moves when the picture is turned, scaled or mirrored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_runtime.geometry import MIRRORED

__all__ = ["POINTS", "Marks", "Scene", "visible_shares"]

Floats = NDArray[np.float32]

POINTS = 5
"""Landmarks a face, in the order of `edge_runtime.geometry.Landmarks`."""


@dataclass(frozen=True)
class Marks:
    """Faces of one picture, in its pixels.

    Attributes:
        boxes: float32 (N, 4): left, top, right, bottom. They may reach outside the picture.
        points: float32 (N, 5, 2): landmarks as x, y; NaN where they are not known.
        ignored: float32 (M, 4): places where there may be a face; whoever finds one there is neither right nor wrong.
    """

    boxes: Floats
    points: Floats
    ignored: Floats

    def __post_init__(self) -> None:
        if self.points.shape != (len(self.boxes), POINTS, 2) or self.boxes.shape[1:] != (4,):
            raise ValueError(f"boxes {self.boxes.shape} with points {self.points.shape}")
        if self.ignored.shape[1:] != (4,):
            raise ValueError(f"ignored {self.ignored.shape}")

    @classmethod
    def none(cls) -> Marks:
        return cls(np.zeros((0, 4), np.float32), np.zeros((0, POINTS, 2), np.float32), np.zeros((0, 4), np.float32))

    def __len__(self) -> int:
        return len(self.boxes)

    def moved(self, matrix: NDArray[np.float64]) -> Marks:
        """The marks after the picture went through a 2 × 3 matrix (old x, y to new x, y).

        A turned face's box is that of the ellipse that its old box encloses, as a head is no rectangle.
        """
        points = self.points @ matrix[:, :2].T + matrix[:, 2]
        if np.linalg.det(matrix[:, :2]) < 0:
            points = points[:, MIRRORED]
        return Marks(_moved(self.boxes, matrix), points.astype(np.float32), _moved(self.ignored, matrix))

    def within(self, width: int, height: int, smallest_px: float) -> Marks:
        """Without what lies outside a picture of that size. Faces that are cut in half or too small become ignored."""
        seen = visible_shares(self.boxes, width, height)
        sides = np.minimum(self.boxes[:, 2] - self.boxes[:, 0], self.boxes[:, 3] - self.boxes[:, 1])
        kept = (seen >= 0.5) & (sides >= smallest_px)
        doubtful = (seen > 0) & ~kept
        ignored = np.concatenate([self.ignored, self.boxes[doubtful]])
        ignored = ignored[visible_shares(ignored, width, height) > 0]
        return Marks(self.boxes[kept], self.points[kept], ignored)

    def plus(self, other: Marks) -> Marks:
        return Marks(
            np.concatenate([self.boxes, other.boxes]),
            np.concatenate([self.points, other.points]),
            np.concatenate([self.ignored, other.ignored]),
        )


@dataclass(frozen=True)
class Scene:
    """A picture, uint8 (H, W, C) with C 1 (grey) or 3 (BGR), and its faces."""

    image: NDArray[np.uint8]
    marks: Marks


def _moved(boxes: Floats, matrix: NDArray[np.float64]) -> Floats:
    centers = (boxes[:, :2] + boxes[:, 2:]) / 2 @ matrix[:, :2].T + matrix[:, 2]
    halves = np.sqrt(((boxes[:, 2:] - boxes[:, :2]) / 2) ** 2 @ (matrix[:, :2] ** 2).T)
    return np.concatenate([centers - halves, centers + halves], axis=1).astype(np.float32)


def visible_shares(boxes: Floats, width: int, height: int) -> Floats:
    """Which share of each box lies inside a picture, 0..1."""
    inside = np.maximum(0, np.minimum(boxes[:, 2:], (width, height)) - np.maximum(boxes[:, :2], 0))
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    shares: Floats = np.divide(inside.prod(axis=1), areas, out=np.zeros_like(areas), where=areas > 0)
    return shares
