import cv2
import numpy as np
import pytest

import edge_runtime
from edge_runtime.errors import UsageError
from tests.support import TINY_COLOUR, TINY_GREY


@pytest.fixture(scope="module")
def recognizer():
    return edge_runtime.load(TINY_GREY)


def portrait():
    return cv2.imread(str(edge_runtime.DEMO_PICTURE))


def test_probabilities_sum_to_one_and_the_label_is_the_largest(recognizer):
    (face,) = recognizer(portrait())
    assert sum(face.emotions.values()) == pytest.approx(1, abs=0.02)
    assert face.emotions[face.label] == face.score == max(face.emotions.values())
    assert tuple(face.emotions) == recognizer.bundle.labels.names


def test_a_picture_gives_the_same_answer_twice_and_is_left_unchanged(recognizer):
    image = portrait()
    before = image.copy()
    assert recognizer(image) == recognizer(image)
    assert np.array_equal(image, before)


def test_grey_and_colour_pictures_and_bundles_go_together():
    grey = cv2.cvtColor(portrait(), cv2.COLOR_BGR2GRAY)
    for bundle in (TINY_GREY, TINY_COLOUR):
        recognizer = edge_runtime.load(bundle)
        assert len(recognizer(portrait())) == 1
        assert len(recognizer(grey)) == 1


def test_picture_without_a_face_has_no_faces(recognizer):
    assert recognizer(np.zeros((240, 320, 3), np.uint8)) == []


@pytest.mark.parametrize(
    "image",
    [
        "photo.jpg",
        None,
        np.zeros((10, 10, 4), np.uint8),
        np.zeros((10, 10, 3), np.float32),
        np.zeros((0, 10, 3), np.uint8),
        np.zeros((2, 10, 10, 3), np.uint8),
    ],
)
def test_anything_but_a_bgr_or_grey_array_is_refused_with_what_to_do(recognizer, image):
    with pytest.raises(UsageError, match="BGR uint8"):
        recognizer(image)


def test_stage_times_are_positive_and_add_up_to_less_than_a_second(recognizer):
    _, times = recognizer.timed(portrait())
    assert times.crop_s + times.classify_s > 0
    assert 0 < times.detect_s < 5
