"""Drawn badges, prints and lettering: things of cloth and paper that a detector must not take for a face."""

from __future__ import annotations

import string

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["SIDE", "draw_emblem"]

SIDE = 96
"""Pixels of an emblem, each way."""

_FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
)
_OUTLINES = ("disk", "shield", "rectangle", "none")

Colour = tuple[int, ...]


def draw_emblem(random: np.random.Generator, channels: int) -> NDArray[np.uint8]:
    """A badge on a plain ground, (SIDE, SIDE) or BGR (SIDE, SIDE, 3) uint8.

    An outline or none; in it stripes, spots, rings, strokes, triangles and letters. Two fifths of them are alike on both sides, as
    many badges are, and as faces are.
    """
    image = np.full((SIDE, SIDE, 3), _colour(random), np.uint8)
    inside = np.zeros((SIDE, SIDE), np.uint8)
    outline = _outline(random)
    cv2.fillPoly(inside, [outline], 255, cv2.LINE_AA)
    filled = np.full_like(image, _colour(random))
    if random.random() < 0.25:
        _stripes(filled, random)
    for _ in range(int(random.integers(2, 9))):
        _thing(filled, random)
    if random.random() < 0.4:
        half = filled[:, : SIDE // 2]
        filled = np.concatenate([half, half[:, ::-1]], axis=1)
    if random.random() < 0.5:
        _letters(filled, random)
    if random.random() < 0.7:
        cv2.polylines(filled, [outline], True, _colour(random), int(random.integers(1, 9)), cv2.LINE_AA)
    weight = inside[..., None].astype(np.float32) / 255
    image = np.clip(image + (filled.astype(np.float32) - image) * weight, 0, 255).astype(np.uint8)
    if channels == 1:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    return image


def _outline(random: np.random.Generator) -> NDArray[np.int32]:
    """A polygon about the middle."""
    kind = _OUTLINES[int(random.integers(len(_OUTLINES)))]
    wide, high = random.uniform(0.32, 0.49, 2)
    if kind == "disk":
        around = np.linspace(0, 2 * np.pi, 40, endpoint=False)
        corners = np.stack([wide * np.cos(around), high * np.sin(around)], axis=1)
    elif kind == "shield":
        below = np.linspace(0, np.pi, 20)
        bow = np.stack([wide * np.cos(below), high * np.sin(below)], axis=1)
        corners = np.concatenate([[(-wide, -high), (wide, -high)], bow])
    else:
        wide, high = (0.6, 0.6) if kind == "none" else (wide, high)
        corners = np.array([(-wide, -high), (wide, -high), (wide, high), (-wide, high)])
    return np.rint((corners + 0.5) * SIDE).astype(np.int32)


def _stripes(image: NDArray[np.uint8], random: np.random.Generator) -> None:
    wide, colour = int(random.integers(3, 14)), _colour(random)
    across = bool(random.random() < 0.6)
    for at in range(0, SIDE, 2 * wide):
        if across:
            image[at : at + wide] = colour
        else:
            image[:, at : at + wide] = colour


def _thing(image: NDArray[np.uint8], random: np.random.Generator) -> None:
    """A spot, a ring, a stroke, a bow or a polygon anywhere."""
    kind, colour = int(random.integers(5)), _colour(random)
    x, y = random.integers(8, SIDE - 8, 2).tolist()
    axes = (int(random.integers(2, 24)), int(random.integers(2, 18)))
    angle = float(random.choice([0.0, random.uniform(-90, 90)]))
    thick = int(random.integers(1, 6))
    if kind == 0:
        cv2.ellipse(image, (x, y), axes, angle, 0, 360, colour, -1, cv2.LINE_AA)
    elif kind == 1:
        cv2.ellipse(image, (x, y), axes, angle, 0, 360, colour, thick, cv2.LINE_AA)
    elif kind == 2:
        end = random.integers(0, SIDE, 2).tolist()
        cv2.line(image, (x, y), (end[0], end[1]), colour, thick, cv2.LINE_AA)
    elif kind == 3:
        cv2.ellipse(image, (x, y), axes, angle, 0, float(random.uniform(90, 220)), colour, thick, cv2.LINE_AA)
    else:
        corners = np.array([x, y]) + random.normal(0, 12, (int(random.integers(3, 6)), 2))
        cv2.fillPoly(image, [np.rint(corners).astype(np.int32)], colour, cv2.LINE_AA)


def _letters(image: NDArray[np.uint8], random: np.random.Generator) -> None:
    letters = string.ascii_uppercase + string.digits
    text = "".join(random.choice(list(letters), int(random.integers(2, 8))))
    font, size = _FONTS[int(random.integers(len(_FONTS)))], random.uniform(0.35, 1.1)
    thick = int(random.integers(1, 4))
    (wide, _), _ = cv2.getTextSize(text, font, size, thick)
    at = (max(2, (SIDE - wide) // 2), int(random.integers(16, SIDE - 6)))
    cv2.putText(image, text, at, font, size, _colour(random), thick, cv2.LINE_AA)


def _colour(random: np.random.Generator) -> Colour:
    """Any colour; a third of them are black, white or grey."""
    if random.random() < 1 / 3:
        return (int(random.choice([12, 235, int(random.integers(256))])),) * 3
    return tuple(random.integers(0, 256, 3).tolist())
