"""What every face detector gives and takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge_runtime.geometry import Box, Landmarks
from edge_runtime.preprocess import Framing

__all__ = ["Detection", "Detector"]


@dataclass(frozen=True)
class Detection:
    """A face in pixels of the frame, the detector's own certainty (0..1), and five landmarks where it gives them."""

    box: Box
    score: float
    landmarks: Landmarks | None = None


class Detector(Protocol):
    """Finds faces. One object serves one thread."""

    name: str
    framing: Framing
    """Where a model's crop lies relative to this detector's boxes."""

    def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
        """Faces in a BGR uint8 frame (H, W, 3), largest first."""
        ...
