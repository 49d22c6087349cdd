"""Average precision, recall and landmarks of any detectors on one frame set (`python -m train scenes draw`).

    python -m benchmarks.precision data/frames.npz yunet:yunet.onnx tflite haar --smallest 32

Each detector is asked for all that it has, down to a score of 0.02 where it takes a threshold, so that the curves are whole. A
box is right from an overlap of 0.5 on. Scenes were marked by a teacher; if that was YuNet, it is judged by its own boxes.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.detectors import Detection, Detector, open_detector
from edge_runtime.detectors.decode import JUDGED_FROM, Found
from edge_runtime.detectors.tflite import TFLiteDetector
from edge_runtime.detectors.yunet import YuNet
from edge_runtime.framesets import judge, read_frame_set

LANDMARKS = 5


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("frames", type=Path, metavar="FRAMES.npz")
    parser.add_argument("detectors", nargs="+", metavar="DETECTOR", help="tflite:BUNDLE_DIR, yunet:MODEL.onnx, haar")
    parser.add_argument("--smallest", type=float, default=16.0, metavar="PX", help="smaller faces do not count")
    arguments = parser.parse_args(argv)
    frames = read_frame_set(arguments.frames)
    print(f"{len(frames.frames)} {frames.split} frames of {frames.source}, faces from {arguments.smallest:g} px on")
    print(f"{'detector':<40}{'faces':>7}{'AP':>9}{'ratio':>8}{'recall at one false a frame':>29}{'landmarks':>11}")
    first = None
    for name in arguments.detectors:
        detector = _unsure(open_detector(name))
        found = [_found(detector.detect(_colour(image))) for image in frames.frames]
        judged = judge(found, frames.marks, smallest_px=arguments.smallest)
        first = first or judged.average_precision
        error = judged.landmark_error
        off = "none" if error is None or not np.isfinite(error) else f"{error:.2%}"
        ratio = judged.average_precision / first if first else float("nan")
        print(
            f"{name[-40:]:<40}{judged.faces:>7}{judged.average_precision:>9.2%}{ratio:>8.3f}{judged.recall_at_one:>29.2%}{off:>11}"
        )
    return 0


def _unsure(detector: Detector) -> Detector:
    """The same detector, which also gives what it is hardly sure of."""
    if isinstance(detector, TFLiteDetector):
        detector.facts = replace(detector.facts, threshold=JUDGED_FROM)
    elif isinstance(detector, YuNet):
        detector.set_threshold(JUDGED_FROM)
    return detector


def _colour(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    colour: NDArray[np.uint8] = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) if image.shape[2] == 1 else image
    return colour


def _found(detections: Sequence[Detection]) -> Found:
    """As arrays, the surest first."""
    ordered = sorted(detections, key=lambda each: -each.score)
    points = [
        np.full((LANDMARKS, 2), np.nan) if each.landmarks is None else each.landmarks.as_tuple() for each in ordered
    ]
    return Found(
        np.array([each.box.as_tuple() for each in ordered], np.float32).reshape(-1, 4),
        np.array([each.score for each in ordered], np.float32),
        np.array(points, np.float32).reshape(-1, LANDMARKS, 2),
    )


if __name__ == "__main__":
    raise SystemExit(main())
