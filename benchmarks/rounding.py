"""How near the rounding that a net is fine-tuned under (`train/quantization.py`) comes to a converted int8 file.

    python -m benchmarks.rounding runs/vgg_short/model.keras runs/vgg_short/int8.tflite fer2013.csv --faces 500

Prints, for faces of a split: how often the float32 model, the same with int8's rounding, and the file are right; how often
they agree; and how far their probabilities are from each other.
"""

from __future__ import annotations

import argparse
from itertools import combinations
from pathlib import Path

import numpy as np

from benchmarks.script import run_script
from edge_runtime.facesets import open_faces
from edge_runtime.interpreter import Model
from train.terminal import hushed

SEED = 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("int8", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--split", default="PublicTest")
    parser.add_argument("--faces", type=int, help="how many, drawn with a fixed seed (default: all)")
    arguments = parser.parse_args()
    with hushed():
        from train.evaluate import load_model, predict
        from train.faces import labelled
        from train.quantization import fake_quantized

    faces = labelled(open_faces(arguments.data, split=arguments.split))
    if arguments.faces is not None:
        chosen = np.random.default_rng(SEED).choice(len(faces), min(arguments.faces, len(faces)), replace=False)
        faces = faces.where(np.sort(chosen))
    model, file = load_model(arguments.model), Model(arguments.int8.read_bytes(), name=str(arguments.int8))
    pixels = faces.pixels[..., None] if faces.pixels.ndim == 3 else faces.pixels
    answers = {
        "float32": predict(model, faces.pixels),
        "rounded": predict(fake_quantized(model), faces.pixels),
        "int8 file": np.concatenate([file.dequantized(file.run(face[None])) for face in pixels]),
    }
    print(f"{len(faces)} faces of {arguments.split}, seed {SEED}")
    for name, given in answers.items():
        print(f"{name:<24}{100 * (given.argmax(axis=1) == faces.labels).mean():>7.2f} % right")
    for (name, one), (other, two) in combinations(answers.items(), 2):
        agreed, far = (one.argmax(axis=1) == two.argmax(axis=1)).sum(), np.abs(one - two).mean()
        print(f"{name + ' and ' + other:<24}{agreed:>7} agree, mean |Δp| {far:.4f}")


if __name__ == "__main__":
    raise SystemExit(run_script("rounding", main))
