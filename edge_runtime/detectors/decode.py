"""What a detector net says for each cell, as boxes: pure functions of arrays, the same in training and on the board."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Found", "Grid", "decode", "suppress"]

Floats = NDArray[np.float32]


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

    def at(self, chosen: NDArray[np.intp] | NDArray[np.bool_]) -> Found:
        return Found(self.boxes[chosen], self.scores[chosen], self.points[chosen])


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
    centers, strides = grid.centers[sure], grid.strides[sure, None]
    reach = np.maximum(boxes[sure], 0) * strides
    corners = np.concatenate([centers - reach[:, :2], centers + reach[:, 2:]], axis=1)
    places = (points[sure] * strides).reshape(-1, points.shape[1] // 2, 2) + centers[:, None]
    return Found(corners.astype(np.float32), scores[sure].astype(np.float32), places.astype(np.float32))


def suppress(found: Found, overlap: float) -> Found:
    """Non-maximum suppression: of boxes that overlap by more than `overlap` (intersection over union) the surest stays.

    The surest comes first. Empty boxes are dropped. Time grows with faces × cells, memory with cells.
    """
    areas = np.prod(found.boxes[:, 2:] - found.boxes[:, :2], axis=1)
    order = np.argsort(-found.scores, kind="stable")
    order = order[areas[order] > 0]
    kept = []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(best)
        least = np.maximum(found.boxes[best, :2], found.boxes[order, :2])
        most = np.minimum(found.boxes[best, 2:], found.boxes[order, 2:])
        shared = np.prod(np.maximum(0, most - least), axis=1)
        order = order[shared <= overlap * (areas[best] + areas[order] - shared)]
    return found.at(np.array(kept, np.intp))
