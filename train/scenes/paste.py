"""One cut-out pasted into a picture: turned, lit, with or without a body, and with an edge of any softness."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.framesets.marks import Marks
from train.scenes.cutouts import Cutout
from train.scenes.options import SceneOptions

__all__ = ["Pose", "paste"]

_GRID = 64
_EDGES = tuple((power, softness) for power in (2.0, 2.5, 3.5, 6.0, 24.0) for softness in (0.03, 0.1, 0.2, 0.35))
"""Outlines |x|^p + |y|^p = 1, from an oval to almost the whole rectangle, and how far inwards they fade."""

_HEAD = np.array(
    [(0.64 * np.cos(angle), -0.1 + 0.62 * np.sin(angle)) for angle in np.linspace(0, 2 * np.pi, 24, endpoint=False)]
)
_HALF = np.array([(0.27, 0.2), (0.3, 0.62), (0.85, 0.78), (1.15, 1.05), (1.25, 2.4)])
_SHOULDERS = np.concatenate([_HALF, _HALF[::-1] * (-1, 1)])
"""In widths and heights of the face's box, from its centre."""


@dataclass(frozen=True)
class Pose:
    """Where a cut-out goes: its box's centre in the scene, its box's height there, rotation, and how it is stretched."""

    x: float
    y: float
    height_px: float
    angle_deg: float
    stretch: float
    mirrored: bool

    def matrix(self, cutout: Cutout) -> NDArray[np.float64]:
        """2 × 3, from the cut-out's largest picture to the scene."""
        scale = self.height_px / max(1.0, cutout.height)
        angle = np.deg2rad(self.angle_deg)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        linear = turn @ np.diag([scale * self.stretch * (-1 if self.mirrored else 1), scale])
        center = np.array([cutout.box[0] + cutout.box[2], cutout.box[1] + cutout.box[3]], np.float64) / 2
        return np.column_stack([linear, np.array([self.x, self.y]) - linear @ center])

    def marks(self, cutout: Cutout) -> Marks:
        """The face where it will be; nothing for a distractor."""
        if not cutout.is_face:
            return Marks.none()
        none = np.zeros((0, 4), np.float32)
        return Marks(cutout.box[None], cutout.points[None], none).moved(self.matrix(cutout))


def paste(
    image: NDArray[np.uint8],
    covered: NDArray[np.uint8],
    cutout: Cutout,
    pose: Pose,
    texture: NDArray[np.uint8],
    options: SceneOptions,
    random: np.random.Generator,
) -> None:
    """Pastes into `image`, in place.

    Args:
        image: (H, W) or BGR (H, W, 3).
        covered: (H, W); becomes 255 wherever this hides what was there before.
        cutout: what.
        pose: where.
        texture: any picture, for clothes and for things that stand before a face.
    """
    matrix = pose.matrix(cutout)
    if random.random() < options.body:
        _body(image, covered, cutout, matrix, texture, random)
    _picture(image, covered, cutout, matrix, options, random)
    if random.random() < options.occlusion:
        _obstacle(image, cutout, matrix, texture, random)


def _picture(
    image: NDArray[np.uint8],
    covered: NDArray[np.uint8],
    cutout: Cutout,
    matrix: NDArray[np.float64],
    options: SceneOptions,
    random: np.random.Generator,
) -> None:
    source, scale_x, scale_y = cutout.level(float(np.sqrt(abs(np.linalg.det(matrix[:, :2])))))
    height, width = source.shape[:2]
    # Pixel centres lie at whole numbers for OpenCV, and half a pixel into the picture for boxes.
    matrix = _after(matrix, np.array([[1 / scale_x, 0, 0.5 / scale_x], [0, 1 / scale_y, 0.5 / scale_y]]))
    matrix[:, 2] -= 0.5
    corners = np.array([(-0.5, -0.5), (width - 0.5, -0.5), (width - 0.5, height - 0.5), (-0.5, height - 0.5)])
    region = _region(corners @ matrix[:, :2].T + matrix[:, 2], image.shape)
    edge = int(random.integers(len(_EDGES)))
    levels, tilt = _light(random), random.normal(0, 0.35, 2) if random.random() < options.light else None
    if region is None:
        return
    left, top, right, bottom = region
    size = right - left, bottom - top
    moved = matrix.copy()
    moved[:, 2] -= left, top
    face = cv2.warpAffine(source, moved, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    face = cv2.LUT(face, levels)
    grid = np.array([[width / _GRID, 0, (width / _GRID - 1) / 2], [0, height / _GRID, (height / _GRID - 1) / 2]])
    mask = cv2.warpAffine(_mask(edge), _after(moved, grid), size, flags=cv2.INTER_LINEAR)
    lit = face.astype(np.float32)
    if tilt is not None:
        across = np.linspace(-1, 1, size[0], dtype=np.float32) * tilt[0]
        down = np.linspace(-1, 1, size[1], dtype=np.float32) * tilt[1]
        lit *= _as(1 + np.clip(across[None, :] + down[:, None], -0.75, 0.75), lit)
    _blend(image[top:bottom, left:right], lit, mask)
    np.maximum(covered[top:bottom, left:right], mask, out=covered[top:bottom, left:right])


def _body(
    image: NDArray[np.uint8],
    covered: NDArray[np.uint8],
    cutout: Cutout,
    matrix: NDArray[np.float64],
    texture: NDArray[np.uint8],
    random: np.random.Generator,
) -> None:
    """A head in one colour and shoulders in some texture: what a tight portrait lacks."""
    size = np.array([cutout.box[2] - cutout.box[0], cutout.box[3] - cutout.box[1]], np.float64)
    center = np.array([cutout.box[0] + cutout.box[2], cutout.box[1] + cutout.box[3]], np.float64) / 2
    top = cutout.levels[-1][:1].reshape(-1, *cutout.levels[-1].shape[2:]).mean(axis=0)
    hair = top * random.uniform(0.4, 1.1) if random.random() < 0.6 else np.full_like(top, random.uniform(5, 110))
    wide = random.uniform(0.8, 1.25)
    clothes = (texture, random.uniform(0.3, 1.2), random.uniform(-30, 60))
    order = [(_SHOULDERS * (wide, 1), clothes), (_HEAD * (random.uniform(0.9, 1.15), random.uniform(0.9, 1.2)), None)]
    height = float(size[1] * np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    for shape, dress in order:
        at = (center + shape * size) @ matrix[:, :2].T + matrix[:, 2]
        region = _region(at, image.shape)
        if region is None:
            continue
        left, upper, right, bottom = region
        mask = np.zeros((bottom - upper, right - left), np.uint8)
        cv2.fillPoly(mask, [np.rint(at - (left, upper)).astype(np.int32)], 255)
        side = max(1, round(0.06 * height)) | 1
        mask = cv2.blur(mask, (side, side))
        there = image[upper:bottom, left:right]
        _blend(there, _filled(there, hair) if dress is None else _dressed(there, *dress, random), mask)
        np.maximum(covered[upper:bottom, left:right], mask, out=covered[upper:bottom, left:right])


def _obstacle(
    image: NDArray[np.uint8],
    cutout: Cutout,
    matrix: NDArray[np.float64],
    texture: NDArray[np.uint8],
    random: np.random.Generator,
) -> None:
    """Something before a part of the face: from below, from a side, or a bar; at most two fifths of it."""
    share = random.uniform(0.1, 0.4)
    kind = int(random.integers(4))
    if kind == 0:
        low, high = (-0.6, 0.5 - share), (0.6, 0.8)
    elif kind == 1:
        low, high = (-0.8, -0.7), (-0.5 + share, 0.7)
    elif kind == 2:
        low, high = (0.5 - share, -0.7), (0.8, 0.7)
    else:
        at = random.uniform(-0.4, 0.4)
        low, high = (at - share / 6, -0.9), (at + share / 6, 0.9)
    shape = np.array([low, (high[0], low[1]), high, (low[0], high[1])]) + random.normal(0, 0.04, (4, 2))
    size = np.array([cutout.box[2] - cutout.box[0], cutout.box[3] - cutout.box[1]], np.float64)
    center = np.array([cutout.box[0] + cutout.box[2], cutout.box[1] + cutout.box[3]], np.float64) / 2
    at_scene = (center + shape * size) @ matrix[:, :2].T + matrix[:, 2]
    gain, offset = random.uniform(0.3, 1.2), random.uniform(-30, 60)
    region = _region(at_scene, image.shape)
    if region is None:
        return
    left, top, right, bottom = region
    mask = np.zeros((bottom - top, right - left), np.uint8)
    cv2.fillPoly(mask, [np.rint(at_scene - (left, top)).astype(np.int32)], 255, cv2.LINE_AA)
    there = image[top:bottom, left:right]
    _blend(there, _dressed(there, texture, gain, offset, random), mask)


def _light(random: np.random.Generator) -> NDArray[np.uint8]:
    """A table of grey levels: gamma, gain and offset in one."""
    gamma, gain, offset = np.exp(random.normal(0, 0.22)), random.uniform(0.65, 1.12), random.normal(0, 10)
    levels = 255 * (np.arange(256) / 255) ** gamma * gain + offset
    table: NDArray[np.uint8] = np.clip(levels, 0, 255).astype(np.uint8)
    return table


def _blend(there: NDArray[np.uint8], new: NDArray[np.float32], mask: NDArray[np.uint8]) -> None:
    weight = _as(mask.astype(np.float32) * (1 / 255), new)
    old = there.astype(np.float32)
    there[:] = np.clip(old + (new - old) * weight, 0, 255).astype(np.uint8)


def _filled(there: NDArray[np.uint8], colour: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.broadcast_to(np.asarray(colour, np.float32), there.shape)


def _dressed(
    there: NDArray[np.uint8], texture: NDArray[np.uint8], gain: float, offset: float, random: np.random.Generator
) -> NDArray[np.float32]:
    """Any part of the texture, lighter or darker; all of it made larger where it is too small."""
    height, width = there.shape[:2]
    rows, columns = texture.shape[:2]
    if rows < height or columns < width:
        part = cv2.resize(texture, (width, height), interpolation=cv2.INTER_LINEAR)
    else:
        top, left = int(random.integers(rows - height + 1)), int(random.integers(columns - width + 1))
        part = texture[top : top + height, left : left + width]
    dressed: NDArray[np.float32] = part.astype(np.float32) * np.float32(gain) + np.float32(offset)
    return dressed


def _as(plane: NDArray[np.float32], like: NDArray[np.float32]) -> NDArray[np.float32]:
    return plane if like.ndim == 2 else plane[..., None]


def _after(second: NDArray[np.float64], first: NDArray[np.float64]) -> NDArray[np.float64]:
    """One 2 × 3 matrix for `first`, then `second`."""
    return np.column_stack([second[:, :2] @ first[:, :2], second[:, :2] @ first[:, 2] + second[:, 2]])


def _region(points: NDArray[np.float64], shape: tuple[int, ...]) -> tuple[int, int, int, int] | None:
    """Left, top, right and bottom of the pixels about some points, inside a picture; None where there are none."""
    left, top = np.maximum(np.floor(points.min(axis=0)).astype(int), 0).tolist()
    right, bottom = np.minimum(np.ceil(points.max(axis=0)).astype(int) + 1, (shape[1], shape[0])).tolist()
    return (left, top, right, bottom) if right > left and bottom > top else None


@functools.cache
def _mask(edge: int) -> NDArray[np.uint8]:
    power, softness = _EDGES[edge]
    at = np.abs(np.linspace(-1, 1, _GRID + 1)[:-1] + 1 / _GRID)
    distance = (at[None, :] ** power + at[:, None] ** power) ** (1 / power)
    return (255 * np.clip((1 - distance) / softness, 0, 1)).astype(np.uint8)
