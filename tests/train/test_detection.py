"""What a detector is taught: assignment, decoding and loss agree."""

import keras
import numpy as np
import pytest

from edge_runtime.detectors.decode import Grid, decode, overlaps, suppress
from edge_runtime.framesets.marks import Marks
from train.detection.assignment import BOX, KNOWN, POINTS, POSITIVE, WEIGHT, assign
from train.detection.loss import ANSWERS, DetectionLoss, generalized_overlap
from train.detection.recipe import Weights

GRID = Grid.of(320, 256, (8, 16, 32))


def marks(*boxes, ignored=(), known=True) -> Marks:
    array = np.float32(boxes).reshape(-1, 4)
    low, side = array[:, None, :2], (array[:, 2:] - array[:, :2])[:, None]
    shape = np.float32([(0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8)])
    points = low + side * shape if known else np.full((len(array), 5, 2), np.nan, np.float32)
    return Marks(array, points.astype(np.float32), np.float32(ignored).reshape(-1, 4))


def perfect(targets: np.ndarray) -> np.ndarray:
    """The answers of a net that says exactly what it is taught: (A, 15), scores as logits."""
    answers = np.zeros((len(targets), ANSWERS), np.float32)
    answers[:, 0] = np.where(targets[:, POSITIVE] > 0, 12, -12)
    answers[:, 1:5], answers[:, 5:] = targets[:, BOX], targets[:, POINTS]
    return answers


BOXES = [(5, 7, 17, 21), (40, 30, 70, 66), (100, 20, 190, 130), (60, 90, 290, 250), (300, 5, 330, 40)]


def test_what_is_taught_decodes_to_the_faces_it_came_from():
    there = marks(*BOXES)
    answers = perfect(assign(there, GRID))
    scores = 1 / (1 + np.exp(-answers[:, 0]))
    found = suppress(decode(scores, answers[:, 1:5], answers[:, 5:], GRID, 0.5), 0.4)
    assert len(found) == len(BOXES)
    for box, points in zip(there.boxes, there.points, strict=True):
        nearest = int(overlaps(box[None], found.boxes)[0].argmax())
        assert found.boxes[nearest] == pytest.approx(box, abs=1e-3)
        assert found.points[nearest] == pytest.approx(points, abs=1e-3)


def test_every_face_is_taught_by_some_cell_and_small_ones_at_the_finest_level():
    for side in (9, 12, 20, 40, 80, 160, 240):
        for shift in range(0, 16, 3):
            targets = assign(marks((30 + shift, 8 + shift, 30 + shift + side, 8 + shift + side)), GRID)
            cells = np.flatnonzero(targets[:, POSITIVE])
            assert len(cells)
            if side <= 20:
                assert (GRID.strides[cells] == 8).all()
            if side >= 160:
                assert (GRID.strides[cells] == 32).all()


def test_ignored_places_do_not_count_but_a_face_within_one_does():
    targets = assign(marks((40, 40, 72, 80), ignored=[(30, 30, 200, 200)]), GRID)
    inside = ((GRID.centers > 30) & (GRID.centers < 200)).all(axis=1)
    positive = targets[:, POSITIVE] > 0
    assert (targets[inside & ~positive, WEIGHT] == 0).all()
    assert (targets[~inside | positive, WEIGHT] == 1).all()
    assert positive.any()


def test_unknown_landmarks_are_not_taught():
    targets = assign(marks((40, 40, 72, 80), known=False), GRID)
    assert (targets[:, KNOWN] == 0).all()
    assert np.isfinite(targets).all()


def loss(targets, answers) -> float:
    return float(DetectionLoss(Weights())(targets[None], answers[None]))


def test_loss_is_almost_nothing_for_perfect_answers_and_grows_with_every_fault():
    targets = assign(marks(*BOXES, ignored=[(200, 140, 240, 200)]), GRID)
    right = perfect(targets)
    positive = np.flatnonzero(targets[:, POSITIVE])
    assert loss(targets, right) < 0.01
    for column, value in ((0, -12), (2, 9.0), (8, 9.0)):
        wrong = right.copy()
        wrong[positive[0], column] = value
        assert loss(targets, wrong) > loss(targets, right) + 0.02
    false = right.copy()
    false[np.flatnonzero((targets[:, POSITIVE] == 0) & (targets[:, WEIGHT] == 1))[0], 0] = 12
    assert loss(targets, false) > loss(targets, right) + 0.02
    ignored = right.copy()
    ignored[targets[:, WEIGHT] == 0, 0] = 12
    assert loss(targets, ignored) == pytest.approx(loss(targets, right))


def test_landmarks_count_as_the_recipe_says_and_small_distances_more_where_squares_end_early():
    targets = assign(marks(*BOXES), GRID)
    right = perfect(targets)
    off = right.copy()
    off[targets[:, POSITIVE] == 1, 5] += 0.1
    away = {
        (points, smooth): float(DetectionLoss(Weights(points=points, smooth=smooth))(targets[None], off[None]))
        - float(DetectionLoss(Weights(points=points, smooth=smooth))(targets[None], right[None]))
        for points, smooth in ((1.0, 0.1), (4.0, 0.1), (1.0, 0.02))
    }
    assert away[4.0, 0.1] == pytest.approx(4 * away[1.0, 0.1], rel=0.01)
    assert away[1.0, 0.02] > 1.5 * away[1.0, 0.1]


def test_generalized_overlap_is_that_of_the_boxes():
    a, b = np.float32([[1, 2, 3, 4], [2, 2, 2, 2]]), np.float32([[2, 1, 1, 3], [2, 2, 2, 2]])
    overlap, generalized = (keras.ops.convert_to_numpy(each) for each in generalized_overlap(a, b))
    as_boxes = [np.concatenate([-each[:, :2], each[:, 2:]], axis=1) for each in (a, b)]
    assert overlap == pytest.approx(np.diag(overlaps(*as_boxes)), abs=1e-6)
    assert generalized[1] == pytest.approx(1)
    around = (2 + 3) * (2 + 4)
    assert generalized[0] == pytest.approx(overlap[0] - (around - (24 + 12 - 8)) / around, abs=0.05)
