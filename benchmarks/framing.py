"""Where a detector finds the faces of a data set, and so how large its crops must be (`Framing` in preprocess.py), and where
their landmarks lie in the crops (`TEMPLATE`).

python -m benchmarks.framing fer2013.csv --detector haar
"""

from __future__ import annotations

import argparse
import math
from dataclasses import fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.placement import SEED, find_placed, place
from benchmarks.script import run_script
from edge_runtime.detectors import DEFAULT_DETECTOR, open_detector
from edge_runtime.detectors.base import Detection, Detector
from edge_runtime.facesets import open_faces
from edge_runtime.geometry import Box, Landmarks
from edge_runtime.preprocess import TEMPLATE, lie_of

SHARES = (50, 90, 99)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument(
        "--split", default="Training", help="the split that the crops must look like (default: Training)"
    )
    parser.add_argument("--detector", default=DEFAULT_DETECTOR)
    parser.add_argument("--count", type=int, default=3000, help="faces, drawn at random (default: 3000)")
    arguments = parser.parse_args()
    faces = open_faces(arguments.data, split=arguments.split)
    random = np.random.default_rng(SEED)
    detector = open_detector(arguments.detector)
    chosen = random.permutation(len(faces))[: arguments.count]
    shares, points, squares = [], [], []
    for index in chosen:
        image, placed = place(faces.pixels[index], random)
        found = find_placed(detector, image, placed)
        if found is not None:
            box, side = found.box, placed.width
            x, y = box.center
            shares.append(
                (box.width / side, box.height / side, (x - placed.center[0]) / side, (y - placed.center[1]) / side)
            )
            if found.landmarks is not None:
                corner = np.array([placed.left, placed.top])
                points.append((np.array(found.landmarks.as_tuple()) - corner) / side)
                squares.append(_squares(detector, found, placed))
    table = np.array(shares)
    print(f"{detector.name}: found {len(table)} of {len(chosen)} faces of {arguments.split} (seed {SEED})")
    print(f"{'share of the crop':<22}{'10 %':>8}{'median':>8}{'90 %':>8}")
    for name, column in zip(("box width", "box height", "centre, right", "centre, down"), table.T, strict=True):
        print(f"{name:<22}" + "".join(f"{value:>8.3f}" for value in np.percentile(column, [10, 50, 90])))
    width, height, right, down = np.median(table, axis=0)
    print(
        f"crop = {1 / width:.3f} × box width, or {1 / height:.3f} × box height, centre moved {-right:+.3f} right and {-down:+.3f} down"
    )
    print(f"in use: {detector.framing}")
    if points:
        _print_landmarks(np.array(points))
        _print_squares(np.array([square for square in squares if square is not None]))


def _print_landmarks(points: NDArray[np.float64]) -> None:
    """Medians of (N, 5, 2) shares of the crop, and how far single faces are from a similar figure of the template's."""
    print(f"\n{'landmarks, of ' + str(len(points)):<22}{'right':>8}{'down':>8}{'in use':>16}")
    for name, (x, y), (used_x, used_y) in zip(
        (field.name for field in fields(Landmarks)), np.median(points, axis=0), TEMPLATE.as_tuple(), strict=True
    ):
        print(f"{name.replace('_', ' '):<22}{x:>8.3f}{y:>8.3f}{used_x:>8.3f}{used_y:>8.3f}")


def _squares(detector: Detector, found: Detection, placed: Box) -> tuple[float, ...] | None:
    """What is cut of one face by its box and by its landmarks, in shares of the data set's crop: side, how far right and
    down its centre is, by the box and then by the landmarks; the angle in degrees and the misfit. None where landmarks fall together."""
    assert found.landmarks is not None
    fit, cut, side = lie_of(found.landmarks), detector.framing.square(found.box), placed.width
    if fit is None:
        return None
    middle = fit.turn * complex(0.5, 0.5) + fit.shift
    (x, y), (there_x, there_y) = placed.center, cut.center
    by_box = cut.width / side, (there_x - x) / side, (there_y - y) / side
    by_landmarks = fit.scale / side, (middle.real - x) / side, (middle.imag - y) / side
    return *by_box, *by_landmarks, math.degrees(math.atan2(fit.turn.imag, fit.turn.real)), fit.misfit


def _print_squares(table: NDArray[np.float64]) -> None:
    """Percentiles of the rows of `_squares`."""
    print(f"\n{'what is cut':<22}{'by the box':>24}{'by the landmarks':>24}")
    print(f"{'share of the crop':<22}" + f"{'10 %':>8}{'median':>8}{'90 %':>8}" * 2)
    columns = np.percentile(table, [10, 50, 90], axis=0).T
    for row, name in enumerate(("side", "centre, right", "centre, down")):
        print(f"{name:<22}" + "".join(f"{value:>8.3f}" for value in (*columns[row], *columns[row + 3])))
    print(f"{'turned, degrees':<22}{'':>24}" + "".join(f"{value:>8.1f}" for value in columns[6]))
    shown = (
        f"{share:g} % below {value:.3f}"
        for share, value in zip(SHARES, np.percentile(table[:, 7], SHARES), strict=True)
    )
    print(f"misfit of eyes and mouth: {', '.join(shown)}")


if __name__ == "__main__":
    raise SystemExit(run_script("framing", main))
