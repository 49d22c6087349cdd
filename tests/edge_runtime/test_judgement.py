"""How good a detector is: figures that were worked out by hand."""

import numpy as np
import pytest

from edge_runtime.detectors.decode import Found
from edge_runtime.framesets import Marks, average_precisions, judge, match
from edge_runtime.framesets.judgement import CURVE_POINTS, Curve


def marks(*boxes, ignored=(), known=True) -> Marks:
    array = np.float32(boxes).reshape(-1, 4)
    low, side = array[:, None, :2], (array[:, 2:] - array[:, :2])[:, None]
    shape = np.float32([(0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8)])
    points = low + side * shape if known else np.full((len(array), 5, 2), np.nan, np.float32)
    return Marks(array, points.astype(np.float32), np.float32(ignored).reshape(-1, 4))


def found(*rows, points=None) -> Found:
    table = np.float32(rows).reshape(-1, 5)
    places = np.zeros((len(table), 5, 2), np.float32) if points is None else points
    return Found(table[:, :4], table[:, 4], places)


def test_average_precision_by_hand():
    """Right at 0.9, false at 0.8, right at 0.7, of three faces: precision 1 and 2/3 at recalls 1/3 and 2/3."""
    there = [marks((0, 0, 20, 20), (50, 0, 70, 20)), marks((0, 0, 30, 30))]
    seen = [found((0, 0, 20, 20, 0.9), (100, 100, 130, 130, 0.8)), found((1, 1, 30, 30, 0.7))]
    result = judge(seen, there)
    assert (result.faces, result.pictures) == (3, 2)
    assert result.average_precision == pytest.approx(1 / 3 + 2 / 3 / 3)
    assert result.recall_at_one == pytest.approx(2 / 3)
    assert result.curve.false_a_picture.tolist() == [0, 0.5, 0.5]


def test_a_second_box_on_a_face_is_false_and_one_on_an_ignored_place_is_neither():
    there = [marks((0, 0, 20, 20), (50, 50, 58, 58), ignored=[(100, 0, 140, 40)])]
    seen = [found((0, 0, 20, 20, 0.9), (1, 0, 20, 20, 0.8), (105, 5, 120, 20, 0.95), (50, 50, 58, 58, 0.99))]
    result = judge(seen, there, smallest_px=10)
    assert result.faces == 1
    assert result.curve.scores == pytest.approx([0.9, 0.8])
    assert result.average_precision == 1
    assert result.curve.precision.tolist() == [1, 0.5]


def test_landmark_error_is_a_share_of_the_eyes_distance():
    there = marks((0, 0, 40, 40))
    seen = found((0, 0, 40, 40, 0.9), points=there.points + np.float32([0, 1.6]))
    assert judge([seen], [there]).landmark_error == pytest.approx(0.1)
    assert judge([found((0, 0, 40, 40, 0.9))], [marks((0, 0, 40, 40), known=False)]).landmark_error is None


def test_nothing_found_and_nothing_there_are_figures_too():
    nothing = found()
    assert judge([nothing], [marks((0, 0, 20, 20))]).average_precision == 0
    assert judge([nothing], [Marks.none()]).faces == 0


def test_boxes_of_one_score_are_one_point_in_whatever_order_their_pictures_come():
    """An int8 net has 256 scores: between equal ones no threshold chooses."""
    right, false = (found((0, 0, 20, 20, 0.5)), marks((0, 0, 20, 20))), (found((50, 50, 70, 70, 0.5)), Marks.none())
    for pair in ((right, false), (false, right)):
        result = judge([seen for seen, _ in pair], [there for _, there in pair])
        assert result.average_precision == pytest.approx(0.5)
        assert result.curve.precision.tolist() == [0.5]


def test_landmarks_of_a_face_too_small_to_count_do_not_count():
    there = [marks((0, 0, 40, 40), (60, 60, 68, 68))]
    seen = found((0, 0, 40, 40, 0.9), (60, 60, 68, 68, 0.9), points=there[0].points + np.float32([0, 1.6]))
    assert judge([seen], there, smallest_px=10).landmark_error == pytest.approx(0.1)
    assert match([seen], there, smallest_px=10).face_scores == pytest.approx([0.9])


def test_resampled_pictures_are_judged_as_if_they_stood_there_so_often():
    random = np.random.default_rng(1)
    there = [
        marks(*[(x, y, x + 20, y + 20) for x, y in ((0, 0), (40, 0), (80, 0))[: 1 + index % 3]]) for index in range(6)
    ]
    seen = []
    for each in there:
        scores = random.random(len(each) + 1).astype(np.float32)
        boxes = np.concatenate([each.boxes + random.integers(-8, 9, (len(each), 1)), np.float32([[0, 60, 20, 80]])])
        seen.append(Found(boxes.astype(np.float32), scores, np.zeros((len(boxes), 5, 2), np.float32)))
    drawn = np.array([[1] * 6, [2, 0, 1, 0, 3, 0], [0, 0, 0, 0, 0, 6]])
    expected = []
    for counts in drawn.tolist():
        rows = [row for row, count in enumerate(counts) for _ in range(count)]
        expected.append(judge([seen[row] for row in rows], [there[row] for row in rows]).average_precision)
    assert average_precisions(match(seen, there), drawn) == pytest.approx(expected)
    assert 0 < expected[1] < 1


def test_a_written_curve_has_a_point_every_half_percent_of_the_score_however_many_boxes_are_unsure():
    sure, unsure = np.linspace(0.99, 0.2, 300), np.linspace(0.2, 0.02, 30_000)[1:]
    scores = np.concatenate([sure, unsure])
    rising = np.linspace(0, 1, len(scores))
    table = Curve(scores, rising, 1 - rising, rising).as_table()
    kept = np.array(table["scores"])
    assert len(kept) <= CURVE_POINTS
    assert (np.diff(kept) < 0).all()
    assert -np.diff(kept).min() <= 0.0051 + (sure[0] - sure[1])
    assert (kept[0], kept[-1]) == (0.99, 0.02)
    assert Curve(*(np.zeros(0),) * 4).as_table() == {name: [] for name in table}
