"""What the pipeline adds to the bare sum of its parts, on one 640 × 480 frame with one face; what reading a picture adds to OpenCV.

    python -m benchmarks.overhead

Both sides run in turn in one process, so that the machine's speed cancels out of the ratio.
"""

from __future__ import annotations

import argparse
import time

import cv2
import numpy as np

from benchmarks.script import run_script
from edge_runtime.commands.bench import demo_frame
from edge_runtime.detectors import DEFAULT_DETECTOR
from edge_runtime.members import DEFAULT_BUNDLE
from edge_runtime.pictures import decode_picture
from edge_runtime.pipeline import load
from edge_runtime.preprocess import crop_face


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", default=DEFAULT_BUNDLE)
    parser.add_argument("--detector", default=DEFAULT_DETECTOR)
    parser.add_argument("--runs", type=int, default=200)
    arguments = parser.parse_args()
    recognizer = load(arguments.bundle, arguments.detector, detail=1)
    detector, model, facts = recognizer.detector, recognizer.classifier.model, recognizer.bundle.input
    frame = demo_frame()
    faces = detector.detect(frame)
    assert len(faces) == 1, f"{len(faces)} faces in the demo frame"
    crop = crop_face(frame, detector.framing.square(faces[0].box), facts.size, facts.channels)[None]
    interpreter = model._interpreter
    pipeline_s, bare_s = [], []
    for index in range(arguments.runs + 20):
        began = time.perf_counter()
        recognizer(frame)
        middle = time.perf_counter()
        detector.detect(frame)
        interpreter.set_tensor(model._input_index, crop)
        interpreter.invoke()
        interpreter.get_tensor(model._output_indices[0])
        ended = time.perf_counter()
        if index >= 20:
            pipeline_s.append(middle - began)
            bare_s.append(ended - middle)
    ratios = np.array(pipeline_s) / np.array(bare_s)
    print(
        f"bundle {recognizer.bundle.name}, detector {detector.name}, 640 × 480 px, one face, {arguments.runs} runs in turn"
    )
    print(f"{'whole pipeline':<32}{np.median(pipeline_s) * 1e3:8.2f} ms")
    print(f"{'bare detector + interpreter':<32}{np.median(bare_s) * 1e3:8.2f} ms")
    print(f"{'ratio, median of the pairs':<32}{np.median(ratios):8.3f}")
    print(f"{'reading a 3-megapixel JPEG / OpenCV':<38}{_reading(15):.3f}")


def _reading(runs: int, seed: int = 1) -> float:
    """What checks of size, orientation and transparency cost: reading a picture over decoding it alone, median of the pairs."""
    noise = np.random.default_rng(seed).integers(60, 190, (1500, 2000, 3), np.uint8)
    encoded = cv2.imencode(".jpg", noise, [cv2.IMWRITE_JPEG_QUALITY, 85])[1]
    content, ratios = encoded.tobytes(), []
    for _ in range(runs):
        began = time.perf_counter()
        cv2.imdecode(encoded, cv2.IMREAD_COLOR)
        middle = time.perf_counter()
        decode_picture(content, "noise.jpg")
        ratios.append((time.perf_counter() - middle) / (middle - began))
    return float(np.median(ratios))


if __name__ == "__main__":
    raise SystemExit(run_script("overhead", main))
