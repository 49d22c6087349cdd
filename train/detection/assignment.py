"""Which cells are taught which face: adaptive training sample selection (ATSS, Zhang et al. 2020), in NumPy.

It depends on the faces alone, so that it is done while the net computes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_runtime.detectors.decode import Grid, overlaps
from edge_runtime.framesets.marks import Marks

__all__ = ["BOX", "KNOWN", "POINTS", "POSITIVE", "TARGETS", "WEIGHT", "assign"]

POSITIVE, WEIGHT, BOX, POINTS, KNOWN, TARGETS = 0, 1, slice(2, 6), slice(6, 16), 16, 17
"""Columns of the targets: whether the cell is a face, whether it counts, distances and landmarks in strides as the net
gives them, and whether the landmarks are known."""

_NEAREST = 9
_ANCHOR = 4.0
"""ATSS takes the 9 nearest cells a level and compares squares with the face; theirs are 8 strides wide, but faces are
smaller than the objects of COCO."""


def assign(marks: Marks, grid: Grid) -> NDArray[np.float32]:
    """The targets of one scene, float32 (A, 17).

    Cells within an ignored place that teach no face do not count.
    """
    targets = np.zeros((len(grid), TARGETS), np.float32)
    targets[:, WEIGHT] = 1
    targets[_within(grid, marks.ignored).any(axis=1), WEIGHT] = 0
    if not len(marks):
        return targets
    owner = _owners(marks, grid)
    cells = np.flatnonzero(owner >= 0)
    boxes, points = marks.boxes[owner[cells]], marks.points[owner[cells]]
    centers, strides = grid.centers[cells], grid.strides[cells, None]
    targets[cells, POSITIVE] = targets[cells, WEIGHT] = 1
    targets[cells, BOX] = np.concatenate([centers - boxes[:, :2], boxes[:, 2:] - centers], axis=1) / strides
    known: NDArray[np.bool_] = np.all(np.isfinite(points), axis=(1, 2))
    places = (points - centers[:, None]).reshape(len(cells), -1) / strides
    targets[cells, POINTS] = np.where(known[:, None], places, 0)
    targets[cells, KNOWN] = known
    return targets


def _owners(marks: Marks, grid: Grid) -> NDArray[np.int64]:
    """The face that each cell is taught, -1 where it is none: (A,)."""
    half = _ANCHOR / 2 * grid.strides[:, None]
    alike = overlaps(marks.boxes, np.concatenate([grid.centers - half, grid.centers + half], axis=1))
    middles = (marks.boxes[:, :2] + marks.boxes[:, 2:]) / 2
    far = ((middles[:, None] - grid.centers[None]) ** 2).sum(axis=2)
    candidates = np.zeros(far.shape, bool)
    start = 0
    rows = np.arange(len(marks))[:, None]
    for columns, lines in grid.levels:
        end = start + columns * lines
        most = min(_NEAREST, end - start)
        nearest = np.argpartition(far[:, start:end], most - 1, axis=1)[:, :most] + start
        candidates[rows, nearest] = True
        start = end
    counts = candidates.sum(axis=1, keepdims=True)
    means = (alike * candidates).sum(axis=1, keepdims=True) / counts
    deviations = np.sqrt((((alike - means) ** 2) * candidates).sum(axis=1, keepdims=True) / counts)
    chosen = candidates & (alike >= means + deviations) & _within(grid, marks.boxes).T
    for face in np.flatnonzero(~chosen.any(axis=1)):  # narrower than the cells are apart: the nearest cell
        chosen[face, int(far[face].argmin())] = True
    alike = np.where(chosen, alike + 1e-6, 0)
    return np.where(chosen.any(axis=0), alike.argmax(axis=0), -1)


def _within(grid: Grid, boxes: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Whether each cell's centre lies in each box: (A, N)."""
    at = grid.centers[:, None]
    within: NDArray[np.bool_] = np.all((at > boxes[None, :, :2]) & (at < boxes[None, :, 2:]), axis=2)
    return within
