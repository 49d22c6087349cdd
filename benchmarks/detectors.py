"""Detectors side by side: time a frame, one thread each, in turn; and with annotated photographs, faces found and false.

    python -m benchmarks.detectors haar yunet:yunet.onnx tflite:BUNDLE_DIR
    python -m benchmarks.detectors haar yunet:yunet.onnx --photographs scenes/      # with a boxes.csv among them
    python -m benchmarks.detectors haar tflite --scenes scenes.npz                  # of `train scenes prepare`: what is found where nobody is
    python -m benchmarks.detectors yunet:yunet.onnx --untrained 0.75 1.0            # what a width would cost

The first detector is the measure of the others. `boxes.csv` has the columns file, left, top, width, height. A face is found
where a box overlaps its own by more than 0.4 (intersection over union), each face once. Photographs and places are
searched as `fer-edge predict` does, with `--detail 2`, and the median of their times stands beside.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.script import run_script
from edge_runtime import DEMO_PICTURE
from edge_runtime.detectors import DETAIL_OF_PICTURES, Detection, open_detector
from edge_runtime.detectors.decode import OVERLAP
from edge_runtime.detectors.letterbox import letterbox
from edge_runtime.detectors.net import DetectorNet
from edge_runtime.geometry import Box, iou
from edge_runtime.pictures import read_picture

if TYPE_CHECKING:
    from train.detection.recipe import DetectorRecipe

SAME_FACE = 0.4
BOXES = "boxes.csv"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("detectors", nargs="+", metavar="DETECTOR", help="haar, yunet:MODEL.onnx, tflite:BUNDLE_DIR")
    parser.add_argument(
        "--untrained", type=float, nargs="*", default=[], metavar="WIDTH", help="int8, weights at random"
    )
    parser.add_argument("--size", type=int, nargs=2, default=(320, 240), metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--runs", type=int, default=100, metavar="N")
    parser.add_argument("--photographs", type=Path, metavar="DIR", help=f"pictures with a {BOXES} among them")
    parser.add_argument(
        "--scenes",
        type=Path,
        metavar="FILE.npz",
        help="false faces in its places without people, held out and of training",
    )
    parser.add_argument("--detail", type=int, default=DETAIL_OF_PICTURES, metavar="N", help="of photographs and places")
    arguments = parser.parse_args(argv)
    if arguments.photographs is not None and not (arguments.photographs / BOXES).is_file():
        parser.error(f"--photographs {arguments.photographs}: no {BOXES} in it; expected one beside the pictures")
    cv2.setNumThreads(1)
    opened: dict[str, Any] = {name: open_detector(name, arguments.detail) for name in arguments.detectors}
    opened |= {f"untrained, width {width:g}": _Untrained(width) for width in arguments.untrained}
    times = _times(list(opened.values()), tuple(arguments.size), arguments.runs)
    columns, rows = arguments.size
    print(f"{columns} × {rows} px, one thread, {arguments.runs} runs in turn")
    photographs, places = arguments.photographs, _deserted(arguments.scenes)
    headings = f"{'detector':<40}{'median ms':>10}{'ratio':>8}"
    headings += "" if photographs is None else f"{'found':>11}{'false':>7}{'ms':>7}"
    print(headings + ("".join(f"{f'false, {split}':>22}" for split in places)))
    for (name, detector), taken in zip(opened.items(), times, strict=True):
        counts = "" if photographs is None else _counts(detector, photographs)
        counts += "".join(f"{_false(detector, pictures):>22}" for pictures in places.values())
        print(f"{name[-40:]:<40}{1e3 * taken:>10.2f}{taken / times[0]:>8.2f}{counts}")
    return 0


def _times(detectors: Sequence[Any], size: tuple[int, int], runs: int) -> list[float]:
    """Median seconds a frame of each."""
    frame = cv2.resize(cv2.imread(str(DEMO_PICTURE)), size, interpolation=cv2.INTER_AREA)
    taken = np.zeros((runs + 5, len(detectors)))
    for row in taken:
        for index, detector in enumerate(detectors):
            began = time.perf_counter()
            detector.detect(frame)
            row[index] = time.perf_counter() - began
    medians: list[float] = np.median(taken[5:], axis=0).tolist()
    return medians


def _counts(detector: Any, folder: Path) -> str:
    faces: dict[str, list[Box]] = defaultdict(list)
    with open(folder / BOXES, newline="") as file:
        for row in csv.DictReader(file):
            left, top, width, height = (float(row[key]) for key in ("left", "top", "width", "height"))
            faces[row["file"]].append(Box(left, top, left + width, top + height))
    total, found, false, taken = sum(map(len, faces.values())), 0, 0, []
    for name, there in faces.items():
        free = list(there)
        detections, seconds = _timed(detector, folder / name)
        taken.append(seconds)
        for detection in sorted(detections, key=lambda each: -each.score):
            best = max(free, key=lambda box: iou(box, detection.box), default=None)
            if best is not None and iou(best, detection.box) > SAME_FACE:
                free.remove(best)
                found += 1
            else:
                false += 1
    return f"{found:>4} of {total}{false:>7}{1e3 * float(np.median(taken)):>7.1f}"


def _false(detector: Any, pictures: Sequence[NDArray[np.uint8]]) -> str:
    """What it finds where nobody is, and in how many pictures."""
    counts = [len(detector.detect(picture)) for picture in pictures]
    return f"{sum(counts)} in {sum(map(bool, counts))} of {len(counts)}"


def _deserted(scenes: Path | None) -> dict[str, list[NDArray[np.uint8]]]:
    """The places of each split in which the teacher saw and suspected nobody, BGR."""
    if scenes is None:
        return {}
    from train.scenes.cutouts import Library
    from train.scenes.store import SPLITS, read_store

    store = read_store(scenes)
    libraries = {split: Library(store, split, 3) for split in SPLITS}
    return {split: [library.place(int(index)) for index in library.deserted] for split, library in libraries.items()}


def _timed(detector: Any, file: Path) -> tuple[list[Detection], float]:
    image = read_picture(file)
    began = time.perf_counter()
    return detector.detect(image), time.perf_counter() - began


class _Untrained:
    """The recipe's net at that width, int8 as it is packed, with weights at random: as fast as a trained one, and it finds nothing."""

    def __init__(self, width: float) -> None:
        from convert.blocks import in_blocks
        from train.detection.recipe import read_detector_recipe
        from train.models.face_detector import STRIDES

        recipe = read_detector_recipe("face_detector")
        self.input = recipe.model
        content, weights = _converted(recipe, width)
        content = in_blocks(content)
        self.net = DetectorNet(content, (recipe.model.height, recipe.model.width, recipe.model.channels), STRIDES)
        print(f"width {width:g}: {weights:,} weights, {len(content) / 1e6:.2f} MB as int8")

    def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
        pixels, _ = letterbox(image, self.input.width, self.input.height, self.input.channels)
        self.net.faces(pixels, 0.5, OVERLAP)
        return []


def _converted(recipe: DetectorRecipe, width: float) -> tuple[bytes, int]:
    from convert.quiet import quiet_tensorflow

    with quiet_tensorflow():
        import tensorflow as tf

        from train.models.face_detector import build, with_scores

        net = recipe.model
        model = with_scores(build(replace(net.options, width=width), recipe.size, net.channels))
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        shape = (1, net.height, net.width, net.channels)
        converter.representative_dataset = lambda: ([_noise(seed, shape)] for seed in range(4))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type, converter.inference_output_type = tf.uint8, tf.int8
        return bytes(converter.convert()), int(model.count_params())


def _noise(seed: int, shape: tuple[int, ...]) -> NDArray[np.float32]:
    return np.random.default_rng(seed).uniform(0, 255, shape).astype(np.float32)


if __name__ == "__main__":
    raise SystemExit(run_script("detectors", main))
