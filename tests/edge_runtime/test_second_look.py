"""A second, closer look: what is a face twice is one, with the close-up's box and landmarks; what is one only once is not."""

import numpy as np
import pytest

from edge_runtime.detectors.decode import Found
from edge_runtime.detectors.second_look import MOST_LOOKS, SURE, confirmed, doubtful_from

SIZE = (320, 256)
FRAME = np.zeros((512, 640, 3), np.uint8)
FRAME[..., 0] = np.arange(640, dtype=np.uint32)[None] % 251
FRAME[..., 1] = np.arange(512, dtype=np.uint32)[:, None] % 241
FRAME[..., 2] = np.arange(640, dtype=np.uint32)[None] // 251 * 16 + np.arange(512, dtype=np.uint32)[:, None] // 241


def found(*rows):
    """(left, top, side, score): with all landmarks in the upper left corner."""
    table = np.array(rows, np.float32).reshape(-1, 4)
    boxes = np.concatenate([table[:, :2], table[:, :2] + table[:, 2:3]], axis=1)
    return Found(boxes, table[:, 3], np.repeat(table[:, None, :2], 5, axis=1))


class Closer:
    """Answers each close-up with what lies wholly in it, at other scores; it knows where it is by the frame's colours."""

    def __init__(self, *rows):
        self.rows, self.looks = rows, []

    def __call__(self, image, threshold):
        height, width = image.shape[:2]
        (left, top) = next(
            (x, y)
            for y in range(512 - height + 1)
            for x in range(640 - width + 1)
            if np.array_equal(FRAME[y, x], image[0, 0]) and np.array_equal(FRAME[y : y + height, x : x + width], image)
        )
        self.looks.append((left, top, width, height))
        inside = [
            (x - left, y - top, side, score)
            for x, y, side, score in self.rows
            if left <= x and top <= y and x + side <= left + width and y + side <= top + height and score >= threshold
        ]
        return found(*inside)


def faces(first, look, image=FRAME):
    return confirmed(image, first, look, SIZE, threshold=0.6, second_look=0.5, overlap=0.4)


def test_what_both_looks_see_is_a_face_as_the_close_up_shows_it_with_the_mean_of_both_scores():
    look = Closer((102, 98, 41, 0.9))
    kept = faces(found((100, 100, 40, 0.4)), look)
    assert kept.boxes.tolist() == [[102, 98, 143, 139]]
    assert kept.scores == pytest.approx([0.65])
    assert kept.points[0, 0].tolist() == [102, 98]
    assert [each[2:] for each in look.looks] == [SIZE]


def test_a_sure_find_needs_no_second_look():
    look = Closer()
    kept = faces(found((100, 100, 40, SURE), (300, 300, 40, SURE - 0.01)), look)
    assert kept.boxes[:, 0].tolist() == [100]
    assert kept.scores == pytest.approx([SURE])
    assert len(look.looks) == 1


@pytest.mark.parametrize(
    ("closer", "why"),
    [
        ((), "nothing is there"),
        ((100, 100, 40, 0.32), "the mean is too low"),
        ((200, 100, 40, 0.99), "it is elsewhere"),
    ],
)
def test_what_the_close_up_does_not_confirm_is_dropped_however_sure_the_first_look_was(closer, why):
    rows = [closer] if closer else []
    assert not len(faces(found((100, 100, 40, 0.66)), Closer(*rows))), why


def test_a_face_that_no_close_up_can_show_larger_is_judged_by_the_first_look_alone():
    look = Closer()
    kept = faces(found((100, 100, 300, 0.61), (60, 60, 300, 0.59)), look)
    assert kept.scores == pytest.approx([0.61])
    assert not look.looks


def test_a_frame_of_the_inputs_own_size_is_looked_at_once():
    look = Closer()
    small = FRAME[:256, :320]
    assert len(faces(found((100, 100, 40, 0.61), (10, 10, 40, 0.5)), look, small)) == 1
    assert not look.looks


def test_one_close_up_serves_all_that_it_shows_with_room_around_them():
    rows = [(100, 100, 40, 0.7), (180, 120, 40, 0.6), (500, 400, 40, 0.65)]
    look = Closer(*rows)
    assert len(faces(found(*rows), look)) == 3
    assert len(look.looks) == 2


def test_close_ups_are_bounded_and_what_they_do_not_reach_is_judged_by_the_first_look_alone():
    wide = np.zeros((300, 8000, 3), np.uint8)
    rows = [(400 * at + 10, 100, 40, 0.74 - 0.01 * at) for at in range(18)]
    looks = []

    def nothing(image, threshold):
        looks.append(image.shape)
        return found()

    kept = faces(found(*rows), nothing, wide)
    assert len(looks) == MOST_LOOKS == 8
    assert kept.scores == pytest.approx([score for *_, score in rows[MOST_LOOKS:] if score >= 0.6])


def test_two_finds_of_one_face_are_one():
    look = Closer((100, 100, 40, 0.9))
    assert len(faces(found((96, 100, 40, 0.6), (106, 100, 40, 0.5)), look)) == 1


def test_a_part_at_the_frames_border_stays_within_the_frame():
    for at in ((0, 0), (600, 472)):
        look = Closer((*at, 40, 0.7))
        assert len(faces(found((*at, 40, 0.7)), look)) == 1
        left, top, width, height = look.looks[0]
        assert (width, height) == SIZE
        assert 0 <= left <= 640 - width
        assert 0 <= top <= 512 - height


def test_what_is_doubtful_could_become_a_face_by_a_sure_close_up():
    assert doubtful_from(0.5) == pytest.approx(0.3)
    assert doubtful_from(0.1) == pytest.approx(0.02)
