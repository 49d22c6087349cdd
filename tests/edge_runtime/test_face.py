import pytest

from edge_runtime.face import Face
from edge_runtime.geometry import Box, Landmarks

EMOTIONS = {"neutral": 0.1, "happiness": 0.7, "sadness": 0.2}


def test_as_fer_has_that_packages_shape_and_names():
    shape = Face(Box(10.4, 20.6, 60.4, 80.6), 0.9, "happiness", 0.7, EMOTIONS).as_fer()
    assert shape == {"box": [10, 21, 50, 60], "emotions": {"neutral": 0.1, "happy": 0.7, "sad": 0.2}}


def test_as_deepface_has_that_packages_shape_percentages_and_region():
    points = Landmarks((20.2, 40.0), (50.0, 40.0), (35, 50), (25, 65), (45, 65))
    shape = Face(Box(10, 20, 60, 80), 0.9, "happiness", 0.7, EMOTIONS, points).as_deepface()
    assert shape["dominant_emotion"] == "happy"
    assert sum(shape["emotion"].values()) == pytest.approx(100)
    assert shape["region"] == {"x": 10, "y": 20, "w": 50, "h": 60, "left_eye": (50, 40), "right_eye": (20, 40)}
    assert shape["face_confidence"] == 0.9


def test_as_deepface_without_landmarks_says_none():
    assert Face(Box(0, 0, 5, 5), 0.5, "happiness", 0.7, EMOTIONS).as_deepface()["region"]["left_eye"] is None
