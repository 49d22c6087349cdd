"""One frame in, its faces out: detect, crop, classify."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.bundle import Bundle, read_bundle
from edge_runtime.classifier import Classifier
from edge_runtime.detectors import DEFAULT_DETECTOR, DETAIL_OF_PICTURES, Detector, bounded, open_detector
from edge_runtime.detectors.tiles import detail_of
from edge_runtime.errors import UsageError
from edge_runtime.face import Face
from edge_runtime.members import DEFAULT_BUNDLE
from edge_runtime.preprocess import NO_ALIGNMENT, check_alignment, cut_face

__all__ = ["Recognizer", "StageTimes", "load"]


@dataclass(frozen=True)
class StageTimes:
    """How long the stages of one frame took, in seconds."""

    detect_s: float
    crop_s: float
    classify_s: float


class Recognizer:
    """Finds faces in a picture and reads their expressions. Holds one interpreter and one detector; one thread at a time.

    Args:
        classifier: crops to probabilities.
        detector: frame to boxes.
        alignment: "similarity" turns and scales faces by their landmarks, where the detector gives them; "none" cuts by the box.

    Attributes:
        left_out: faces of the last picture that were not given, as there were more than `MOST_FACES`.

    Raises:
        UsageError: another alignment.
    """

    def __init__(self, classifier: Classifier, detector: Detector, alignment: str = NO_ALIGNMENT) -> None:
        self.classifier = classifier
        self.detector = detector
        self.alignment = check_alignment(alignment)
        self.left_out = 0

    @property
    def bundle(self) -> Bundle:
        return self.classifier.bundle

    @property
    def detail(self) -> int:
        """How closely pictures are searched that are larger than the detector's input."""
        return detail_of(self.detector)

    def __call__(self, image: NDArray[np.uint8]) -> list[Face]:
        """The faces of one picture, largest first; of very many the largest, and `left_out` counts the others.

        Args:
            image: BGR uint8 (H, W, 3), as OpenCV reads it, or grey uint8 (H, W).

        Raises:
            UsageError: anything else.
        """
        return self.timed(image)[0]

    def timed(self, image: NDArray[np.uint8]) -> tuple[list[Face], StageTimes]:
        """Like calling the object, and what each stage took."""
        _check_image(image)
        began = time.perf_counter()
        detections, self.left_out = bounded(self.detector, self.detector.detect(image))
        detected = time.perf_counter()
        facts, framing = self.bundle.input, self.detector.framing
        crops = [
            cut_face(image, found.box, found.landmarks, framing, facts.size, facts.channels, self.alignment)
            for found in detections
        ]
        cropped = time.perf_counter()
        probabilities = self.classifier.classify(crops)
        classified = time.perf_counter()
        names = self.classifier.labels.names
        faces = []
        for detection, row in zip(detections, probabilities, strict=True):
            best = int(row.argmax())
            emotions = dict(zip(names, row.tolist(), strict=True))
            faces.append(
                Face(detection.box, detection.score, names[best], emotions[names[best]], emotions, detection.landmarks)
            )
        return faces, StageTimes(detected - began, cropped - detected, classified - cropped)


def load(
    bundle: str | Path = DEFAULT_BUNDLE,
    detector: str = DEFAULT_DETECTOR,
    threads: int = 1,
    alignment: str = NO_ALIGNMENT,
    detail: int = DETAIL_OF_PICTURES,
) -> Recognizer:
    """A recognizer from a bundle and a detector.

    Args:
        bundle: the name of a shipped bundle, or a bundle's folder.
        detector: "tflite", "tflite:BUNDLE_DIR", "haar" or "yunet:MODEL.onnx".
        threads: for the classifier's CPU kernels.
        alignment: "none", or "similarity" for faces that are turned and scaled by their landmarks (docs/alignment.md).
        detail: how closely pictures that are larger than the detector's input are searched: 1 once, the fastest and for a
            camera's frames; 2 to 4 also in parts, for small faces.

    Raises:
        BundleError, DetectorError, InterpreterError, UsageError: with what to do about it.
    """
    return Recognizer(
        Classifier(read_bundle(bundle), threads), open_detector(detector, detail), check_alignment(alignment)
    )


def _check_image(image: Any) -> None:
    if not isinstance(image, np.ndarray):
        raise UsageError(
            f"a {type(image).__name__} as image",
            "a NumPy array, BGR uint8 (H, W, 3)",
            "cv2.imread(path), or np.array(pillow_image.convert('RGB'))[..., ::-1]",
        )
    colour = image.ndim == 3 and image.shape[2] == 3
    if image.dtype != np.uint8 or not (image.ndim == 2 or colour) or 0 in image.shape:
        raise UsageError(
            f"an image {image.dtype} {image.shape}",
            "BGR uint8 (H, W, 3) or grey uint8 (H, W), not empty",
            "scale to 0..255, drop alpha, and convert with .astype(np.uint8)",
        )
