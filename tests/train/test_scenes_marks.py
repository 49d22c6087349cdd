"""Marks move with their picture, and what is doubtful is ignored."""

import numpy as np
import pytest

from edge_runtime.detectors.decode import overlaps
from edge_runtime.framesets.marks import Marks
from train.scenes.view import View


def one_face(box=(10, 20, 50, 70), ignored=()) -> Marks:
    left, top, right, bottom = box
    x, y = (left + right) / 2, (top + bottom) / 2
    points = [(x - 8, y - 8), (x + 8, y - 8), (x, y), (x - 6, y + 10), (x + 6, y + 10)]
    return Marks(np.float32([box]), np.float32([points]), np.float32(ignored).reshape(-1, 4))


def test_a_mirrored_face_keeps_its_right_eye_on_the_left_of_the_picture():
    mirrored = one_face().moved(np.array([[-1.0, 0, 100], [0, 1, 0]]))
    assert mirrored.boxes[0] == pytest.approx([50, 20, 90, 70])
    right_eye, left_eye = mirrored.points[0, :2]
    assert right_eye[0] < left_eye[0]
    assert mirrored.points[0, 3, 0] < mirrored.points[0, 4, 0]


def test_a_turned_face_has_the_box_of_the_ellipse_in_its_old_one():
    quarter = one_face((10, 20, 50, 80)).moved(np.array([[0.0, -1, 0], [1, 0, 0]]))
    assert quarter.boxes[0] == pytest.approx([-80, 10, -20, 50], abs=1e-4)
    angle = np.deg2rad(30)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0]])
    circle = one_face((-20, -20, 20, 20)).moved(turn)
    assert circle.boxes[0] == pytest.approx([-20, -20, 20, 20], abs=1e-4)


def test_faces_cut_in_half_or_too_small_are_ignored_and_those_outside_are_gone():
    marks = one_face((-30, 0, 20, 50)).plus(one_face((60, 60, 64, 65))).plus(one_face((200, 0, 240, 50)))
    kept = marks.plus(one_face((-10, 10, 50, 60))).within(100, 80, smallest_px=8)
    assert kept.boxes.tolist() == [[-10, 10, 50, 60]]
    assert kept.ignored.tolist() == [[-30, 0, 20, 50], [60, 60, 64, 65]]


def test_overlaps_are_intersections_over_unions_or_over_the_smaller():
    a, b = np.float32([[0, 0, 10, 10]]), np.float32([[5, 0, 15, 10], [2, 2, 4, 4], [20, 0, 30, 10], [0, 0, 0, 0]])
    assert overlaps(a, b)[0] == pytest.approx([1 / 3, 0.04, 0, 0])
    assert overlaps(a, b, of_smaller=True)[0] == pytest.approx([0.5, 1, 0, 0])


def test_a_views_marks_lie_where_its_pixels_do():
    """A white square in black is found by its pixels where its box was moved to."""
    picture = np.zeros((120, 160), np.uint8)
    picture[40:60, 70:90] = 255
    square = one_face((70, 40, 90, 60))
    for seed in (0, 2, 3, 4, 5):  # with 1 it is cut by the border
        view = View.draw(picture.shape, square.boxes[0], 1.7, (96, 64), np.random.default_rng(seed))
        seen = view.of(picture)
        rows, columns = np.nonzero(seen > 128)
        left, top, right, bottom = view.marks(square).boxes[0]
        assert (columns.mean() + 0.5, rows.mean() + 0.5) == pytest.approx(
            ((left + right) / 2, (top + bottom) / 2), abs=0.7
        )


def test_people_seen_again_in_the_mirror_beyond_the_border_are_ignored():
    picture = np.zeros((120, 160), np.uint8)
    view = View(np.array([[1.0, 0, 40], [0, 1, 0]]), picture.shape, (96, 64))  # 40 px of mirror on the left
    seen = view.marks(one_face((0, 10, 20, 40)))
    assert seen.boxes.tolist() == [[40, 10, 60, 40]]
    assert [20, 10, 40, 40] in seen.ignored.tolist()
