"""Looking for faces where they were, and all over every few frames, with a detector that sees bright squares."""

import cv2
import numpy as np
import pytest

from devices.base import Frame
from edge_runtime.detectors import Detection
from edge_runtime.detectors.regions import CLOSE_UP_PX, MOST_REGIONS, NOWHERE, REGIONS, WHOLE, RegionSearch
from edge_runtime.errors import DetectorError
from edge_runtime.geometry import Box, Landmarks, iou
from edge_runtime.live.pipeline import open_pipeline
from edge_runtime.preprocess import Framing
from tests.live_world import settings

SIZE = (640, 480)


class Squares:
    """Finds bright squares of at least `least_px` in the pictures that it is given, and remembers how large those were.

    Its landmarks are the square's corners and its middle.
    """

    name = "squares"
    framing = Framing("width", 1.0)

    def __init__(self, least_px=4):
        self.least_px, self.sizes, self.left_out = least_px, [], 0

    def detect(self, image):
        self.sizes.append(image.shape[1::-1])
        bright = (image[..., 0] > 127).astype(np.uint8)
        _, _, rows, _ = cv2.connectedComponentsWithStats(bright)
        found = []
        for left, top, width, height, _ in rows[1:].tolist():
            if min(width, height) >= self.least_px:
                right, bottom = left + width, top + height
                middle = ((left + right) / 2, (top + bottom) / 2)
                points = Landmarks((left, top), (right, top), middle, (left, bottom), (right, bottom))
                found.append(Detection(Box(left, top, right, bottom), 0.9, points))
        return sorted(found, key=lambda each: -each.box.area)

    @property
    def looked_px(self):
        return sum(width * height for width, height in self.sizes)


def scene(*boxes, size=SIZE):
    image = np.zeros((size[1], size[0], 3), np.uint8)
    for left, top, right, bottom in boxes:
        image[max(0, top) : bottom, max(0, left) : right] = 255
    return image


def near(found, *boxes, within=0.8):
    """Whether exactly these were found, largest first."""
    return len(found) == len(boxes) and all(
        iou(each.box, Box(*box)) > within for each, box in zip(found, boxes, strict=True)
    )


def started(detector, image, expected, scan_every=5):
    """A search that has just gone over the whole of `image`."""
    search = RegionSearch(detector, scan_every=scan_every)
    search.find(image, expected)
    assert search.searched == WHOLE
    detector.sizes.clear()
    return search


def test_a_known_face_is_found_about_its_place_and_fewer_pixels_are_looked_at():
    face, detector = (300, 200, 380, 280), Squares()
    search = started(detector, scene(face), [Box(*face)])
    moved = (310, 204, 390, 284)
    found = search.find(scene(moved), [Box(*face)])
    assert search.searched == REGIONS
    assert near(found, moved)
    assert search.looked_px == detector.looked_px <= CLOSE_UP_PX**2 < SIZE[0] * SIZE[1] / 10


def test_a_detector_with_a_small_input_scales_close_ups_itself_and_one_with_a_large_input_is_given_small_ones():
    face = (100, 60, 420, 380)
    for input_size, longest in (((160, 128), SIZE[0]), ((320, 256), CLOSE_UP_PX), (None, CLOSE_UP_PX)):
        detector = Squares()
        if input_size is not None:
            detector.input_size = input_size
        search = started(detector, scene(face), [Box(*face)])
        (found,) = search.find(scene(face), [Box(*face)])
        assert found.box.as_tuple() == pytest.approx(face, abs=8)
        assert [max(size) for size in detector.sizes] == [longest]


def test_close_ups_are_searched_by_the_detectors_own_of_half_the_size_where_none_is_named():
    face, detector, half, named = (300, 200, 380, 280), Squares(), Squares(), Squares()
    detector.half = half
    started(detector, scene(face), [Box(*face)]).find(scene(face), [Box(*face)])
    assert (len(detector.sizes), len(half.sizes)) == (0, 1)
    assert RegionSearch(detector, named).close_up is named
    assert RegionSearch(half).close_up is half


def test_boxes_and_landmarks_of_a_close_up_are_in_pixels_of_the_frame():
    face = (100, 60, 420, 380)
    search = started(Squares(), scene(face), [Box(*face)])
    (found,) = search.find(scene(face), [Box(*face)])
    assert found.box.as_tuple() == pytest.approx(face, abs=8)
    assert found.landmarks.nose == pytest.approx((260, 220), abs=5)
    assert found.landmarks.left_mouth == pytest.approx((420, 380), abs=8)


def test_a_face_that_enters_is_found_by_the_next_search_of_the_whole_frame():
    known, new = (100, 100, 180, 180), (500, 300, 570, 370)
    search = started(Squares(), scene(known), [Box(*known)], scan_every=3)
    seen = [(search.find(scene(known, new), [Box(*known)]), search.searched) for _ in range(3)]
    assert [searched for _, searched in seen] == [REGIONS, REGIONS, WHOLE]
    assert [len(found) for found, _ in seen] == [1, 1, 2]
    assert near(seen[2][0], known, new)


def test_with_nobody_known_every_search_goes_over_the_whole_frame():
    detector = Squares()
    search = RegionSearch(detector, scan_every=10)
    for _ in range(3):
        assert search.find(scene(), []) == []
        assert search.searched == WHOLE
    gone = Box(700, 100, 780, 180)
    search.find(scene(), [gone])
    assert search.searched == WHOLE, "a face that has left the frame has no place in it"
    assert detector.sizes == [SIZE] * 4


@pytest.mark.parametrize(
    "face",
    [(0, 0, 80, 80), (560, 400, 640, 480), (-30, 200, 50, 280), (600, 440, 660, 500), (300, -20, 380, 60)],
)
def test_a_face_at_the_border_or_cut_by_it_is_found_about_its_place(face):
    image = scene(face)
    seen = Squares().detect(image)[0].box
    detector = Squares()
    search = started(detector, image, [seen])
    (found,) = search.find(image, [Box(*face)])
    assert search.searched == REGIONS
    assert iou(found.box, seen) > 0.8
    assert all(width <= CLOSE_UP_PX and height <= CLOSE_UP_PX for width, height in detector.sizes)


def test_a_face_that_a_close_up_cuts_is_left_to_its_own():
    """Half a neighbour at the edge of a close-up would be a small face that is not there."""
    one, other = (200, 200, 260, 260), (270, 180, 370, 280)
    search = started(Squares(), scene(one, other), [Box(*one), Box(*other)])
    assert near(search.find(scene(one, other), [Box(*one)]), one)


def test_after_a_known_face_was_not_found_the_whole_frame_is_searched():
    face, jumped = (100, 100, 180, 180), (450, 300, 530, 380)
    search = started(Squares(), scene(face), [Box(*face)], scan_every=60)
    assert search.find(scene(jumped), [Box(*face)]) == []
    assert near(search.find(scene(jumped), [Box(*face)]), jumped)
    assert search.searched == WHOLE


def test_neighbours_share_a_close_up_and_each_is_given_once():
    faces = [(200, 200, 260, 260), (265, 200, 325, 260)]
    detector = Squares()
    search = started(detector, scene(*faces), [Box(*face) for face in faces])
    found = search.find(scene(*faces), [Box(*face) for face in faces])
    assert (search.searched, len(detector.sizes)) == (REGIONS, 1)
    assert sorted(each.box.center for each in found) == [
        pytest.approx((230, 230), abs=2),
        pytest.approx((295, 230), abs=2),
    ]


def test_more_known_faces_than_close_ups_pay_for_are_looked_for_all_over():
    faces = [(60 * index + 5, 100, 60 * index + 45, 140) for index in range(MOST_REGIONS + 1)]
    detector = Squares()
    search = started(detector, scene(*faces), [Box(*face) for face in faces], scan_every=60)
    assert len(search.find(scene(*faces), [Box(*face) for face in faces])) == len(faces)
    assert (search.searched, detector.sizes) == (WHOLE, [SIZE])


def test_a_face_too_small_for_the_whole_frame_does_not_come_and_go():
    """The whole is searched in a picture of a quarter of the pixels; close-ups come from the large one."""
    face = (300, 200, 316, 216)
    image = scene(face)
    small = np.ascontiguousarray(image[::4, ::4])
    search = RegionSearch(Squares(least_px=8), scan_every=2)
    assert search.find(image, [], small) == []
    for searched in (REGIONS, WHOLE, REGIONS, WHOLE):
        assert near(search.find(image, [Box(*face)], small), face)
        assert search.searched == searched


def test_where_every_search_goes_over_the_whole_the_answer_is_the_detectors_own():
    faces = [(100, 100, 180, 180), (300, 200, 340, 240)]
    detector = Squares()
    detector.left_out = 7
    search = RegionSearch(detector)
    known = [*(Box(*face) for face in faces), Box(500, 300, 560, 360)]
    for _ in range(3):
        assert search.find(scene(*faces), known) == Squares().detect(scene(*faces))
    assert (detector.sizes, search.left_out) == ([SIZE] * 3, 7)


def test_close_ups_may_have_a_detector_of_their_own_that_frames_faces_alike():
    face, large, small = (300, 200, 380, 280), Squares(), Squares()
    search = RegionSearch(large, small, scan_every=2)
    search.find(scene(face), [Box(*face)])
    assert near(search.find(scene(face), [Box(*face)]), face)
    assert (len(large.sizes), len(small.sizes)) == (1, 1)
    small.framing = Framing("height", 1.2)
    with pytest.raises(DetectorError, match="bundles of one detector"):
        RegionSearch(large, small, scan_every=2)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (3, 2), (6000, 4000)])
def test_pictures_of_any_shape_are_looked_at(size):
    image = scene((0, 0, *size), size=size)
    search = RegionSearch(Squares(least_px=1), scan_every=3)
    for searched in (WHOLE, REGIONS):
        assert len(search.find(image, [Box(0, 0, *size)])) == 1
        assert search.searched == searched


def test_a_live_run_says_which_frames_were_searched_all_over_and_keeps_the_track():
    detector = Squares()
    config = settings(detector__scan_every=4, detector__every_frames=2)
    pipeline = open_pipeline(config, detector)
    sights = []
    for index in range(16):
        left = 100 + 6 * index
        sights.append(pipeline.see(Frame(scene((left, 100, left + 80, 180)), 0.1 * index, index), 0.1 * index))
    assert [sight.searched for sight in sights[::2]] == [WHOLE, REGIONS, REGIONS, REGIONS] * 2
    assert {sight.searched for sight in sights[1::2]} == {NOWHERE}
    assert {face.tracked.track for sight in sights for face in sight.faces} == {1}
    assert all(len(sight.faces) == 1 for sight in sights)
    pipeline.forget()
    assert pipeline.see(Frame(scene(), 9.0, 99), 9.0).searched == WHOLE
