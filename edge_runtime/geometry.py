"""Boxes and landmarks in pixels, and pure functions over them. x runs right, y runs down, (0, 0) is the top left corner."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Box", "Landmarks", "iou"]

Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels; right and bottom are exclusive, so width is right - left."""

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        if (
            not all(math.isfinite(value) for value in self.as_tuple())
            or self.right < self.left
            or self.bottom < self.top
        ):
            raise ValueError(f"box {self.as_tuple()}: expected finite left <= right and top <= bottom")

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def area(self) -> float:
        return self.width * self.height

    @property
    def center(self) -> Point:
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def as_tuple(self) -> tuple[float, float, float, float]:
        return self.left, self.top, self.right, self.bottom


@dataclass(frozen=True)
class Landmarks:
    """Five points of a face. "Right" is the person's own right, which is on the left of the picture, as YuNet gives it."""

    right_eye: Point
    left_eye: Point
    nose: Point
    right_mouth: Point
    left_mouth: Point

    def as_tuple(self) -> tuple[Point, Point, Point, Point, Point]:
        return self.right_eye, self.left_eye, self.nose, self.right_mouth, self.left_mouth


def iou(a: Box, b: Box) -> float:
    """Intersection over union, 0..1; 0 where both are empty."""
    width = min(a.right, b.right) - max(a.left, b.left)
    height = min(a.bottom, b.bottom) - max(a.top, b.top)
    shared = max(0.0, width) * max(0.0, height)
    union = a.area + b.area - shared
    return shared / union if union > 0 else 0.0
