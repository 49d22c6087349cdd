"""What every face detector gives and takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge_runtime.geometry import Box, Landmarks
from edge_runtime.preprocess import Framing

__all__ = ["MOST_FACES", "Detection", "Detector", "bounded"]

MOST_FACES = 100
"""The largest that are given of one frame; the others are counted. It bounds what one frame costs after detection."""


@dataclass(frozen=True)
class Detection:
    """A face in pixels of the frame, the detector's own certainty (0..1), and five landmarks where it gives them."""

    box: Box
    score: float
    landmarks: Landmarks | None = None


class Detector(Protocol):
    """Finds faces. One object serves one thread.

    One that scales every frame to an input of its own says its (width, height) in an attribute `input_size`.
    """

    name: str
    framing: Framing
    """Where a model's crop lies relative to this detector's boxes."""

    def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
        """Faces in a BGR uint8 frame (H, W, 3), largest first."""
        ...


def bounded(finder: object, found: list[Detection]) -> tuple[list[Detection], int]:
    """The `MOST_FACES` largest, and how many were left out of that frame, here or by the detector itself.

    Args:
        finder: what found them; it may count in an attribute `left_out` what it did not even give.
        found: what it gave, largest first.
    """
    left_out = int(getattr(finder, "left_out", 0)) + max(0, len(found) - MOST_FACES)
    return found[:MOST_FACES], left_out
