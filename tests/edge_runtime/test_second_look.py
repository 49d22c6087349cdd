"""A second look, closer or mirrored: what is a face twice is one, with the landmarks of the better look or of both; what is one only once is not."""

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


class Second:
    """Answers each close-up with what lies wholly in it, at other scores; it knows where it is by the frame's colours.

    A mirrored frame is answered with what the frame shows, mirrored.
    """

    def __init__(self, *rows):
        self.rows, self.looks, self.mirrored = rows, [], 0

    def __call__(self, image, threshold):
        height, width = image.shape[:2]
        at = _place(image)
        if at is None:
            assert _place(image[:, ::-1]) == (0, 0)
            self.mirrored += 1
            return self._within(0, 0, width, height, threshold).mirrored(width)
        self.looks.append((*at, width, height))
        return self._within(*at, width, height, threshold)

    def _within(self, left, top, width, height, threshold):
        inside = [
            (x - left, y - top, side, score)
            for x, y, side, score in self.rows
            if left <= x and top <= y and x + side <= left + width and y + side <= top + height and score >= threshold
        ]
        return found(*inside)


def _place(image):
    height, width = image.shape[:2]
    corners = np.argwhere((FRAME[: 513 - height, : 641 - width] == image[0, 0]).all(axis=2))
    places = ((int(x), int(y)) for y, x in corners)
    return next((at for at in places if np.array_equal(FRAME[at[1] :, at[0] :][:height, :width], image)), None)


def faces(first, look, image=FRAME):
    return confirmed(image, first, look, SIZE, second_look=0.5, overlap=0.4)


def test_what_both_looks_see_is_a_face_as_the_close_up_shows_it_with_the_mean_of_both_scores():
    look = Second((102, 98, 41, 0.9))
    kept = faces(found((100, 100, 40, 0.4)), look)
    assert kept.boxes.tolist() == [[102, 98, 143, 139]]
    assert kept.scores == pytest.approx([0.65])
    assert kept.points[0, 0].tolist() == [102, 98]
    assert [each[2:] for each in look.looks] == [SIZE]


def test_a_sure_find_needs_no_second_look():
    look = Second()
    kept = faces(found((100, 100, 40, SURE), (300, 300, 40, SURE - 0.01)), look)
    assert kept.boxes[:, 0].tolist() == [100]
    assert kept.scores == pytest.approx([SURE])
    assert len(look.looks) == 1


@pytest.mark.parametrize("second_look", [SURE - 0.05, SURE + 0.15])
def test_a_sure_find_stays_however_much_both_looks_must_say_of_a_doubtful_one(second_look):
    look = Second()
    kept = confirmed(FRAME, found((100, 100, 300, SURE + 0.01)), look, SIZE, second_look=second_look, overlap=0.4)
    assert kept.scores == pytest.approx([SURE + 0.01])
    assert (look.looks, look.mirrored) == ([], 0)


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
    assert not len(faces(found((100, 100, 40, 0.66)), Second(*rows))), why


def test_a_face_that_no_close_up_can_show_larger_is_looked_at_mirrored_and_is_where_both_looks_see_it():
    look = Second((110, 96, 300, 0.52), (400, 300, 100, 0.9))
    kept = faces(found((100, 100, 300, 0.58), (10, 10, 260, 0.59)), look)
    assert kept.scores == pytest.approx([0.55])
    assert kept.boxes.tolist() == [[105, 98, 405, 398]]
    assert kept.points[0].tolist() == [[105, 98]] * 5
    assert (look.looks, look.mirrored) == ([], 1)


def test_where_there_is_a_look_at_half_the_scale_large_faces_are_confirmed_by_it_and_small_ones_at_their_own():
    small = FRAME[:256, :320]
    first = found((20, 20, 100, 0.55), (200, 20, 31, 0.55))
    own, half = Second((200, 20, 31, 0.55)), Second((20, 20, 100, 0.55))
    kept = confirmed(small, first, own, SIZE, second_look=0.5, overlap=0.4, half_look=half)
    assert sorted(kept.boxes[:, 0].tolist()) == [20, 200]
    assert (own.mirrored, half.mirrored) == (1, 1)
    large = confirmed(FRAME, found((20, 20, 200, 0.55)), own, SIZE, 0.5, 0.4, half_look=half)
    assert (len(large), own.mirrored, half.mirrored) == (0, 1, 2)
    confirmed(FRAME[:128, :160], found((20, 20, 20, 0.55)), own, SIZE, 0.5, 0.4, half_look=half)
    assert (own.mirrored, half.mirrored) == (1, 3), "20 px of a frame that is shown twice as large"


def test_left_and_right_change_places_in_a_mirrored_look():
    eyes = np.array([[[10, 20], [40, 21], [25, 30], [12, 50], [38, 51]]], np.float32)
    seen = Found(np.array([[5, 5, 45, 60]], np.float32), np.ones(1, np.float32), eyes).mirrored(100)
    assert seen.boxes.tolist() == [[55, 5, 95, 60]]
    assert seen.points[0].tolist() == [[60, 21], [90, 20], [75, 30], [62, 51], [88, 50]]
    assert seen.mirrored(100).points.tolist() == eyes.tolist()


def test_a_frame_of_the_inputs_own_size_is_looked_at_mirrored_only_where_a_find_is_doubtful():
    small = FRAME[:256, :320]
    look = Second((100, 100, 40, 0.5), (10, 10, 40, 0.4))
    kept = faces(found((100, 100, 40, 0.51), (10, 10, 40, 0.5), (200, 200, 40, 0.61)), look, small)
    assert sorted(kept.boxes[:, 0].tolist()) == [100, 200]
    assert look.mirrored == 1
    clear = Second((10, 10, 40, 0.9))
    assert len(faces(found((200, 200, 40, 0.61), (10, 10, 40, 0.39)), clear, small)) == 1
    assert (clear.looks, clear.mirrored) == ([], 0)


def test_one_close_up_serves_all_that_it_shows_with_room_around_them():
    rows = [(100, 100, 40, 0.7), (180, 120, 40, 0.6), (500, 400, 40, 0.65)]
    look = Second(*rows)
    assert len(faces(found(*rows), look)) == 3
    assert len(look.looks) == 2


@pytest.mark.parametrize(
    ("half", "most", "part"), [(False, MOST_LOOKS, (256, 320, 3)), (True, 2 * MOST_LOOKS, (128, 160, 3))]
)
def test_close_ups_are_bounded_and_what_they_do_not_reach_is_looked_for_in_the_mirrored_frame(half, most, part):
    wide = np.zeros((300, 8000, 3), np.uint8)
    rows = [(400 * at + 10, 100, 40, 0.74 - 0.01 * at) for at in range(18)]
    looks = []

    def only_whole(image, threshold):
        looks.append(image.shape)
        return found(*rows).mirrored(8000) if image.shape == wide.shape else found()

    kept = confirmed(wide, found(*rows), only_whole, SIZE, 0.5, 0.4, half_look=only_whole if half else None)
    assert looks == [part] * most + [wide.shape]
    assert kept.scores == pytest.approx([score for *_, score in rows[most:]])


def test_close_ups_are_looked_at_in_half_the_size_where_that_shows_the_face_larger_than_the_frame_did():
    rows = (100, 100, 40, 0.7), (250, 250, 71, 0.65), (400, 100, 72, 0.6)
    own, half = Second(*rows), Second(*rows)
    kept = confirmed(FRAME, found(*rows), own, SIZE, second_look=0.5, overlap=0.4, half_look=half)
    assert sorted(kept.boxes[:, 0].tolist()) == [100, 250, 400]
    assert [each[2:] for each in half.looks] == [(160, 128), (266, 213)]
    assert [each[2:] for each in own.looks] == [SIZE], "in half the size it would be hardly larger"


def test_two_finds_of_one_face_are_one():
    look = Second((100, 100, 40, 0.9))
    assert len(faces(found((96, 100, 40, 0.6), (106, 100, 40, 0.5)), look)) == 1


def test_a_part_at_the_frames_border_stays_within_the_frame():
    for at in ((0, 0), (600, 472)):
        look = Second((*at, 40, 0.7))
        assert len(faces(found((*at, 40, 0.7)), look)) == 1
        left, top, width, height = look.looks[0]
        assert (width, height) == SIZE
        assert 0 <= left <= 640 - width
        assert 0 <= top <= 512 - height


def test_what_is_doubtful_could_become_a_face_by_a_sure_close_up():
    assert doubtful_from(0.5) == pytest.approx(0.3)
    assert doubtful_from(0.1) == pytest.approx(0.02)
