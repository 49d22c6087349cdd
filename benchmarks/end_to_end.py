"""What detecting and cropping cost in accuracy: the same faces as the data set crops them, and found in larger pictures.

python -m benchmarks.end_to_end fer2013.csv --split PublicTest --detector haar
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from benchmarks.placement import SEED, lies_within, place, placed_among
from benchmarks.script import run_script
from edge_runtime.detectors import DEFAULT_DETECTOR
from edge_runtime.facesets import open_faces
from edge_runtime.intervals import accuracy_interval
from edge_runtime.pipeline import load
from edge_runtime.preprocess import crop_face, fit_face


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--split", default="PublicTest")
    parser.add_argument("--bundle", default="fer2013", help="that answers the labels of the data (default: fer2013)")
    parser.add_argument("--detector", default=DEFAULT_DETECTOR)
    parser.add_argument("--count", type=int, default=0, help="only the first faces (default: all)")
    arguments = parser.parse_args()
    faces = open_faces(arguments.data, split=arguments.split)
    recognizer = load(arguments.bundle, arguments.detector)
    detector, classifier, facts = recognizer.detector, recognizer.classifier, recognizer.bundle.input
    order = np.array(faces.label_set.indices_in(classifier.labels))
    random = np.random.default_rng(SEED)
    count = min(len(faces), arguments.count or len(faces))
    own: list[int] = []
    exact: list[int] = []
    placed_right: list[int] = []
    smaller = 0
    for pixels, label in zip(faces.pixels[:count], faces.labels[:count], strict=True):
        image, placed = place(pixels, random)
        detections = detector.detect(image)
        found = placed_among(detections, placed)
        if found is None:
            smaller += lies_within(detections, placed)
            continue
        squares = placed, detector.framing.square(found.box)
        crops = [crop_face(image, square, facts.size, facts.channels) for square in squares]
        answers = classifier.classify([fit_face(pixels, facts.size, facts.channels), *crops]).argmax(axis=1)
        for kind, answer in zip((own, exact, placed_right), answers, strict=True):
            kind.append(int(answer == order[label]))
    right = np.array([own, exact, placed_right])
    print(f"bundle {recognizer.bundle.name} {recognizer.bundle.sha256[:12]}, detector {detector.name}, seed {SEED}")
    print(f"found {right.shape[1]} of {count} faces of {arguments.split} ({100 * right.shape[1] / count:.1f} %)")
    print(f"{smaller} more have a box in them that covers too little of the crop to be told for theirs")
    for name, answers in zip(
        ("the data set's own crop", "cut where it was placed", "detect -> crop"), right, strict=True
    ):
        print(
            f"{name:<26}{100 * answers.mean():6.2f} %   95 % interval {accuracy_interval(int(answers.sum()), len(answers))}"
        )
    print(f"{'lost':<26}{100 * (right[0].mean() - right[2].mean()):6.2f} points")


if __name__ == "__main__":
    raise SystemExit(run_script("end_to_end", main))
