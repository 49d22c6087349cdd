"""What alignment gains or costs: faces placed in pictures and turned, found, cut out with alignment off and on, and classified.

python -m benchmarks.alignment fer2013.csv --detector yunet:MODEL.onnx tflite:BUNDLE_DIR

"own crop" is the accuracy on the data set's own crops of the same faces. A detector without landmarks gives the same off and on.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.placement import SEED, find_placed, place
from benchmarks.script import run_script
from edge_runtime.classifier import Classifier
from edge_runtime.detectors import DEFAULT_DETECTOR, Detector
from edge_runtime.facesets import FaceSet, open_faces
from edge_runtime.pipeline import load
from edge_runtime.preprocess import ALIGNMENTS, SIMILARITY, align_face, cut_face, fit_face

ANGLES_DEG = (-30, -20, -10, 0, 10, 20, 30)


@dataclass
class Tally:
    """Faces of one detector at one angle.

    Attributes:
        looked_for: how many.
        aligned: of those found, how many `align_face` takes.
        right: for each found face whether its own crop, the one without and the one with alignment was read rightly.
        faces: for each found face its number: the same face is found at several angles.
    """

    looked_for: int = 0
    aligned: int = 0
    right: list[tuple[bool, ...]] = field(default_factory=list)
    faces: list[int] = field(default_factory=list)

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.looked_for + other.looked_for,
            self.aligned + other.aligned,
            self.right + other.right,
            self.faces + other.faces,
        )


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--split", default="PublicTest")
    parser.add_argument("--bundle", default="fer2013", help="that answers the labels of the data (default: fer2013)")
    parser.add_argument("--detector", nargs="+", default=[DEFAULT_DETECTOR], metavar="D")
    parser.add_argument("--count", type=int, default=600, help="faces, drawn at random (default: 600)")
    parser.add_argument(
        "--angle", nargs="+", type=float, default=ANGLES_DEG, metavar="DEG", help="to turn pictures by, clockwise"
    )
    arguments = parser.parse_args(argv)
    faces = open_faces(arguments.data, split=arguments.split)
    chosen = np.random.default_rng(SEED).permutation(len(faces))[: arguments.count]
    print(f"{len(chosen)} faces of {arguments.split}, seed {SEED}, bundle {arguments.bundle}")
    print(
        f"{'detector':<10}{'turned':>8}{'found':>14}{'aligned':>9}{'own crop':>10}{'off':>8}{'on':>8}{'on - off, 95 %':>22}"
    )
    for spec in arguments.detector:
        recognizer = load(arguments.bundle, spec)
        every = Tally()
        for angle in arguments.angle:
            tally = measure(faces.where(chosen), angle, recognizer.classifier, recognizer.detector)
            _print(recognizer.detector.name, f"{angle:+g}", tally)
            every += tally
        _print(recognizer.detector.name, "all", every)
    return 0


def measure(faces: FaceSet, angle: float, classifier: Classifier, detector: Detector) -> Tally:
    """Every face in a picture turned by `angle` degrees; places and sizes are the same for all angles."""
    random = np.random.default_rng(SEED)
    facts, order = classifier.bundle.input, faces.label_set.indices_in(classifier.labels)
    tally = Tally()
    for number, (pixels, label) in enumerate(zip(faces.pixels, faces.labels, strict=True)):
        image, placed = place(pixels, random, angle)
        found = find_placed(detector, image, placed)
        tally.looked_for += 1
        if found is None:
            continue
        if found.landmarks is not None and align_face(image, found.landmarks, facts.size, facts.channels) is not None:
            tally.aligned += 1
        crops = [fit_face(pixels, facts.size, facts.channels)]
        crops += [
            cut_face(image, found.box, found.landmarks, detector.framing, facts.size, facts.channels, alignment)
            for alignment in ALIGNMENTS
        ]
        answers = classifier.classify(crops).argmax(axis=1)
        tally.right.append(tuple(int(answer) == order[label] for answer in answers))
        tally.faces.append(number)
    return tally


def _print(detector: str, angle: str, tally: Tally) -> None:
    right = np.array(tally.right, float).reshape(-1, 1 + len(ALIGNMENTS))
    found = f"{len(right)} of {tally.looked_for}"
    shares = "".join(f"{100 * share:>{width}.2f}" for share, width in zip(right.mean(axis=0), (10, 8, 8), strict=True))
    print(
        f"{detector:<10}{angle:>8}{found:>14}{tally.aligned:>9}{shares}{_difference(right, tally.faces):>22}",
        flush=True,
    )


def _difference(right: NDArray[np.float64], faces: list[int]) -> str:
    """Points gained, and the interval of the paired difference of proportions (normal approximation), where what one face
    says at several angles counts as one observation."""
    gains = 100 * (right[:, 1 + ALIGNMENTS.index(SIMILARITY)] - right[:, 1])
    of_faces = np.bincount(faces, weights=gains - gains.mean())
    reach = 1.96 * np.sqrt((of_faces**2).sum()) / len(gains)
    return f"{gains.mean():+.2f} ({gains.mean() - reach:+.1f}..{gains.mean() + reach:+.1f})"


if __name__ == "__main__":
    raise SystemExit(run_script("alignment", main))
