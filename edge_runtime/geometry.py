"""Boxes and landmarks in pixels, and pure functions over them. x runs right, y runs down, (0, 0) is the top left corner."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["MIRRORED", "Box", "Landmarks", "Point", "Similarity", "fit_similarity", "iou"]

Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels; right and bottom are exclusive, so width is right - left."""

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        # A sum with NaN or infinity in it is one of them: one test instead of four, as every frame makes many boxes.
        finite = math.isfinite(self.left + self.top + self.right + self.bottom)
        if not finite or self.right < self.left or self.bottom < self.top:
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


MIRRORED = [1, 0, 2, 4, 3]
"""Which of the `Landmarks` each becomes where the picture is mirrored."""


def iou(a: Box, b: Box) -> float:
    """Intersection over union, 0..1; 0 where both are empty."""
    width = min(a.right, b.right) - max(a.left, b.left)
    height = min(a.bottom, b.bottom) - max(a.top, b.top)
    shared = max(0.0, width) * max(0.0, height)
    union = a.area + b.area - shared
    return shared / union if union > 0 else 0.0


@dataclass(frozen=True)
class Similarity:
    """A turn, a scale and a shift of the plane, on points as complex numbers x + iy: z -> `turn` · z + `shift`.

    Attributes:
        turn: its length is the scale, its angle the turn, positive for clockwise as y runs down.
        shift: where (0, 0) goes.
        misfit: 0..1, the share of the target's spread about its middle that is left over; 0 where all points meet.
    """

    turn: complex
    shift: complex
    misfit: float

    @property
    def scale(self) -> float:
        return abs(self.turn)


def fit_similarity(source: Sequence[Point], target: Sequence[Point]) -> Similarity | None:
    """The similarity that brings `source` nearest to `target` in the sense of least squares, never a mirror image.

    Umeyama 1991, equations 34 to 43, which in the plane is one division of complex numbers. None where the points of one side
    fall together or are not finite, or so nearly that their figure is lost in the arithmetic.
    """
    before, after = [complex(*point) for point in source], [complex(*point) for point in target]
    middle, goal = sum(before) / len(before), sum(after) / len(after)
    pairs = [(one - middle, other - goal) for one, other in zip(before, after, strict=True)]
    spread, wanted = sum(_squared(one) for one, _ in pairs), sum(_squared(other) for _, other in pairs)
    product = spread * wanted
    if not (math.isfinite(product) and product > 0):
        return None
    shared = sum(one.conjugate() * other for one, other in pairs)
    turn = shared / spread
    return Similarity(turn, goal - turn * middle, max(0.0, 1 - _squared(shared) / product))


def _squared(value: complex) -> float:
    """The square of its length; infinite where that is too large, while `abs` and powers raise."""
    return value.real * value.real + value.imag * value.imag
