"""Converted models take raw uint8 pixels and answer as their Keras model does."""

from dataclasses import replace

import numpy as np
import pytest

from convert.calibration import choose_calibration
from convert.errors import GraphError, SourceError
from convert.graph import read_graph
from convert.quiet import quiet_tensorflow
from convert.tflite import convert_model, keras_facts, read_keras
from edge_runtime.interpreter import Model, find_implementation
from edge_runtime.tensors import Quantization
from tests.convert.made import made_up_faces, made_up_pixels, tiny_model

FACES = made_up_pixels(100, seed=9)

INT8_TOLERANCE, INT8_MEAN_TOLERANCE = 0.15, 0.02
"""Between probabilities of the tiny net and of its int8 form, over made-up faces. Its logits are blown up to be decided,
and quantization's steps with them: a trained net is nearer."""


def expected(model, pixels=FACES):
    return np.asarray(model(pixels.astype(np.float32), training=False))


def answers(content, pixels=FACES):
    model = Model(content)
    return np.concatenate([model.dequantized(model.run(face[None])) for face in pixels])


def test_int8_takes_and_gives_uint8_with_raw_pixels_going_straight_in(int8):
    model = Model(int8)
    assert (model.input.dtype, model.input.shape) == ("uint8", (1, 48, 48, 1))
    assert model.input.quantization == Quantization(1.0, 0)
    assert (model.output.dtype, model.output.shape) == ("uint8", (1, 7))
    assert model.output.quantization == Quantization(1 / 256, 0)


def test_int8_has_no_float_tensor_and_no_open_shape(int8):
    graph = read_graph(int8, "tiny")
    assert {tensor.dtype for tensor in graph.tensors} == {"uint8", "int8", "int32"}
    assert all(min(tensor.signature, default=1) >= 1 for tensor in graph.tensors)


def test_int8_agrees_with_keras(keras_model, int8):
    wanted, found = expected(keras_model), answers(int8)
    assert np.abs(wanted - found).max() < INT8_TOLERANCE
    assert np.abs(wanted - found).mean() < INT8_MEAN_TOLERANCE
    assert (wanted.argmax(axis=1) == found.argmax(axis=1)).mean() >= 0.95


def test_float32_takes_uint8_and_equals_keras(keras_model, float32):
    model = Model(float32)
    assert (model.input.dtype, model.output.dtype) == ("uint8", "float32")
    assert np.abs(expected(keras_model) - answers(float32)).max() < 1e-4


def test_made_up_faces_tell_the_classes_apart(keras_model):
    """Otherwise the agreements above would say nothing."""
    assert len(set(expected(keras_model).argmax(axis=1))) >= 5


def test_dull_calibration_faces_still_give_scale_one(keras_model):
    faces = made_up_faces()
    faces.pixels[:] = 60 + faces.pixels // 2
    content = convert_model(keras_model, "int8", choose_calibration(faces, "dull", 48, 1, count=64))
    assert Model(content).input.quantization == Quantization(1.0, 0)


def test_calibration_that_misses_the_ends_of_the_range_is_refused(keras_model, calibration):
    narrow = replace(calibration, pixels=calibration.pixels.clip(10, 200))
    with pytest.raises(GraphError, match=r"input uint8 with scale 0\.7.*expected uint8 with scale 1, zero point 0"):
        convert_model(keras_model, "int8", narrow)


def test_faces_of_three_channels_are_converted_too():
    model = tiny_model(32, 3, 8)
    calibration = choose_calibration(made_up_faces(channels=3), "made up", 32, 3, count=40)
    content = convert_model(model, "int8", calibration)
    pixels = made_up_pixels(50, 32, 3, seed=9)
    assert np.abs(expected(model, pixels) - answers(content, pixels)).max() < INT8_TOLERANCE


@pytest.mark.parametrize("kind", ["int8", "float32"])
def test_batch_of_eight_gives_the_same_answers_as_eight_faces(kind, request):
    content = request.getfixturevalue(kind)
    interpreter = find_implementation().factory(model_content=content)
    index = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(index, [8, 48, 48, 1])
    interpreter.allocate_tensors()
    interpreter.set_tensor(index, FACES[:8])
    interpreter.invoke()
    together = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    alone = np.concatenate([Model(content).run(face[None]) for face in FACES[:8]])
    assert np.abs(together.astype(np.float32) - alone.astype(np.float32)).max() < 1e-6


def test_model_without_softmax_is_refused(calibration):
    model = tiny_model(softmax=False)
    with pytest.raises(SourceError, match="softmax"):
        convert_model(model, "int8", calibration)


def test_layer_that_tflite_lacks_is_refused_in_one_line(calibration):
    with quiet_tensorflow():
        import keras
        import tensorflow as tf

        class Odd(keras.layers.Layer):
            def call(self, x):
                return x + 0 * tf.math.betainc(1.0, 1.0, keras.ops.sigmoid(x))

        inner = tiny_model()
        model = keras.Model(inner.inputs, Odd()(inner.output))
    with pytest.raises(GraphError, match=r"(?i)betainc") as caught:
        convert_model(model, "int8", calibration)
    assert "\n" not in str(caught.value)


def test_wrong_kind_or_calibration_is_a_mistake_of_the_caller(keras_model, calibration):
    for kind, faces in (("int8", None), ("float32", calibration), ("int4", calibration)):
        with pytest.raises(ValueError, match=kind):
            convert_model(keras_model, kind, faces)


def test_models_of_another_form_are_refused():
    with quiet_tensorflow():
        import keras
        from keras import layers

        def model(shape, classes=7, **options):
            inputs = keras.Input(shape, **options)
            outputs = layers.Dense(classes)(layers.Flatten()(inputs))
            return keras.Model(inputs, outputs)

        two = keras.Input((8, 8, 1)), keras.Input((8, 8, 1))
        cases = [
            (keras.Model(two, layers.Add()(two)), "2 inputs"),
            (model((8, 9, 1)), "input float32"),
            (model((8, 8, 2)), "input float32"),
            (model((8, 8)), "input float32"),
            (model((8, 8, 1), dtype="uint8"), "input uint8"),
            (keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(1, 3)]), "output"),
            (
                keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(7, dtype="mixed_bfloat16")]),
                "computes in less",
            ),
        ]
    for case, named in cases:
        with pytest.raises(SourceError, match=named):
            keras_facts(case, "it")


def test_files_that_are_no_keras_model_are_refused_by_name(tmp_path, made):
    cut = tmp_path / "cut.keras"
    cut.write_bytes(made.model.read_bytes()[:2000])
    text = tmp_path / "text.keras"
    text.write_text("hello")
    for path in (tmp_path / "none.keras", tmp_path, text, cut, made.data):
        with pytest.raises(SourceError) as caught:
            read_keras(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
