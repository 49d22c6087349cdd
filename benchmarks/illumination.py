"""What each illumination normalisation takes away of a change of light, and what it costs.

    python -m benchmarks.illumination fer2013.csv
    python -m benchmarks.illumination --picture docs/images/illumination.png

The first prints a row a method: its time for a face, and the difference that other light makes to a face, in standard
deviations of the face's own grey levels. The second draws the demo's portrait under four lights, a column a method.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.script import run_script
from edge_runtime.commands.bench import demo_frame
from edge_runtime.facesets import open_faces
from edge_runtime.illumination import ILLUMINATIONS, normalize_all
from edge_runtime.members import DEFAULT_BUNDLE
from edge_runtime.pipeline import load
from edge_runtime.preprocess import crop_face

Shares = NDArray[np.float64]
LIGHTS: dict[str, Callable[[Shares], Shares]] = {
    "half": lambda face: face * 0.5,
    "gamma 1.6": lambda face: face**1.6,
    "from one side": lambda face: face * np.linspace(0.4, 1, face.shape[-1]),
}
COUNT, SEED = 1000, 7


def relit(faces: NDArray[np.uint8], light: str) -> NDArray[np.uint8]:
    """Grey faces (N, H, W) under another light."""
    return np.rint(LIGHTS[light](faces / 255) * 255).astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path)
    parser.add_argument("--split", default="Training")
    parser.add_argument("--picture", type=Path)
    arguments = parser.parse_args()
    if arguments.picture is not None:
        cv2.imwrite(str(arguments.picture), strip(), [cv2.IMWRITE_PNG_COMPRESSION, 9])
    if arguments.data is not None:
        faces = open_faces(arguments.data, split=arguments.split).pixels
        _table(faces[np.random.default_rng(SEED).permutation(len(faces))[:COUNT]])


def strip() -> NDArray[np.uint8]:
    """Four rows (as it is, and the lights), a column a method: grey, faces of 96 px shown from 48."""
    recognizer = load(DEFAULT_BUNDLE)
    detector, frame = recognizer.detector, demo_frame()
    face = crop_face(frame, detector.framing.square(detector.detect(frame)[0].box), 48, 1)[None, ..., 0]
    rows = [face, *(relit(face, light) for light in LIGHTS)]
    columns = [np.vstack([normalize_all(row, name)[0] for row in rows]) for name in ILLUMINATIONS]
    picture: NDArray[np.uint8] = np.hstack(columns)
    return picture.repeat(2, axis=0).repeat(2, axis=1)


def _table(faces: NDArray[np.uint8]) -> None:
    print(f"{len(faces)} faces of {faces.shape[2]} × {faces.shape[1]} px, seed {SEED}")
    print(f"{'illumination':<26}{'ms a face':>10}" + "".join(f"{light:>16}" for light in LIGHTS))
    for name in ILLUMINATIONS:
        began = time.perf_counter()
        before = normalize_all(faces, name).astype(np.float64)
        took_ms = (time.perf_counter() - began) / len(faces) * 1e3
        spread = before.std(axis=(1, 2)).mean()
        left = (np.abs(before - normalize_all(relit(faces, light), name)).mean() / spread for light in LIGHTS)
        print(f"{name:<26}{took_ms:>10.2f}" + "".join(f"{value:>16.2f}" for value in left))


if __name__ == "__main__":
    raise SystemExit(run_script("illumination", main))
