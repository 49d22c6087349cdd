"""Faces that cannot be judged are told from those that can, and why."""

import math

import cv2
import numpy as np
import pytest

import edge_runtime
from edge_runtime.detectors import open_detector
from edge_runtime.geometry import Box, Landmarks
from edge_runtime.live.quality import _MODEL, BLURRED, SMALL, TILTED, TURNED, assess, pose_of, sharpness_of
from edge_runtime.preprocess import crop_face
from edge_runtime.settings.deciding import MOST_PITCH_DEG, MOST_ROLL_DEG, MOST_YAW_DEG, QualitySettings

BIG = Box(0, 0, 100, 120)


@pytest.fixture(scope="module")
def portrait():
    return cv2.imread(str(edge_runtime.DEMO_PICTURE))


@pytest.fixture(scope="module")
def square(portrait):
    detector = open_detector("haar")
    return detector.framing.square(detector.detect(portrait)[0].box)


def seen(yaw=0.0, pitch=0.0, roll=0.0):
    """The mean face turned by so many degrees and seen from eight face widths away, as landmarks in px."""
    y, p, r = np.radians([yaw, pitch, roll])
    turn = np.array([[math.cos(y), 0, math.sin(y)], [0, 1, 0], [-math.sin(y), 0, math.cos(y)]])
    nod = np.array([[1, 0, 0], [0, math.cos(p), math.sin(p)], [0, -math.sin(p), math.cos(p)]])
    tilt = np.array([[math.cos(r), -math.sin(r), 0], [math.sin(r), math.cos(r), 0], [0, 0, 1]])
    points = (_MODEL - _MODEL.mean(0)) @ (tilt @ turn @ nod).T
    flat = 300 + 150 * points[:, :2] * (8 / (8 - points[:, 2:]))
    return Landmarks(*map(tuple, flat.tolist()))


@pytest.mark.parametrize(
    "angles", [(0, 0, 0), (30, 0, 0), (-45, 0, 0), (0, 25, 0), (0, -25, 0), (0, 0, 50), (25, 15, -30)]
)
def test_pose_is_found_from_five_landmarks(angles):
    pose = pose_of(seen(*angles))
    assert (pose.yaw_deg, pose.pitch_deg, pose.roll_deg) == pytest.approx(angles, abs=3)


def test_pose_does_not_depend_on_where_and_how_large_the_face_is():
    points = [(5 + 0.2 * x, 900 + 0.2 * y) for x, y in seen(20, 10, 5).as_tuple()]
    assert pose_of(Landmarks(*points)).yaw_deg == pytest.approx(pose_of(seen(20, 10, 5)).yaw_deg, abs=0.01)


def test_landmarks_in_one_point_or_on_one_line_have_no_pose():
    assert pose_of(Landmarks(*[(7.0, 7.0)] * 5)) is None
    assert pose_of(Landmarks(*[(float(step), 0.0) for step in range(5)])) is None


def test_blur_lowers_sharpness_step_by_step_whatever_the_light_and_the_crop(portrait, square):
    for size, channels in ((48, 1), (96, 3)):
        values = []
        for sigma in (0, 1, 2, 3, 4):
            image = cv2.GaussianBlur(portrait, (0, 0), sigma) if sigma else portrait
            values.append(sharpness_of(crop_face(image, square, size, channels)))
        assert values == sorted(values, reverse=True)
        dark = (portrait * 0.3).astype(np.uint8)
        assert sharpness_of(crop_face(dark, square, size, channels)) == pytest.approx(values[0], rel=0.2)


def test_a_good_face_counts_and_each_fault_has_its_name(portrait, square):
    crop = crop_face(portrait, square, 48, 1)
    blurred = crop_face(cv2.GaussianBlur(portrait, (0, 0), 4), square, 48, 1)
    assert assess(crop, BIG, seen()).usable
    assert assess(crop, BIG).usable, "a detector without landmarks is no fault of the face"
    assert assess(crop, Box(0, 0, 80, 20), seen()).problems == (SMALL,)
    assert assess(blurred, BIG, seen()).problems == (BLURRED,)
    assert assess(crop, BIG, seen(yaw=65)).problems == (TURNED,)
    assert assess(crop, BIG, seen(pitch=-55)).problems == (TURNED,)
    assert assess(crop, BIG, seen(roll=60)).problems == (TILTED,)
    assert assess(blurred, Box(0, 0, 9, 9), seen(70, 0, 60)).problems == (SMALL, BLURRED, TURNED, TILTED)


@pytest.mark.parametrize("yaw", [-90, -75, 75, 90])
def test_a_profile_does_not_count_whatever_else_it_does(portrait, square, yaw):
    crop = crop_face(portrait, square, 48, 1)
    for pitch, roll in ((0, 0), (15, 0), (0, -20)):
        assert TURNED in assess(crop, BIG, seen(yaw, pitch, roll)).problems


@pytest.mark.parametrize(
    ("axis", "limit", "problem"),
    [(0, MOST_YAW_DEG, TURNED), (1, MOST_PITCH_DEG, TURNED), (2, MOST_ROLL_DEG, TILTED)],
)
@pytest.mark.parametrize("sign", [-1, 1])
def test_each_limit_lies_where_its_name_says(portrait, square, axis, limit, problem, sign):
    crop = crop_face(portrait, square, 48, 1)
    inside, outside = [0.0] * 3, [0.0] * 3
    inside[axis], outside[axis] = sign * (limit - 5), sign * (limit + 5)
    assert assess(crop, BIG, seen(*inside)).usable
    assert assess(crop, BIG, seen(*outside)).problems == (problem,)


def test_a_face_upside_down_or_seen_in_a_mirror_of_its_landmarks_does_not_count(portrait, square):
    crop = crop_face(portrait, square, 48, 1)
    assert TILTED in assess(crop, BIG, seen(roll=180)).problems
    mirrored = Landmarks(*((600 - x, y) for x, y in seen().as_tuple()))
    assert not assess(crop, BIG, mirrored).usable


def test_limits_of_0_and_180_let_every_face_pass(portrait, square):
    all_pass = QualitySettings(0.0, 0.0, 180.0, 180.0, 180.0)
    assert assess(np.zeros((48, 48, 1), np.uint8), Box(0, 0, 1, 1), seen(70, 0, 60), all_pass).usable


def test_a_flat_crop_has_no_sharpness():
    assert sharpness_of(np.full((48, 48, 3), 90, np.uint8)) == 0
    assert sharpness_of(np.full((96, 96), 90, np.uint8)) == 0
