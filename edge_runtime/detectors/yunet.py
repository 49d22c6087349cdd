"""YuNet (Wu et al. 2023) through `cv2.FaceDetectorYN`, for a model file that the user brings."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from devices.quiet import quiet_libraries
from edge_runtime.detectors.base import Detection
from edge_runtime.detectors.scaling import shrunk
from edge_runtime.errors import DetectorError
from edge_runtime.geometry import Box, Landmarks
from edge_runtime.preprocess import Framing

__all__ = ["YuNet"]

LONGEST_PX = 640
SCORE_THRESHOLD = 0.7
OVERLAP_THRESHOLD = 0.3
MOST_CANDIDATES = 5000


class YuNet:
    """Boxes, scores 0..1 and five landmarks. Frames larger than 640 px are searched at 640 px.

    Args:
        argument: path of `face_detection_yunet_….onnx`.
        score_threshold: boxes that are less certain are not given.
    """

    name = "yunet"
    framing = Framing("height", 0.96)

    def __init__(self, argument: str, score_threshold: float = SCORE_THRESHOLD) -> None:
        if not argument:
            raise DetectorError(
                "yunet without a model",
                "yunet:MODEL.onnx",
                "download face_detection_yunet from OpenCV's model zoo and name the file",
            )
        path = Path(argument)
        if not path.is_file():
            raise DetectorError(f"yunet:{argument}, which is no file", "a YuNet .onnx file", "check the path")
        try:
            with quiet_libraries():
                self._detector = cv2.FaceDetectorYN.create(
                    str(path), "", (320, 320), score_threshold, OVERLAP_THRESHOLD, MOST_CANDIDATES
                )
                self._detector.detect(np.zeros((320, 320, 3), np.uint8))
        except cv2.error as error:
            raise DetectorError(
                f"yunet:{argument}, which OpenCV {cv2.__version__} refuses", "a YuNet .onnx file", "download it again"
            ) from error

    def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
        """Faces in a BGR uint8 frame (H, W, 3), largest first."""
        colour = image if image.ndim == 3 else cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
        small, back = shrunk(colour, LONGEST_PX)
        if min(small.shape[:2]) < 10:
            return []
        self._detector.setInputSize((small.shape[1], small.shape[0]))
        _, rows = self._detector.detect(small)
        detections = [_detection(row, back) for row in ([] if rows is None else rows) if row[2] > 0 and row[3] > 0]
        return sorted(detections, key=lambda detection: -detection.box.area)


def _detection(row: NDArray[np.float32], back: float) -> Detection:
    """A row is left, top, width, height, five points as x, y, and the score."""
    left, top, width, height, *points = (float(value) * back for value in row[:14])
    pairs = [(points[index], points[index + 1]) for index in range(0, 10, 2)]
    return Detection(Box(left, top, left + width, top + height), min(1.0, float(row[14])), Landmarks(*pairs))
