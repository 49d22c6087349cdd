"""Our own detector: a bundle's TFLite net, int8 or float, decoded in NumPy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_runtime.detectors.base import MOST_FACES, Detection
from edge_runtime.detectors.decode import Found
from edge_runtime.detectors.detector_bundle import DetectorBundle, read_detector_bundle
from edge_runtime.detectors.detector_golden import check_detector
from edge_runtime.detectors.letterbox import in_colours, letterbox
from edge_runtime.detectors.net import DetectorNet
from edge_runtime.detectors.second_look import confirmed, doubtful_from
from edge_runtime.geometry import Box, Landmarks
from edge_runtime.golden import Verdict

__all__ = ["MOST_FACES", "SHIPPED_DETECTOR", "TFLiteDetector"]

SHIPPED_DETECTOR = "face-detector"
"""The bundle that is meant where none is named."""


class TFLiteDetector:
    """Boxes, scores 0..1 and five landmarks. A frame is searched whole, scaled to the net's input; where its bundle has a
    `second_look`, what is found and not sure is looked at again, in close-ups where the frame has the pixels and mirrored
    elsewhere, and its score is the mean of both looks.

    A face turned by more than about 45° is not looked for, and one upside down is not found.

    Args:
        argument: a bundle of kind "face_detector": the name of a shipped one, or its folder; "" for SHIPPED_DETECTOR. Or one
            that was read.
        threads: of the interpreter.

    Attributes:
        half: the same net with half the width and height, which looks once, where the bundle has it.
        left_out: faces of the last frame that were not given, as there were too many.

    Raises:
        BundleError: no bundle, a damaged one, a classifier's, or a net that is not what its manifest says.
        InterpreterError: no interpreter, or it refuses the net.
    """

    name = "tflite"

    def __init__(self, argument: str | DetectorBundle, threads: int = 1) -> None:
        if not isinstance(argument, DetectorBundle):
            argument = read_detector_bundle(argument or SHIPPED_DETECTOR)
        self.bundle = argument
        self.facts = self.bundle.facts
        self.framing = self.facts.framing
        self.input_size = self.facts.width, self.facts.height
        self.left_out = 0
        shape = self.facts.height, self.facts.width, self.facts.channels
        self.net = DetectorNet(self.bundle.model, shape, self.facts.strides, threads, f"bundle {self.bundle.name}")
        self.network = self.net.network
        self.half = None if self.bundle.half is None else TFLiteDetector(self.bundle.half, threads)

    def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
        """Faces in a BGR uint8 frame (H, W, 3) or a grey one (H, W), largest first."""
        facts = self.facts
        image = in_colours(image, facts.channels)  # once, however often it is looked at
        if facts.second_look is None:
            found = self.find(image, facts.threshold)
        else:
            first = self.find(image, doubtful_from(facts.second_look))
            half_look = None if self.half is None else self.half.find
            found = confirmed(image, first, self.find, self.input_size, facts.second_look, facts.overlap, half_look)
        areas = np.prod(found.boxes[:, 2:] - found.boxes[:, :2], axis=1)
        largest = np.argsort(-areas, kind="stable")[:MOST_FACES]
        self.left_out = len(found) - len(largest)
        return [_detection(found.boxes[index], found.points[index], found.scores[index]) for index in largest]

    def find(self, image: NDArray[np.uint8], threshold: float) -> Found:
        """What one look at a frame finds from a score on, in the frame's pixels, the surest first."""
        pixels, scale = letterbox(image, self.facts.width, self.facts.height, self.facts.channels)
        return self.net.faces(pixels, threshold, self.facts.overlap).scaled(scale)

    def answer(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What the net says of every cell, float32 (A, 15): score, distances, landmarks."""
        return self.net.answer(pixels)

    def selftest(self) -> Verdict:
        """Whether this machine answers as the one where the bundle was packed. Raises BundleError.

        Of two nets, the verdict is that of the one that answers less alike.
        """
        verdicts = [check_detector(self.bundle, self.answer)]
        if self.half is not None:
            verdicts.append(self.half.selftest())
        return min(verdicts, key=lambda verdict: (verdict.passed, verdict.exact))


def _detection(box: NDArray[np.float32], points: NDArray[np.float32], score: np.float32) -> Detection:
    left, top, right, bottom = (float(value) for value in box)
    pairs = [(float(x), float(y)) for x, y in points]
    return Detection(Box(left, top, right, bottom), min(1.0, float(score)), Landmarks(*pairs))
