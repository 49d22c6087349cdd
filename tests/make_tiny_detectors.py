"""Makes the detectors of `tests/bundles` again: `python -m tests.make_tiny_detectors`. Needs TensorFlow.

They are committed so that the tests of the runtime need none. Their net takes every bright cell of 8 × 8 px for a face of
24 × 24 px about it, and of 16 × 16 px for one of 48 × 48 px, so what it must find is known; the coarsest level finds
nothing.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from convert.quiet import quiet_tensorflow
from edge_runtime.detectors.detector_bundle import DetectorFacts
from edge_runtime.detectors.detector_golden import make_detector_golden
from edge_runtime.detectors.tflite import TFLiteDetector
from edge_runtime.members import FACE_DETECTOR, FORMAT_VERSION, canonical_json, with_own_hash
from edge_runtime.preprocess import PREPROCESS_VERSION, Framing
from tests.support import BRIGHT_FLOAT, BRIGHT_INT8

FACTS = DetectorFacts(160, 128, 1, (8, 16, 32), 0.5, 0.6, Framing("height", 1.0))
POINTS = [-0.5, -0.5, 0.5, -0.5, 0.0, 0.0, -0.4, 0.7, 0.4, 0.7]


def bright_net() -> keras.Model:
    inputs = keras.Input((FACTS.height, FACTS.width, 1), name="pixels")
    outputs = []
    for stride in FACTS.strides:
        cells = layers.AveragePooling2D(stride)(inputs)
        for what, weight, bias in (
            ("score", 0.1, [-40.0 if stride == 32 else -20.0]),
            ("box", 0.0, [1.5] * 4),
            ("points", 0.0, POINTS),
        ):
            convolution = layers.Conv2D(
                len(bias),
                1,
                kernel_initializer=keras.initializers.Constant(weight),
                bias_initializer=lambda shape, dtype=None, bias=bias: np.array(bias, np.float32),
                activation="sigmoid" if what == "score" else None,
            )
            outputs.append(convolution(cells))
    return keras.Model(inputs, outputs)


def convert(net: keras.Model, int8: bool) -> bytes:
    converter = tf.lite.TFLiteConverter.from_keras_model(net)
    if int8:
        shape = (1, FACTS.height, FACTS.width, 1)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([np.full(shape, grey, np.float32)] for grey in (0, 255))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type, converter.inference_output_type = tf.uint8, tf.int8
    return bytes(converter.convert())


def pack(model: bytes, folder: Path, arithmetic: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    members = {"model.tflite": model, "golden.npz": b""}

    def write() -> None:
        listed = {
            name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in members.items()
        }
        manifest = {
            "format": FORMAT_VERSION,
            "kind": FACE_DETECTOR,
            "arithmetic": arithmetic,
            "name": folder.name,
            "preprocess": PREPROCESS_VERSION,
            "licence": "Apache-2.0",
            "members": listed,
            **FACTS.as_table(),
        }
        for name, data in members.items():
            (folder / name).write_bytes(data)
        (folder / "manifest.json").write_bytes(canonical_json(with_own_hash(manifest)))

    write()
    members["golden.npz"] = make_detector_golden(TFLiteDetector(str(folder)).answer, FACTS)
    write()


if __name__ == "__main__":
    with quiet_tensorflow():
        made = bright_net()
        files = convert(made, int8=True), convert(made, int8=False)
    pack(files[0], BRIGHT_INT8, "int8")
    pack(files[1], BRIGHT_FLOAT, "float32")
