"""Which nets of the recipes an Edge TPU runs whole, before a day is spent on training them.

    python -m benchmarks.edgetpu                      # every recipe's net
    python -m benchmarks.edgetpu mobilenet_v2 vgg     # some

Each net is built without training, converted to int8 on noise as `python -m convert tflite --kind int8` converts, and judged by
the rules of `python -m convert edgetpu --check`. Which operators a file has does not depend on its weights.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from benchmarks.script import run_script
from convert.dense import dense_as_convolutions
from convert.edgetpu import predict, read_rules
from convert.graph import read_operators
from convert.quiet import quiet_tensorflow
from edge_runtime.labels import label_set
from train.detection.recipe import DETECTOR, read_detector_recipe
from train.recipe import kind_of, list_recipes, read_recipe

SEED = 1
FACES = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="*", default=[*list_recipes(DETECTOR), *list_recipes()], metavar="RECIPE")
    arguments = parser.parse_args()
    rules = read_rules()
    print(f"{'recipe':<34}{'operators':>10}{'mapped':>8}  first on the CPU")
    for name in arguments.recipes:
        graph = read_operators(int8(net_of(name)), name)
        prediction = predict(graph, rules)
        mapped = sum(fate.mapped for fate in prediction.fates)
        first = prediction.first
        said = "none" if first is None else f"{first.operator}: {first.reason}"
        print(f"{name:<34}{len(prediction.fates):>10}{mapped:>8}  {said}", flush=True)


def net_of(recipe: str) -> Any:
    """The Keras model that a recipe trains, as it is saved and converted, with fresh weights."""
    import keras

    from train.models import build_logits, face_detector, with_softmax

    keras.utils.set_random_seed(SEED)
    if kind_of(recipe) == DETECTOR:
        net = read_detector_recipe(recipe).model
        return face_detector.with_scores(face_detector.build(net.options, (net.width, net.height), net.channels))
    table = read_recipe(recipe)
    classes = len(label_set(table.label_set))
    options = {key: value for key, value in table.model.options.items() if key != "weights"}
    return with_softmax(
        build_logits(table.model.architecture, options, classes, table.model.net_size, table.model.channels)
    )


def int8(model: Any) -> bytes:
    """Integers throughout, uint8 at its ends."""
    with quiet_tensorflow():
        import keras
        import tensorflow as tf

        shape = (1, *model.input_shape[1:])
        noise = np.random.default_rng(SEED).integers(0, 256, (FACES, *shape)).astype(np.float32)
        inputs = keras.Input(batch_shape=shape, name="pixels")
        one = keras.Model(inputs, model(inputs, training=False))
        converter = tf.lite.TFLiteConverter.from_keras_model(one)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([picture] for picture in noise)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.uint8
        return dense_as_convolutions(bytes(converter.convert()))


if __name__ == "__main__":
    raise SystemExit(run_script("edgetpu", main))
