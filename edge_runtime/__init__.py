"""Facial expression recognition on a single-board computer, offline.

    import cv2
    import edge_runtime

    recognizer = edge_runtime.load()
    image = cv2.imread(str(edge_runtime.DEMO_PICTURE))
    for face in recognizer(image):
        print(face.label, round(face.score, 2), face.box)
        print(face.as_fer())       # the shape of the package `fer`
        print(face.as_deepface())  # the shape of `deepface`

Pictures are NumPy arrays, BGR uint8 (H, W, 3). Nothing is downloaded, probed or written when this package is imported.
"""

from pathlib import Path

from edge_runtime.bundle import Bundle, read_bundle
from edge_runtime.errors import FerEdgeError
from edge_runtime.face import Face
from edge_runtime.geometry import Box, Landmarks
from edge_runtime.members import shipped_bundles
from edge_runtime.pipeline import Recognizer, StageTimes, load
from edge_runtime.version import __version__

__all__ = [
    "DEMO_PICTURE",
    "Box",
    "Bundle",
    "Face",
    "FerEdgeError",
    "Landmarks",
    "Recognizer",
    "StageTimes",
    "__version__",
    "load",
    "read_bundle",
    "shipped_bundles",
]

DEMO_PICTURE = Path(__file__).parent / "demo" / "astronaut.jpg"
"""NASA's portrait of Eileen Collins, public domain."""
