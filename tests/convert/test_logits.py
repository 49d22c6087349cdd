"""Where a converted model has its logits: found where the board may read them, and nowhere else."""

import numpy as np
import pytest

from convert.flatbuffer import rewritten
from convert.graph import read_graph
from convert.logits import find_logits
from convert.metadata import Description, with_metadata
from convert.tflite import convert_model
from edge_runtime.interpreter import Model
from edge_runtime.labels import FER2013
from edge_runtime.logits import softmax
from tests.convert.made import made_up_pixels

DESCRIPTION = Description("tiny", "A test.", "Apache-2.0", 48, 1, FER2013)


def test_what_the_last_softmax_reads_becomes_the_output_and_gives_the_same_answers(int8):
    packed = with_metadata(int8, DESCRIPTION)
    place = find_logits(packed)
    before, after = Model(packed), Model(place.answering(packed))
    assert after.output.dtype == "int8"
    assert read_graph(packed, "it").tensors[place.tensor].shape == (1, 7)
    faces = made_up_pixels(50, seed=9)
    expected = before.dequantized(before.run(faces))
    found = softmax(after.dequantized(after.run(faces)))
    assert np.abs(found - expected).max() <= 0.51 / 256


@pytest.mark.parametrize("kind", ["float32", "float16"])
def test_a_model_of_floats_keeps_its_own_softmax(keras_model, kind):
    assert find_logits(with_metadata(convert_model(keras_model, kind, None), DESCRIPTION)) is None


def test_a_list_of_outputs_that_an_operator_shares_is_left_alone(int8):
    assert find_logits(rewritten(with_metadata(int8, DESCRIPTION))) is None


def test_a_softmax_of_another_temperature_is_left_alone(int8):
    from ai_edge_litert import schema_py_generated as schema

    def sharpen(model):
        for operator in model.subgraphs[0].operators:
            if isinstance(operator.builtinOptions, schema.SoftmaxOptionsT):
                operator.builtinOptions.beta = 2.0

    assert find_logits(with_metadata(rewritten(int8, sharpen), DESCRIPTION)) is None
