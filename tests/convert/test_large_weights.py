"""A model with more weights than ai-edge-quantizer keeps within its tables comes out whole."""

import numpy as np
import pytest

from convert.calibration import choose_calibration
from convert.graph import read_graph
from convert.quiet import quiet_tensorflow
from convert.recipe import Recipe
from convert.tflite import convert
from convert.trial import keras_answers, tflite_answers
from tests.convert.made import made_up_faces, made_up_pixels

WEIGHTS = 12 * 12 * 2000
"""One byte each as int8: more than the 256 KiB beyond which they are put behind the tables."""


@pytest.fixture(scope="module")
def wide_model():
    with quiet_tensorflow():
        import keras
        from keras import layers

        keras.utils.set_random_seed(4)
        return keras.Sequential(
            [
                keras.Input((12, 12, 1)),
                layers.Rescaling(1 / 127.5, -1),
                layers.Flatten(),
                layers.Dense(2000, activation="relu", name="wide"),
                layers.Dense(7, name="logits", kernel_initializer=keras.initializers.RandomNormal(stddev=0.05)),
                layers.Softmax(),
            ]
        )


@pytest.mark.parametrize("kind", ["mixed", "int16x8"])
def test_weights_beyond_256_kib_are_in_the_file_and_in_the_answers(wide_model, kind):
    recipe = Recipe("made", kind, "", keep_layers=("logits",) if kind == "mixed" else (), count=64)
    calibration = choose_calibration(made_up_faces(), "made up", 12, 1, count=64)
    content = convert(wide_model, recipe, calibration).content
    assert len(content) > WEIGHTS
    assert any(tensor.constant and tensor.shape == (2000, 144) for tensor in read_graph(content, kind).tensors)
    pixels = made_up_pixels(20, 12, seed=9)
    assert np.abs(tflite_answers(content, pixels, kind) - keras_answers(wide_model, pixels)).max() < 0.05
