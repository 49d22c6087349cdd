"""Dense layers as convolutions over one pixel: the same integers, for one face and for a batch, and all on an Edge TPU."""

from dataclasses import replace

import numpy as np
import pytest

from convert.dense import dense_as_convolutions
from convert.edgetpu import predict, read_rules
from convert.graph import read_operators
from convert.recipe import read_recipe
from convert.tflite import convert_model
from edge_runtime.bundle import read_bundle
from edge_runtime.interpreter import Model
from edge_runtime.members import shipped_bundles
from tests.convert.made import made_up_pixels
from tests.support import TINY_COLOUR, TINY_GREY


def stored(content, faces):
    model = Model(content)
    return np.concatenate([model.run(face[None]) for face in faces])


def test_models_of_today_have_a_scale_for_each_output_of_a_dense_layer(keras_model, calibration):
    dense = convert_model(keras_model, replace(read_recipe("int8"), dense="dense"), calibration)
    first = predict(read_operators(dense, "it"), read_rules()).first
    assert (first.operator, first.rule) == ("FULLY_CONNECTED", "per-tensor-weights")


@pytest.mark.parametrize("bundle", [TINY_GREY, TINY_COLOUR, *shipped_bundles()])
def test_every_int8_bundle_is_predicted_to_run_whole_on_an_edge_tpu(bundle):
    read = read_bundle(bundle)
    if read.manifest["arithmetic"] != "int8":
        pytest.skip("an Edge TPU is not meant to run it")
    assert predict(read_operators(read.model, "it"), read_rules()).whole


def test_int8_is_converted_so_and_is_predicted_to_run_whole_on_an_edge_tpu(keras_model, calibration, int8):
    dense = convert_model(keras_model, replace(read_recipe("int8"), dense="dense"), calibration)
    faces = made_up_pixels(60, seed=5)
    np.testing.assert_array_equal(stored(int8, faces), stored(dense, faces))
    assert predict(read_operators(int8, "tiny"), read_rules()).whole
    assert "FULLY_CONNECTED" not in read_operators(int8, "tiny").operators
    assert "FULLY_CONNECTED" in read_operators(dense, "tiny").operators


def test_faces_may_still_come_in_batches(int8):
    from ai_edge_litert.interpreter import Interpreter

    faces = made_up_pixels(5, seed=6)
    interpreter = Interpreter(model_content=int8)
    place = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(place, faces.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(place, faces)
    interpreter.invoke()
    found = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    np.testing.assert_array_equal(found, stored(int8, faces))


def test_models_without_such_layers_stay_as_they_are(float32, int8):
    for content in (float32, int8):
        before, after = read_operators(content, "it"), read_operators(dense_as_convolutions(content), "it")
        assert (after.operators, after.tensors) == (before.operators, before.tensors)


def test_dense_layer_without_a_bias_becomes_a_convolution_whose_bias_is_zero(keras_model, calibration):
    from ai_edge_litert import schema_py_generated as schema

    from convert.flatbuffer import to_bytes

    dense = convert_model(keras_model, replace(read_recipe("int8"), dense="dense"), calibration)
    model = schema.ModelT.InitFromPackedBuf(dense, 0)
    for operator in model.subgraphs[0].operators:
        if isinstance(operator.builtinOptions, schema.FullyConnectedOptionsT):
            operator.inputs = np.array([*operator.inputs[:2], -1], np.int32)
    without = to_bytes(model)
    faces = made_up_pixels(40, seed=8)
    assert (stored(without, faces) != stored(dense, faces)).any()
    rewritten = dense_as_convolutions(without)
    assert "FULLY_CONNECTED" not in read_operators(rewritten, "it").operators
    np.testing.assert_array_equal(stored(rewritten, faces), stored(without, faces))


def test_fused_activation_of_a_dense_layer_is_kept(keras_model, calibration):
    from ai_edge_litert import schema_py_generated as schema

    from convert.flatbuffer import to_bytes

    dense = convert_model(keras_model, replace(read_recipe("int8"), dense="dense"), calibration)
    model = schema.ModelT.InitFromPackedBuf(dense, 0)
    for operator in model.subgraphs[0].operators:
        if isinstance(operator.builtinOptions, schema.FullyConnectedOptionsT):
            operator.builtinOptions.fusedActivationFunction = schema.ActivationFunctionType.RELU
    clipped = to_bytes(model)
    faces = made_up_pixels(40, seed=7)
    assert (stored(clipped, faces) != stored(dense, faces)).any()
    np.testing.assert_array_equal(stored(dense_as_convolutions(clipped), faces), stored(clipped, faces))
