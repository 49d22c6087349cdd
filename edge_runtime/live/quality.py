"""Is a face good enough to be judged? Its size, its sharpness, and which way it looks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.geometry import Box, Landmarks
from edge_runtime.preprocess import grown
from edge_runtime.settings.deciding import QualitySettings

__all__ = ["BLURRED", "SMALL", "TILTED", "TURNED", "Pose", "Quality", "assess", "pose_of", "sharpness_of"]

SMALL, BLURRED, TURNED, TILTED = "small", "blurred", "turned", "tilted"

_SIDE_PX = 48
_FLAT = 2.0
"""Grey levels; a face with less contrast than this shows nothing."""

_MODEL = np.array(
    [[0.313, 0.390, 0.0], [0.683, 0.387, 0.0], [0.497, 0.582, 0.16], [0.341, 0.746, 0.01], [0.651, 0.745, 0.01]]
)
"""Five points of a face seen from the front, in the order of `Landmarks`: right, down, and towards the camera, in widths of a FER2013 frame.

The first two are the medians of YuNet's points over 1,500 FER2013 faces. The depths are those of generic head models for
five points: the tip of the nose stands 0.43 eye distances before the eyes, the corners of the mouth hardly.
"""

_FIT: list[list[float]] = np.linalg.pinv(_MODEL - _MODEL.mean(axis=0)).tolist()
"""The least-squares fit of three axes to the five points' coordinates: (3, 5)."""

_POINT = 1e-6
"""Px in a face's width; all points are one."""

_FLATTEST = 0.05
"""The least share of the shorter axis in the longer; points below it lie on a line."""


@dataclass(frozen=True)
class Pose:
    """Which way a face looks, in degrees; 0 is into the camera.

    Attributes:
        yaw_deg: positive where the nose points to the picture's right.
        pitch_deg: positive where it points down.
        roll_deg: positive where the head is turned clockwise in the picture.
    """

    yaw_deg: float
    pitch_deg: float
    roll_deg: float


@dataclass(frozen=True)
class Quality:
    """What was measured of a face, and why it does not count.

    Attributes:
        size_px: the shorter side of its box in the frame.
        sharpness: as `sharpness_of` gives it.
        pose: None where the detector gives no landmarks, or impossible ones.
        problems: some of "small", "blurred", "turned", "tilted"; empty for a face that counts.
    """

    size_px: float
    sharpness: float
    pose: Pose | None
    problems: tuple[str, ...]

    @property
    def usable(self) -> bool:
        return not self.problems


def assess(
    crop: NDArray[np.uint8], box: Box, landmarks: Landmarks | None = None, settings: QualitySettings | None = None
) -> Quality:
    """Measures a face and holds it against the settings.

    Args:
        crop: the face as it goes to the classifier, before illumination is normalised: uint8 (size, size, 1 or 3).
        box: in px of the frame.
        landmarks: in px of the frame, where the detector gives them.
        settings: the limits.
    """
    limits = settings or QualitySettings()
    size, sharpness = min(box.width, box.height), sharpness_of(crop)
    pose = None if landmarks is None else pose_of(landmarks)
    problems = []
    if size < limits.least_size_px:
        problems.append(SMALL)
    if sharpness < limits.least_sharpness:
        problems.append(BLURRED)
    if pose is not None:
        if abs(pose.yaw_deg) > limits.most_yaw_deg or abs(pose.pitch_deg) > limits.most_pitch_deg:
            problems.append(TURNED)
        if abs(pose.roll_deg) > limits.most_roll_deg:
            problems.append(TILTED)
    return Quality(size, sharpness, pose, tuple(problems))


def sharpness_of(crop: NDArray[np.uint8]) -> float:
    """The variance of the Laplacian (Pech-Pacheco et al. 2000) of a face at 48 × 48 px and unit contrast; 0 for a flat one.

    At one size and contrast the figure means the same for every camera, light and bundle. The crop is uint8 (H, W),
    (H, W, 1) or (H, W, 3).
    """
    grey = (
        cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
        if crop.ndim == 3 and crop.shape[2] == 3
        else crop.reshape(crop.shape[:2])
    )
    shrinks = min(grey.shape) >= _SIDE_PX
    size = _SIDE_PX, _SIDE_PX
    scaled = cv2.resize(grey, size, interpolation=cv2.INTER_AREA) if shrinks else grown(grey, size)
    contrast = _spread(scaled)
    if contrast < _FLAT:
        return 0.0
    return (_spread(cv2.Laplacian(scaled, cv2.CV_16S)) / contrast) ** 2


def pose_of(landmarks: Landmarks) -> Pose | None:
    """Which way a face looks: a rotation of a mean face under scaled orthography that fits the five points best.

    DeMenthon & Davis 1995 without its perspective steps, which a face at arm's length does not need. None where the points
    fall together and fit no face.
    """
    points = landmarks.as_tuple()
    # As `_FIT` takes the same off every coordinate, the points' place does not matter.
    right, down = ([sum(map(mul, row, values)) for row in _FIT] for values in zip(*points, strict=True))
    # The nearest rotation to both rows, in the sense of least squares: (A Aᵀ)^-½ A, written out for two rows.
    across, along, both = _dot(right, right), _dot(down, down), _dot(right, down)
    longest_2 = (across + along + math.hypot(across - along, 2 * both)) / 2
    area_2 = across * along - both * both  # the product of the squared singular values
    if not math.isfinite(longest_2) or longest_2 < _POINT**2 or area_2 < (_FLATTEST * longest_2) ** 2:
        return None
    area = math.sqrt(area_2)
    size = area * math.sqrt(across + along + 2 * area)
    first = [((along + area) * x - both * y) / size for x, y in zip(right, down, strict=True)]
    second = [((across + area) * y - both * x) / size for x, y in zip(right, down, strict=True)]
    toward_z = first[0] * second[1] - first[1] * second[0]
    roll = math.atan2(second[0], first[0])
    # The nose's direction is the rotation's third column; turned back by the roll, its parts are yaw and pitch.
    nose_x = math.cos(roll) * first[2] + math.sin(roll) * second[2]
    nose_y = math.cos(roll) * second[2] - math.sin(roll) * first[2]
    yaw, pitch = math.atan2(nose_x, toward_z), math.atan2(nose_y, math.hypot(nose_x, toward_z))
    return Pose(math.degrees(yaw), math.degrees(pitch), math.degrees(roll))


def _spread(picture: NDArray[np.uint8] | NDArray[np.int16]) -> float:
    """The standard deviation."""
    _, deviation = cv2.meanStdDev(picture)
    return float(deviation[0, 0])


def _dot(a: Sequence[float], b: Sequence[float]) -> float:
    total: float = sum(map(mul, a, b))
    return total
