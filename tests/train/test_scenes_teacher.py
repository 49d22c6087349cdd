"""The teacher's patience with a picture that is known to show a face. Its YuNet is a fake that finds drawn squares."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge_runtime.detectors import Detection
from edge_runtime.geometry import Box, Landmarks
from train.scenes import teacher
from train.scenes.teacher import SURE, Teacher

FIVE = ((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8))
"""Landmarks as shares of a box, the right eye first: it is to the left in the picture."""


class DrawnSquares:
    """Finds what is brighter than the ground, black; its score is the brightness."""

    def __init__(self, _path: str, score_threshold: float) -> None:
        self.least = score_threshold

    def detect(self, image: np.ndarray) -> list[Detection]:
        _, _, found, _ = cv2.connectedComponentsWithStats((image[..., 0] > 3).astype(np.uint8))
        detections = []
        for left, top, width, height, _ in found[1:].tolist():
            score = float(np.median(image[top : top + height, left : left + width])) / 255
            five = [(left + x * width, top + y * height) for x, y in FIVE]
            if score >= self.least:
                detections.append(Detection(Box(left, top, left + width, top + height), score, Landmarks(*five)))
        return detections


@pytest.fixture
def asked(monkeypatch, tmp_path) -> Teacher:
    monkeypatch.setattr(teacher, "YuNet", DrawnSquares)
    (tmp_path / "yunet.onnx").write_bytes(b"")
    return Teacher(tmp_path / "yunet.onnx")


def crop(*squares: tuple[int, int, int, int, float]) -> np.ndarray:
    image = np.zeros((48, 48, 3), np.uint8)
    for left, top, right, bottom, score in squares:
        image[top:bottom, left:right] = round(255 * score)
    return image


def test_a_face_that_no_look_is_sure_of_is_taught_where_it_is_known_to_be(asked):
    picture = crop((6, 12, 34, 44, 0.2))
    assert asked.one_face(picture) is None
    known = asked.known_face(picture)
    np.testing.assert_allclose(known.box, (6, 12, 34, 44), atol=0.6)
    expected = np.array([(6 + 28 * x, 12 + 32 * y) for x, y in FIVE])
    np.testing.assert_allclose(known.points, expected, atol=0.6)


def test_the_face_is_what_looks_speak_for_and_no_ear(asked):
    face, ear = (18, 8, 44, 44, 0.35), (2, 20, 14, 34, 0.9)
    assert asked.one_face(crop(face, ear)) is None  # two are not one
    np.testing.assert_allclose(asked.known_face(crop(face, ear)).box, face[:4], atol=0.6)
    other = (2, 4, 16, 44, 0.9)
    np.testing.assert_allclose(asked.known_face(crop(face, other)).box, other[:4], atol=0.6)


def test_what_is_hardly_seen_at_all_teaches_nothing(asked):
    assert asked.known_face(crop()) is None
    assert asked.known_face(crop((6, 12, 34, 44, 0.08))) is None


def test_of_a_face_that_is_sure_both_ways_agree(asked):
    picture = crop((6, 12, 34, 44, SURE + 0.1))
    np.testing.assert_allclose(asked.known_face(picture).box, asked.one_face(picture).box, atol=0.6)
