"""How much of its accuracy a model keeps where pictures are worse than those it learned from.

    python -m benchmarks.robustness SIDE… --data data/fer2013.csv [--split PublicTest] [--votes CSV] [--label-set SET] [--picture FILE.png]

A SIDE is a bundle's name or folder, a .tflite or .onnx file, or a run's model.keras. Every side sees the same changed
faces, made from the data set's own crops with one seed. --picture shows them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.script import run_script
from convert.parity.record_side import RecordSide
from convert.parity.sides import ModelSide, Options, open_side, side_names
from convert.parity.task import Data, make_task, order_in, shared_labels
from edge_runtime.illumination import normalize_all
from edge_runtime.labels import label_set
from edge_runtime.preprocess import fit_face
from train.terminal import table

Face = NDArray[np.uint8]
SEED, SHOWN = 7, 8


def blurred(face: Face, random: np.random.Generator) -> Face:
    """Gaussian, sigma 3 % of the side: what a lens out of focus leaves."""
    del random
    return _uint8(cv2.GaussianBlur(face, (0, 0), 0.03 * len(face)))


def dark(face: Face, random: np.random.Generator) -> Face:
    """A fifth of the light, and a sensor's noise of 3 grey levels."""
    return _uint8(0.2 * face + random.normal(0, 3, face.shape))


def compressed(face: Face, random: np.random.Generator) -> Face:
    """JPEG of quality 30."""
    del random
    data = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, 30])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_UNCHANGED), np.uint8)


def turned(face: Face, random: np.random.Generator) -> Face:
    """By an angle between -20 and 20 degrees about the middle; borders repeat."""
    middle = (len(face) - 1) / 2
    turn = cv2.getRotationMatrix2D((middle, middle), random.uniform(-20, 20), 1)
    return _uint8(cv2.warpAffine(face, turn, face.shape[1::-1], borderMode=cv2.BORDER_REPLICATE))


def half_hidden(face: Face, random: np.random.Generator) -> Face:
    """One half, left, right, upper or lower, painted over with the face's mean."""
    half, found = len(face) // 2, face.copy()
    side = random.integers(4)
    part = (slice(None), slice(0, half)) if side < 2 else (slice(0, half), slice(None))
    view = found if side % 2 == 0 else found[::-1, ::-1]
    view[part] = np.rint(face.mean(axis=(0, 1)))
    return found


CHANGES: dict[str, Callable[[Face, np.random.Generator], Face]] = {
    "blur": blurred,
    "low light": dark,
    "JPEG 30": compressed,
    "turned ±20°": turned,
    "half hidden": half_hidden,
}


def changed(faces: NDArray[np.uint8], change: str) -> NDArray[np.uint8]:
    """Faces (N, H, W) or (N, H, W, C), each changed; the same seed whichever side asks."""
    random = np.random.default_rng(SEED)
    return np.stack([CHANGES[change](face, random) for face in faces])


def _uint8(values: NDArray[np.generic]) -> Face:
    return np.clip(np.rint(values.astype(np.float64)), 0, 255).astype(np.uint8)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.robustness", description=__doc__.splitlines()[0])
    parser.add_argument("sides", nargs="+", metavar="SIDE", help="bundle, .tflite, .onnx or .keras")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--votes", type=Path, help="FER+'s, for models of its labels")
    parser.add_argument("--split", default="PublicTest")
    parser.add_argument("--label-set", help="of models that do not name theirs")
    parser.add_argument("--picture", type=Path, metavar="FILE.png", help="write a sheet of changed faces")
    arguments = parser.parse_args(argv)
    names = side_names(arguments.sides)
    sides = [_model(place, name) for place, name in zip(arguments.sides, names, strict=True)]
    known = [(side.about.name, side.about.labels) for side in sides if side.about.labels is not None]
    asked = None if arguments.label_set is None else label_set(arguments.label_set)
    labels = shared_labels(known, asked)
    task = make_task(Data(arguments.data, arguments.split, arguments.votes), labels, sides[0].about.input, asked)
    judged = task.faces.labels >= 0
    pictures = task.faces.pixels
    if arguments.picture is not None:
        _write_sheet(pictures, arguments.picture)
    truth = task.faces.labels[judged]
    views = {"as they are": pictures} | {name: changed(pictures, name) for name in CHANGES}
    rows: list[Sequence[object]] = [("side", *views)]
    with tqdm(total=len(sides) * len(views) * int(judged.sum()), unit="face", disable=not sys.stderr.isatty()) as bar:
        for side in sides:
            order = order_in(labels, side.about.name, side.about.labels or labels.names)
            right = [_right(side, view[judged], truth, order, bar.update) for view in views.values()]
            rows.append((side.about.name, *(f"{100 * share:.2f} %" for share in right)))
    print(f"{int(judged.sum())} faces of {arguments.data.name}, {arguments.split}, seed {SEED}\n{table(rows)}")
    return 0


def _model(place: str, name: str) -> ModelSide:
    side = open_side(place, name, Options())
    if isinstance(side, RecordSide):
        raise SystemExit(f"{place}: a record; expected a model, which can be asked about changed faces")
    return side


def _right(
    side: ModelSide,
    faces: NDArray[np.uint8],
    truth: NDArray[np.int16],
    order: NDArray[np.int64],
    advance: Callable[[int], object],
) -> float:
    """The share of faces that a side names rightly, through the deployed preprocessing."""
    wanted = side.about.input
    sized = np.stack([fit_face(face, wanted.size, wanted.channels) for face in faces])
    answers = side.probabilities(normalize_all(sized, wanted.illumination), advance)
    return float((answers[:, order].argmax(axis=1) == truth).mean())


def _write_sheet(pictures: NDArray[np.uint8], path: Path) -> None:
    """A row a change, the first faces of the data in columns, twice their size."""
    shown = pictures[:SHOWN]
    rows = [np.hstack(list(row)) for row in (shown, *(changed(shown, name) for name in CHANGES))]
    sheet = np.vstack(rows).repeat(2, axis=0).repeat(2, axis=1)
    cv2.imwrite(str(path), sheet)


if __name__ == "__main__":
    raise SystemExit(run_script("robustness", main))
