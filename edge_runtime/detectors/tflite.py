"""Our own detector: a bundle's TFLite net, int8 or float, decoded in NumPy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_runtime.detectors.base import MOST_FACES, Detection
from edge_runtime.detectors.decode import Found, Grid, decode, suppress
from edge_runtime.detectors.detector_bundle import DetectorBundle, read_detector_bundle
from edge_runtime.detectors.detector_golden import check_detector
from edge_runtime.detectors.letterbox import letterbox
from edge_runtime.errors import BundleError, DetectorError
from edge_runtime.geometry import Box, Landmarks
from edge_runtime.golden import Verdict
from edge_runtime.interpreter import Network

__all__ = ["MOST_FACES", "TFLiteDetector"]

_KINDS = {1: "scores", 4: "boxes", 10: "points"}
"""What an output is, told by how many values a cell it has."""


class TFLiteDetector:
    """Boxes, scores 0..1 and five landmarks. A frame is searched whole, scaled to the net's input.

    A face turned by more than about 45° is not looked for, and one upside down is not found.

    Args:
        argument: the folder of a bundle of kind "face_detector".
        threads: of the interpreter.

    Attributes:
        left_out: faces of the last frame that were not given, as there were too many.

    Raises:
        DetectorError: no argument.
        BundleError: no bundle, a damaged one, a classifier's, or a net that is not what its manifest says.
        InterpreterError: no interpreter, or it refuses the net.
    """

    name = "tflite"

    def __init__(self, argument: str, threads: int = 1) -> None:
        if not argument:
            raise DetectorError("tflite without a bundle", "tflite:BUNDLE_DIR", "name a face detector's bundle")
        self.bundle = read_detector_bundle(argument)
        self.facts = self.bundle.facts
        self.framing = self.facts.framing
        self.left_out = 0
        self.network = Network(self.bundle.model, threads, f"bundle {self.bundle.name}")
        self._grid = Grid.of(self.facts.width, self.facts.height, self.facts.strides)
        self._places = _places(self.network, self.bundle, self._grid)

    def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
        """Faces in a BGR uint8 frame (H, W, 3) or a grey one (H, W), largest first."""
        pixels, scale = letterbox(image, self.facts.width, self.facts.height, self.facts.channels)
        found = self.find(pixels)
        areas = np.prod(found.boxes[:, 2:] - found.boxes[:, :2], axis=1)
        largest = np.argsort(-areas, kind="stable")[:MOST_FACES]
        self.left_out = len(found) - len(largest)
        across = np.array(scale, np.float32)
        return [
            _detection(found.boxes[index] / np.tile(across, 2), found.points[index] / across, found.scores[index])
            for index in largest
        ]

    def find(self, pixels: NDArray[np.uint8]) -> Found:
        """Faces in the net's own input, uint8 (height, width, channels), in its pixels, the surest first."""
        table = self.answer(pixels)
        candidates = decode(table[:, 0], table[:, 1:5], table[:, 5:], self._grid, self.facts.threshold)
        return suppress(candidates, self.facts.overlap)

    def answer(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What the net says of every cell, float32 (A, 15): score, distances, landmarks."""
        outputs = self.network.run_all(pixels[None].astype(self.network.input.dtype))
        kinds = [
            np.concatenate([outputs[index].reshape(-1, count) for index in self._places[kind]])
            for count, kind in _KINDS.items()
        ]
        return np.concatenate(kinds, axis=1)

    def selftest(self) -> Verdict:
        """Whether this machine answers as the one where the bundle was packed. Raises BundleError."""
        return check_detector(self.bundle, self.answer)


def _places(net: Network, bundle: DetectorBundle, grid: Grid) -> dict[str, list[int]]:
    """Which outputs are scores, boxes and points, level by level. Interpreters order and name outputs as they like.

    Raises:
        BundleError: the net's input or outputs are not what the manifest says.
    """
    facts = bundle.facts
    wanted = (1, facts.height, facts.width, facts.channels)
    if net.input.shape != wanted or net.input.dtype not in ("uint8", "float32"):
        raise BundleError(
            f"bundle {bundle.name}: input {net.input.shape} {net.input.dtype}",
            f"{wanted} uint8, or float32 for a float net, as its manifest says",
            "pack the bundle again",
        )
    shapes = [output.shape for output in net.outputs]
    places: dict[str, list[int]] = {}
    for count, kind in _KINDS.items():
        for columns, rows in grid.levels:
            shape = (1, rows, columns, count)
            if shapes.count(shape) != 1:
                raise BundleError(
                    f"bundle {bundle.name}: outputs {shapes}",
                    f"one {shape} for the {kind} of a level, as its manifest says",
                    "pack the bundle again",
                )
            places.setdefault(kind, []).append(shapes.index(shape))
    return places


def _detection(box: NDArray[np.float32], points: NDArray[np.float32], score: np.float32) -> Detection:
    left, top, right, bottom = (float(value) for value in box)
    pairs = [(float(x), float(y)) for x, y in points]
    return Detection(Box(left, top, right, bottom), min(1.0, float(score)), Landmarks(*pairs))
