"""What a detector net says for each cell, as boxes: pure functions of arrays, the same in training and on the board."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_runtime.geometry import MIRRORED

__all__ = [
    "JUDGED_FROM",
    "OVERLAP",
    "SUPPORTING",
    "Found",
    "Grid",
    "at_cells",
    "decode",
    "faces_of",
    "output_places",
    "overlaps",
    "suppress",
    "table_of",
]

Floats = NDArray[np.float32]

JUDGED_FROM, OVERLAP = 0.02, 0.4
"""From which score boxes are judged, so that a curve has its low end; and how far two faces may overlap."""

SUPPORTING, _ALMOST_THE_SAME = 0.5, 0.6
"""Which share of the threshold a cell must reach to have its say in a face's landmarks, and how alike its box must be."""

_KINDS = {1: "scores", 4: "boxes", 10: "points"}
"""What an output is, told by how many values a cell it has."""


@dataclass(frozen=True)
class Grid:
    """The cells of all levels one after the other, each level row by row.

    Attributes:
        centers: float32 (A, 2): x, y in pixels of the net's input.
        strides: float32 (A,): pixels between cells of its level.
        levels: (columns, rows) of each level.
    """

    centers: Floats
    strides: Floats
    levels: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, width: int, height: int, strides: tuple[int, ...]) -> Grid:
        """The cells for an input of that many pixels; a level has a cell for each whole or broken stride."""
        centers, lengths, levels = [], [], []
        for stride in strides:
            columns, rows = -(-width // stride), -(-height // stride)
            x, y = np.meshgrid(np.arange(columns), np.arange(rows))
            centers.append((np.stack([x, y], axis=-1).reshape(-1, 2) + 0.5) * stride)
            lengths.append(np.full(columns * rows, stride))
            levels.append((columns, rows))
        return cls(
            np.concatenate(centers).astype(np.float32), np.concatenate(lengths).astype(np.float32), tuple(levels)
        )

    def __len__(self) -> int:
        return len(self.centers)


@dataclass(frozen=True)
class Found:
    """Faces in pixels of the net's input: boxes float32 (N, 4), scores float32 (N,) and points float32 (N, 5, 2)."""

    boxes: Floats
    scores: Floats
    points: Floats

    def __len__(self) -> int:
        return len(self.boxes)

    def scaled(self, scale: tuple[float, float]) -> Found:
        """The same in pixels of the frame, of which one is `scale` of the input's along x and y."""
        across: Floats = np.array(scale, np.float32)
        boxes: Floats = self.boxes / np.concatenate([across, across])
        points: Floats = self.points / across
        return Found(boxes, self.scores, points)

    def mirrored(self, width: float) -> Found:
        """The same in the mirrored picture, which is so many pixels wide: a person's right eye is where the left one was."""
        boxes, points = self.boxes[:, [2, 1, 0, 3]], self.points[:, MIRRORED]
        boxes[:, [0, 2]] = width - boxes[:, [0, 2]]
        points[..., 0] = width - points[..., 0]
        return Found(boxes, self.scores, points)

    def at(self, chosen: NDArray[np.intp] | NDArray[np.bool_]) -> Found:
        return Found(self.boxes[chosen], self.scores[chosen], self.points[chosen])


def output_places(shapes: Sequence[tuple[int, ...]], grid: Grid) -> list[list[int]]:
    """Which outputs are scores, boxes and points, level by level. Interpreters order and name outputs as they like.

    Args:
        shapes: of the outputs, (1, rows, columns, values a cell).
        grid: the cells that they must have.

    Returns:
        for each level the places of its scores, boxes and points.

    Raises:
        ValueError: not one output of each kind for each level; the text says which.
    """
    places: list[list[int]] = []
    for columns, rows in grid.levels:
        wanted = {(1, rows, columns, count): kind for count, kind in _KINDS.items()}
        for shape, kind in wanted.items():
            if list(shapes).count(shape) != 1:
                raise ValueError(f"one {shape} for the {kind} of a level")
        places.append([list(shapes).index(shape) for shape in wanted])
    return places


def table_of(outputs: Sequence[Floats], places: Sequence[Sequence[int]]) -> Floats:
    """Outputs (N, rows, columns, values) as one table (N, A, 15): score, distances and landmarks of every cell."""
    levels = [
        np.concatenate([outputs[at].reshape(len(outputs[at]), -1, outputs[at].shape[3]) for at in level], axis=2)
        for level in places
    ]
    return np.concatenate(levels, axis=1)


def faces_of(table: Floats, grid: Grid, threshold: float, overlap: float) -> Found:
    """The faces of one picture from its table (A, 15), in pixels of the net's input, the surest first.

    Cells that are half as sure as the threshold make no face, but have their say in one's landmarks.
    """
    near = decode(table[:, 0], table[:, 1:5], table[:, 5:], grid, threshold * SUPPORTING)
    return suppress(near, overlap, threshold)


def decode(scores: Floats, boxes: Floats, points: Floats, grid: Grid, threshold: float) -> Found:
    """The cells that are at least so sure, as boxes that still lie on each other.

    Args:
        scores: (A,), 0..1.
        boxes: (A, 4): distances from the cell's centre to left, top, right and bottom, in strides; negative ones count as 0.
        points: (A, 10): five times x, y from the cell's centre, in strides.
        grid: the cells.
        threshold: lowest score.
    """
    sure = np.flatnonzero(scores >= threshold)
    return at_cells(grid, sure, scores[sure], boxes[sure], points[sure])


def at_cells(grid: Grid, cells: NDArray[np.intp], scores: Floats, boxes: Floats, points: Floats) -> Found:
    """The boxes that some cells speak of.

    Args:
        grid: all cells.
        cells: (N,), places in it.
        scores, boxes, points: what they say, (N,), (N, 4) and (N, 10), as `decode` takes it.
    """
    centers, strides = grid.centers[cells], grid.strides[cells, None]
    reach = np.maximum(boxes, 0) * strides
    corners = np.concatenate([centers - reach[:, :2], centers + reach[:, 2:]], axis=1)
    places = (points * strides).reshape(-1, points.shape[1] // 2, 2) + centers[:, None]
    return Found(*(each.astype(np.float32, copy=False) for each in (corners, scores, places)))


def suppress(found: Found, overlap: float, threshold: float = 0.0) -> Found:
    """Non-maximum suppression: of boxes that overlap by more than `overlap` (intersection over union) the surest stays.

    The surest comes first. Its landmarks are the mean of those of all boxes that are almost the same, which weigh as the square of
    their scores: single cells are a pixel or two off, each in its own way (Bazarevsky et al. 2019, BlazeFace, section 4.3, does it
    with boxes). Empty boxes and those below `threshold` are dropped. Time grows with faces × cells, memory with cells.
    """
    order, areas = np.argsort(-found.scores, kind="stable"), _areas(found.boxes)
    order = order[areas[order] > 0]
    boxes, areas = found.boxes[order], areas[order]
    kept, points = [], []
    while len(order) and found.scores[order[0]] >= threshold:
        shared = _shared(boxes[:1], boxes)[0]
        alike = _shares(shared, areas[0] + areas - shared)
        same = order[alike >= _ALMOST_THE_SAME]
        weights = found.scores[same] ** 2
        points.append(np.dot((weights / weights.sum())[None], found.points[same].reshape(len(same), -1)))
        kept.append(order[0])
        apart = alike <= overlap
        apart[0] = False
        order, boxes, areas = order[apart], boxes[apart], areas[apart]
    chosen = found.at(np.array(kept, np.intp))
    return Found(chosen.boxes, chosen.scores, np.array(points, np.float32).reshape(chosen.points.shape))


def overlaps(a: Floats, b: Floats, *, of_smaller: bool = False) -> Floats:
    """Intersection over union of each of `a` (N, 4) with each of `b` (M, 4): float32 (N, M), 0 where both are empty.

    `of_smaller`: intersection over the smaller of both instead.
    """
    shared, areas = _shared(a, b), (_areas(a)[:, None], _areas(b))
    return _shares(shared, np.minimum(*areas) if of_smaller else areas[0] + areas[1] - shared)


def _shared(a: Floats, b: Floats) -> Floats:
    """The area that each of `a` (N, 4) has in common with each of `b` (M, 4): (N, M)."""
    sides = np.minimum(a[:, None, 2:], b[None, :, 2:]) - np.maximum(a[:, None, :2], b[None, :, :2])
    np.maximum(sides, 0, out=sides)
    shared: Floats = sides[..., 0] * sides[..., 1]
    return shared


def _areas(boxes: Floats) -> Floats:
    """Of boxes (N, 4); 0 where one is empty."""
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    areas: Floats = sides[:, 0] * sides[:, 1]
    return areas


def _shares(part: Floats, whole: Floats) -> Floats:
    shares: Floats = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    return shares
