"""Where a detector finds the faces of a data set, and so how large its crops must be (`Framing` in preprocess.py).

python -m benchmarks.framing fer2013.csv --detector haar
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from benchmarks.placement import SEED, find_placed, place
from edge_runtime.detectors import open_detector
from edge_runtime.facesets import open_faces


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
    shares = []
    for index in chosen:
        image, placed = place(faces.pixels[index], random)
        found = find_placed(detector, image, placed)
        if found is not None:
            box, side = found.box, placed.width
            x, y = box.center
            shares.append(
                (box.width / side, box.height / side, (x - placed.center[0]) / side, (y - placed.center[1]) / side)
            )
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


if __name__ == "__main__":
    main()
