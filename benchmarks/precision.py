"""Average precision, recall and landmarks of any detectors on one frame set (`python -m train scenes draw`).

    python -m benchmarks.precision data/frames.npz yunet:yunet.onnx tflite haar --smallest 32
    python -m benchmarks.precision data/scenes.npz yunet:yunet.onnx tflite --smallest 64      # pictures of one face

Each detector is asked for all that it has, down to a score of 0.02 where it takes a threshold, so that the curves are whole. A
box is right from an overlap of 0.5 on. Of what `train scenes prepare` made, the pictures of single faces that were held out
are the frames. Scenes were marked by a teacher; if that was YuNet, it is judged by its own boxes.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.script import run_script
from edge_runtime.detectors import Detection, Detector, open_detector
from edge_runtime.detectors.decode import JUDGED_FROM, Found
from edge_runtime.detectors.tflite import TFLiteDetector
from edge_runtime.detectors.yunet import YuNet
from edge_runtime.framesets import Marks, is_frame_set, judge, read_frame_set

LANDMARKS = 5


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("frames", type=Path, metavar="FRAMES.npz")
    parser.add_argument("detectors", nargs="+", metavar="DETECTOR", help="tflite:BUNDLE_DIR, yunet:MODEL.onnx, haar")
    parser.add_argument("--smallest", type=float, default=16.0, metavar="PX", help="smaller faces do not count")
    arguments = parser.parse_args(argv)
    images, marks = _held_out_faces(arguments.frames, arguments.smallest) or _frames(arguments.frames)
    print(f"{len(images)} frames of {arguments.frames.name}, faces from {arguments.smallest:g} px on")
    print(f"{'detector':<40}{'faces':>7}{'AP':>9}{'ratio':>8}{'recall at one false a frame':>29}{'landmarks':>11}")
    first = None
    for name in arguments.detectors:
        detector = _unsure(name)
        found = [_found(detector.detect(_colour(image))) for image in images]
        judged = judge(found, marks, smallest_px=arguments.smallest)
        first = first or judged.average_precision
        error = judged.landmark_error
        off = "none" if error is None or not np.isfinite(error) else f"{error:.2%}"
        ratio = judged.average_precision / first if first else float("nan")
        print(
            f"{name[-40:]:<40}{judged.faces:>7}{judged.average_precision:>9.2%}{ratio:>8.3f}{judged.recall_at_one:>29.2%}{off:>11}"
        )
    return 0


def _frames(path: Path) -> tuple[Sequence[NDArray[np.uint8]], Sequence[Marks]]:
    frames = read_frame_set(path)
    return list(frames.frames), frames.marks


def _held_out_faces(path: Path, smallest_px: float) -> tuple[Sequence[NDArray[np.uint8]], Sequence[Marks]] | None:
    """Pictures of one face each, BGR, whose faces are large enough; None for a file of another kind."""
    if is_frame_set(path):
        return None
    from train.scenes.store import HELD_OUT, read_store

    store = read_store(path)
    heights = store.face_boxes[:, 3] - store.face_boxes[:, 1]
    chosen = np.flatnonzero((store.face_splits == HELD_OUT) & (heights >= smallest_px))
    none = np.zeros((0, 4), np.float32)
    marks = [Marks(store.face_boxes[[index]], store.face_points[[index]], none) for index in chosen]
    return [store.face(int(index), 3) for index in chosen], marks


def _unsure(name: str) -> Detector:
    """The detector of that name, which also gives what it is hardly sure of."""
    kind, _, argument = name.partition(":")
    if kind == YuNet.name:
        return YuNet(argument, JUDGED_FROM)
    detector = open_detector(name)
    if isinstance(detector, TFLiteDetector):
        again = None if detector.facts.second_look is None else JUDGED_FROM
        detector.facts = replace(detector.facts, threshold=JUDGED_FROM, second_look=again)
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
    raise SystemExit(run_script("precision", main))
