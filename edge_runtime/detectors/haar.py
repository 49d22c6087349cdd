"""OpenCV's Haar cascade for upright frontal faces (Viola & Jones 2001; `haarcascade_frontalface_default`)."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.detectors.base import Detection
from edge_runtime.detectors.scaling import shrunk
from edge_runtime.errors import DetectorError
from edge_runtime.geometry import Box
from edge_runtime.preprocess import Framing

__all__ = ["Haar"]

LONGEST_PX = 640
SMALLEST_FACE_PX = 24
SCALE_STEP = 1.1
NEIGHBOURS = 5


class Haar:
    """Boxes without landmarks.

    The score is the last stage's weight w as w / (1 + w): it orders boxes, but is no probability. Frames larger than
    640 px are searched at 640 px.
    """

    name = "haar"
    framing = Framing("width", 1.01)

    def __init__(self, argument: str = "") -> None:
        if argument:
            raise DetectorError(f"haar:{argument}", "haar without an argument", "use --detector haar")
        if not hasattr(cv2, "CascadeClassifier"):
            raise DetectorError(
                f"OpenCV {cv2.__version__}, which has no CascadeClassifier",
                "OpenCV 4",
                'pip install "opencv-python-headless<5"',
            )
        path = Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml"
        self._cascade = cv2.CascadeClassifier(str(path))
        if self._cascade.empty():
            raise DetectorError(
                f"{path.name} cannot be read",
                "the cascade that OpenCV's wheel brings",
                "pip install --force-reinstall opencv-python-headless",
            )

    def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
        """Faces in a BGR uint8 frame (H, W, 3), largest first."""
        grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        grey, back = shrunk(grey, LONGEST_PX)
        if min(grey.shape[:2]) < SMALLEST_FACE_PX:
            return []
        found, _, weights = self._cascade.detectMultiScale3(
            grey, SCALE_STEP, NEIGHBOURS, minSize=(SMALLEST_FACE_PX, SMALLEST_FACE_PX), outputRejectLevels=True
        )
        detections = []
        for (left, top, width, height), weight in zip(found, np.ravel(weights), strict=True):
            box = Box(left * back, top * back, (left + width) * back, (top + height) * back)
            certainty = max(0.0, float(weight))
            detections.append(Detection(box, certainty / (1 + certainty)))
        return sorted(detections, key=lambda detection: -detection.box.area)
