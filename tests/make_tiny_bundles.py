"""Makes the bundles of `tests/bundles` again: `python -m tests.make_tiny_bundles`. Needs the conversion extras.

They are committed so that the tests of the runtime need no TensorFlow. Their nets know nothing about faces.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from convert.cli import main
from convert.quiet import quiet_tensorflow
from edge_runtime.facesets import write_prepared
from edge_runtime.labels import FER2013, FERPLUS, LabelSet
from tests.convert.made import made_up_faces, tiny_model
from tests.support import TINY_COLOUR, TINY_GREY


def make(out: Path, labels: LabelSet, size: int, channels: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model, data, converted = folder / "tiny.keras", folder / "made_up.npz", folder / "tiny.tflite"
        write_prepared(made_up_faces(labels=labels, channels=channels, size=size), data)
        with quiet_tensorflow():
            tiny_model(size, channels, len(labels)).save(model)
        convert = f"tflite {model} --kind int8 --calibration {data} --count 64 --out {converted}"
        pack = (
            f"pack {converted} --name {out.name} --label-set {labels.name} --licence Apache-2.0 --out {out} --replace"
        )
        for command in (convert, pack):
            if main(command.split()) != 0:
                raise SystemExit(f"python -m convert {command}")


if __name__ == "__main__":
    make(TINY_GREY, FER2013, 48, 1)
    make(TINY_COLOUR, FERPLUS, 40, 3)
