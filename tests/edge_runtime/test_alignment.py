"""Faces turned upright by their landmarks: the same face however it lies in the frame, and the box where landmarks are no help."""

import math
import tracemalloc

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from devices.base import Frame
from edge_runtime.detectors import Detection
from edge_runtime.errors import UsageError
from edge_runtime.geometry import Box, Landmarks, fit_similarity
from edge_runtime.live.pipeline import open_pipeline
from edge_runtime.pipeline import Recognizer, load
from edge_runtime.preprocess import NO_ALIGNMENT, SIMILARITY, TEMPLATE, Framing, align_face, crop_face, cut_face
from tests.live_world import Boxes, settings
from tests.support import TINY_COLOUR, TINY_GREY

FRAMING = Framing("width", 1.2)
FACE = cv2.GaussianBlur(np.random.default_rng(3).integers(0, 256, (192, 192, 3), np.uint8), (0, 0), 9)
FACE = cv2.normalize(FACE, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
"""Soft blots instead of a face, so that sampling between pixels changes little."""

places = st.lists(st.tuples(st.floats(-100, 100), st.floats(-100, 100)), min_size=4, max_size=4)


def landmarks_at(turn=1 + 0j, shift=0j, points=TEMPLATE):
    """The template's points, turned, scaled and moved as complex numbers."""
    moved = [turn * complex(*point) + shift for point in points.as_tuple()]
    return Landmarks(*((point.real, point.imag) for point in moved))


def frame_with(turned_deg, side, size=(640, 480), middle=(320, 240)):
    """`FACE`, `side` px large, turned clockwise about its middle in a frame, and its landmarks there."""
    turn = side * complex(math.cos(math.radians(turned_deg)), math.sin(math.radians(turned_deg)))
    shift = complex(*middle) - turn * complex(0.5, 0.5)
    step = turn / FACE.shape[0]
    # Pixels are counted from their middles there.
    start = shift - complex(0.5, 0.5) + step * complex(0.5, 0.5)
    matrix = np.array([[step.real, -step.imag, start.real], [step.imag, step.real, start.imag]])
    return cv2.warpAffine(FACE, matrix, size, flags=cv2.INTER_LINEAR), landmarks_at(turn, shift)


def difference(one, other):
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


@hypothesis_settings(deadline=None)
@given(places, st.floats(0.1, 20), st.floats(-3.1, 3.1), st.tuples(st.floats(-500, 500), st.floats(-500, 500)))
def test_a_similarity_is_found_from_points_that_it_has_moved(points, scale, angle, shift):
    spread = sum(abs(complex(*point) - sum(complex(*each) for each in points) / 4) ** 2 for point in points)
    turn = scale * complex(math.cos(angle), math.sin(angle))
    target = [turn * complex(*point) + complex(*shift) for point in points]
    fit = fit_similarity(points, [(point.real, point.imag) for point in target])
    if spread < 1:
        return
    assert fit.scale == pytest.approx(scale)
    assert abs(fit.turn - turn) < 1e-6 * scale
    assert abs(fit.shift - complex(*shift)) < 1e-6 * (1 + abs(complex(*shift)) + 100 * scale)
    assert fit.misfit < 1e-9


def test_points_that_are_no_figure_have_no_similarity_and_a_mirror_image_fits_badly():
    square = [(0, 0), (1, 0), (1, 1), (0, 1)]
    assert fit_similarity([(3, 3)] * 4, square) is None
    assert fit_similarity(square, [(3, 3)] * 4) is None
    assert fit_similarity([(0, 0), (0, 0), (0, 1e-90)], [(0, 0), (0, 0), (0, 1e-90)]) is None
    for huge in (1e200, 1.7e308):
        assert fit_similarity([(-huge, 0), (huge, huge)], [(0, 0), (1, 0)]) is None
    assert fit_similarity(square, [(0, 0), (math.nan, 0), (1, 1), (0, 1)]) is None
    assert fit_similarity(square, [(0, 0), (math.inf, 0), (1, 1), (0, 1)]) is None
    assert fit_similarity([(0, 0), (1, 0), (0, 2)], [(0, 0), (-1, 0), (0, 2)]).misfit > 0.3


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [48, 96])
@pytest.mark.parametrize(("turned_deg", "side"), [(0, 120), (-30, 120), (30, 120), (17, 60), (-90, 200), (10, 420)])
def test_a_face_looks_the_same_however_it_lies_in_the_frame(turned_deg, side, size, channels):
    image, landmarks = frame_with(turned_deg, side)
    upright = crop_face(FACE, Box(0, 0, 192, 192), size, channels)
    crop = align_face(image, landmarks, size, channels)
    assert (crop.shape, crop.dtype) == ((size, size, channels), np.uint8)
    inner = slice(size // 16, -size // 16)
    assert difference(crop[inner, inner], upright[inner, inner]) < 3


def test_a_face_that_lies_as_the_template_does_keeps_its_own_pixels():
    image = np.random.default_rng(4).integers(0, 256, (48, 48), np.uint8)
    assert np.array_equal(align_face(image, landmarks_at(48), 48, 1)[..., 0], image)


def test_grey_frames_are_aligned_as_colour_ones_are():
    image, landmarks = frame_with(20, 130)
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    assert np.array_equal(align_face(grey, landmarks, 48, 1), align_face(image, landmarks, 48, 1))
    assert np.array_equal(align_face(grey, landmarks, 48, 3), np.repeat(align_face(grey, landmarks, 48, 1), 3, axis=2))


def test_parts_outside_the_frame_repeat_its_border():
    image = np.full((100, 100), 50, np.uint8)
    image[:, 0] = 200
    crop = align_face(image, landmarks_at(80, complex(-20, 10)), 40, 1)
    assert (crop[:, :9] == 200).all()
    assert (crop[:, 12:] == 50).all()


def test_the_largest_face_costs_bounded_memory_and_is_read_like_a_small_one():
    grey = cv2.cvtColor(FACE, cv2.COLOR_BGR2GRAY)
    large = cv2.resize(grey, (4000, 4000), interpolation=cv2.INTER_LINEAR)
    tracemalloc.start()
    try:
        crop = align_face(large, landmarks_at(4000), 48, 1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert difference(crop, crop_face(grey, Box(0, 0, 192, 192), 48, 1)) < 3
    assert peak < large.nbytes / 4


def squeezed(across):
    """Landmarks of a face 100 px large whose right and left have come nearer, as those of a turned head do."""
    points = landmarks_at(100, complex(150, 150)).as_tuple()
    return Landmarks(*((200 + across * (x - 200), y) for x, y in points))


@pytest.mark.parametrize(
    "landmarks",
    [
        pytest.param(Landmarks(*[(200.0, 200.0)] * 5), id="one point"),
        pytest.param(Landmarks(*[(100.0 + step, 200.0) for step in range(5)]), id="one line"),
        pytest.param(squeezed(-1.0), id="mirrored"),
        pytest.param(squeezed(0.2), id="profile"),
        pytest.param(landmarks_at(7, 200 + 200j), id="a few pixels"),
        pytest.param(landmarks_at(100, -60 + 150j), id="an eye outside"),
        pytest.param(landmarks_at(100, 150 + 440j), id="the mouth outside"),
        pytest.param(Landmarks((math.nan, 1.0), (2.0, 1.0), (1.5, 1.5), (1.0, 2.0), (2.0, 2.0)), id="no number"),
    ],
)
def test_landmarks_that_do_not_say_how_a_face_lies_leave_it_to_the_box(landmarks):
    image, _ = frame_with(0, 120)
    box = Box(260, 180, 380, 300)
    assert align_face(image, landmarks, 48, 1) is None
    crop = cut_face(image, box, landmarks, FRAMING, 48, 1, SIMILARITY)
    assert np.array_equal(crop, crop_face(image, FRAMING.square(box), 48, 1))


def test_a_head_turned_by_half_a_right_angle_is_still_aligned():
    image, _ = frame_with(0, 120)
    assert align_face(image, squeezed(math.cos(math.radians(45))), 48, 1) is not None


@hypothesis_settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-50, 150), st.floats(-50, 150)), min_size=5, max_size=5),
    st.sampled_from([(1, 90), (90, 1), (64, 100)]),
)
def test_any_landmarks_give_a_crop_of_the_models_shape(points, shape):
    image = np.zeros((*shape, 3), np.uint8)
    crop = cut_face(image, Box(0, 0, 20, 20), Landmarks(*points), FRAMING, 48, 1, SIMILARITY)
    assert (crop.shape, crop.dtype) == ((48, 48, 1), np.uint8)


class Turned(Boxes):
    """Finds one face, with landmarks that are turned, or without any."""

    framing = FRAMING

    def __init__(self, landmarks):
        super().__init__(((260, 180, 380, 300),))
        self.landmarks = landmarks

    def detect(self, image):
        return [Detection(found.box, found.score, self.landmarks) for found in super().detect(image)]


@pytest.mark.parametrize("bundle", [TINY_GREY, TINY_COLOUR])
def test_without_alignment_or_landmarks_answers_are_those_of_the_box_to_the_last_bit(bundle):
    classifier = load(bundle).classifier
    facts = classifier.bundle.input
    image, landmarks = frame_with(25, 120)
    square = FRAMING.square(Box(260, 180, 380, 300))
    (expected,) = classifier.classify([crop_face(image, square, facts.size, facts.channels)])
    for each in (
        Recognizer(classifier, Turned(landmarks)),
        Recognizer(classifier, Turned(landmarks), NO_ALIGNMENT),
        Recognizer(classifier, Turned(None), SIMILARITY),
    ):
        assert list(each(image)[0].emotions.values()) == expected.tolist()
    (aligned,) = classifier.classify([align_face(image, landmarks, facts.size, facts.channels)])
    assert list(Recognizer(classifier, Turned(landmarks), SIMILARITY)(image)[0].emotions.values()) == aligned.tolist()


def test_a_live_run_aligns_as_predict_does_and_keeps_a_faces_landmarks_between_detections():
    image, landmarks = frame_with(25, 120)
    pipeline = open_pipeline(settings(detector__alignment="similarity", detector__every_frames=3), Turned(landmarks))
    expected = load(TINY_GREY).classifier.classify([align_face(image, landmarks, 48, 1)])[0]
    for index in range(4):
        (face,) = pipeline.see(Frame(image, 0.1 * index, index), 0.1 * index).faces
        assert face.probabilities.tolist() == expected.tolist()
        assert face.quality.pose.roll_deg == pytest.approx(25, abs=3)


def test_between_detections_landmarks_go_and_grow_with_their_face():
    class Walking(Turned):
        def detect(self, image):
            left, side = 200 + 10 * self.calls, 100 + 4 * self.calls
            self.boxes = ((left, 180, left + side, 180 + side),)
            self.landmarks = landmarks_at(side, complex(left, 180))
            return super().detect(image)

    image = cv2.resize(FACE, (640, 480))
    pipeline = open_pipeline(settings(detector__alignment="similarity", detector__every_frames=3), Walking(None))
    sights = [pipeline.see(Frame(image, 0.1 * index, index), 0.1 * index) for index in range(12)]
    found, later = sights[9].faces[0].box, sights[11].faces[0]
    assert later.box.left > found.left + 3
    assert later.box.width != found.width
    turn = complex(later.box.width, 0)
    crop = align_face(image, landmarks_at(turn, complex(later.box.left, later.box.top)), 48, 1)
    assert later.probabilities.tolist() == load(TINY_GREY).classifier.classify([crop])[0].tolist()
    assert later.quality.pose.yaw_deg == pytest.approx(sights[9].faces[0].quality.pose.yaw_deg, abs=0.5)


def test_an_unknown_alignment_is_refused_with_the_known_ones():
    with pytest.raises(UsageError, match="none, similarity"):
        load(TINY_GREY, alignment="affine")
