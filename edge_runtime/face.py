"""One recognized face, and its shapes in other packages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge_runtime.geometry import Box, Landmarks
from edge_runtime.labels import canonical

__all__ = ["Face"]


@dataclass(frozen=True)
class Face:
    """A face and its expression.

    Attributes:
        box: in pixels of the frame.
        detector_score: the detector's certainty, 0..1.
        label: the most probable expression, as the bundle names it.
        score: its probability, 0..1.
        emotions: probability of every label, in the bundle's order.
        landmarks: five points, where the detector gives them.
        track: who is who between frames of a video; None for a single picture.
    """

    box: Box
    detector_score: float
    label: str
    score: float
    emotions: Mapping[str, float]
    landmarks: Landmarks | None = None
    track: int | None = None

    def as_fer(self) -> dict[str, Any]:
        """What `fer`'s `FER().detect_emotions()` gives for a face: box [x, y, w, h] in whole pixels, probabilities 0..1."""
        return {
            "box": list(self._whole_box()),
            "emotions": {canonical(name): round(value, 2) for name, value in self.emotions.items()},
        }

    def as_deepface(self) -> dict[str, Any]:
        """What `DeepFace.analyze(actions=["emotion"])` gives for a face: percentages 0..100 and a region."""
        left, top, width, height = self._whole_box()
        left_eye = self.landmarks and _whole(self.landmarks.left_eye)
        right_eye = self.landmarks and _whole(self.landmarks.right_eye)
        return {
            "emotion": {canonical(name): value * 100 for name, value in self.emotions.items()},
            "dominant_emotion": canonical(self.label),
            "region": {"x": left, "y": top, "w": width, "h": height, "left_eye": left_eye, "right_eye": right_eye},
            "face_confidence": round(self.detector_score, 2),
        }

    def _whole_box(self) -> tuple[int, int, int, int]:
        left, top = round(self.box.left), round(self.box.top)
        return left, top, round(self.box.right) - left, round(self.box.bottom) - top


def _whole(point: tuple[float, float]) -> tuple[int, int]:
    return round(point[0]), round(point[1])
