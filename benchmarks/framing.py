"""Where a detector finds the faces of a data set, and so how large its crops must be (`Framing` in preprocess.py), and where
their landmarks lie in the crops (`TEMPLATE`).

python -m benchmarks.framing fer2013.csv --detector haar
"""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.placement import SEED, find_placed, place
from edge_runtime.detectors import open_detector
from edge_runtime.facesets import open_faces
from edge_runtime.geometry import Landmarks, fit_similarity
from edge_runtime.preprocess import TEMPLATE

SHARES = (50, 90, 99)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument(
        "--split", default="Training", help="the split that the crops must look like (default: Training)"
    )
    parser.add_argument("--detector", default="haar")
    parser.add_argument("--count", type=int, default=3000, help="faces, drawn at random (default: 3000)")
    arguments = parser.parse_args()
    faces = open_faces(arguments.data, split=arguments.split)
    random = np.random.default_rng(SEED)
    detector = open_detector(arguments.detector)
    chosen = random.permutation(len(faces))[: arguments.count]
    shares, points = [], []
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


def _print_landmarks(points: NDArray[np.float64]) -> None:
    """Medians of (N, 5, 2) shares of the crop, and how far single faces are from a similar figure of the template's."""
    print(f"\n{'landmarks, of ' + str(len(points)):<22}{'right':>8}{'down':>8}{'in use':>16}")
    for name, (x, y), (used_x, used_y) in zip(
        (field.name for field in fields(Landmarks)), np.median(points, axis=0), TEMPLATE.as_tuple(), strict=True
    ):
        print(f"{name.replace('_', ' '):<22}{x:>8.3f}{y:>8.3f}{used_x:>8.3f}{used_y:>8.3f}")
    corners = [0, 1, 3, 4]
    template = [TEMPLATE.as_tuple()[index] for index in corners]
    fits = [fit_similarity(template, face[corners].tolist()) for face in points]
    misfits = [1.0 if fit is None else fit.misfit for fit in fits]
    shown = ", ".join(
        f"{share:g} % below {value:.3f}" for share, value in zip(SHARES, np.percentile(misfits, SHARES), strict=True)
    )
    print(f"misfit of eyes and mouth: {shown}")


if __name__ == "__main__":
    main()
