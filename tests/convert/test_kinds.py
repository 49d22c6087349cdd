"""Each kind of arithmetic: raw uint8 pixels in, Keras' answers out, and the static facts that make it that kind."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from convert.card import Card, card_path, read_card
from convert.check import check_graph
from convert.errors import GraphError, RecipeError, SourceError, TrialError, UsageError
from convert.graph import read_graph
from convert.kinds import KINDS, kind_named
from convert.pack import Request, pack
from convert.quantizer import before_weights, kept_tensors, measure_ranges, quantized
from convert.quiet import quiet_tensorflow
from convert.recipe import Recipe, read_recipe
from convert.tflite import convert, convert_model, layer_names
from convert.trial import tflite_answers
from edge_runtime.classifier import Classifier
from edge_runtime.interpreter import Model
from edge_runtime.labels import FER2013
from edge_runtime.tensors import Quantization
from tests.convert.made import made_up_pixels, mobile_model, tiny_model

PICTURES = made_up_pixels(100, seed=9)
FAR = {"float32": 1e-5, "float16": 1e-3, "dynamic": 0.02, "int8": 0.03, "int16x8": 0.02, "mixed": 0.03}
"""The mean difference of a probability from Keras'. The net's logits are blown up, and what quantization costs with
them; a net of which int8 moves no probability would show nothing."""


@pytest.fixture(scope="module")
def model():
    return mobile_model()


@pytest.fixture(scope="module")
def made(model, calibration):
    """Conversion by kind or by recipe's name, each made once."""
    done = {}

    def make(name):
        if name not in done:
            recipe = read_recipe(name)
            done[name] = convert(model, recipe, calibration if recipe.calibrated else None, name)
        return done[name]

    return make


@pytest.fixture(scope="module")
def expected(model):
    with quiet_tensorflow():
        return np.asarray(model(PICTURES.astype(np.float32), training=False))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_takes_raw_uint8_pixels_and_answers_as_keras_does(made, expected, kind):
    model = Model(made(kind).content)
    assert (model.input.shape, model.input.dtype) == ((1, 48, 48, 1), "uint8")
    assert model.output.dtype == ("uint8" if kind == "int8" else "float32")
    answers = tflite_answers(made(kind).content, PICTURES, kind)
    assert np.abs(answers - expected).mean() < FAR[kind]
    assert (answers.argmax(axis=1) == expected.argmax(axis=1)).mean() >= 0.85
    assert np.allclose(answers.sum(axis=1), 1, atol=0.02)


def test_made_up_pictures_tell_the_classes_apart(expected):
    """Otherwise the agreements above would say nothing."""
    assert len(set(expected.argmax(axis=1))) >= 4


@pytest.mark.parametrize("kind", KINDS)
def test_model_of_one_kind_passes_as_no_other(made, kind):
    conversion = made(kind)
    check_graph(conversion.graph, kind, 7, kind, kept=conversion.kept)
    for other in set(KINDS) - {kind}:
        with pytest.raises(GraphError):
            check_graph(conversion.graph, other, 7, kind, kept=conversion.kept)


def test_smaller_kinds_are_smaller(made):
    size = {kind: len(made(kind).content) for kind in KINDS}
    assert max(size["float16"], size["dynamic"], size["int8"], size["int16x8"]) < size["float32"]
    assert size["int8"] < size["mixed"] < size["float32"]


def test_unknown_kind_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match=r"kind 'int16'.*did you mean 'int16x8'\?"):
        kind_named("int16")


def test_net_without_a_large_weight_is_not_passed_off_as_dynamic():
    with pytest.raises(GraphError, match="no int8 weight"):
        convert_model(tiny_model(), "dynamic", None)


def test_signed_pixels_less_128_give_the_very_answers_of_the_unsigned_twin(made):
    signed = Model(made("int8_io").content)
    assert (signed.input.dtype, signed.input.quantization) == ("int8", Quantization(1.0, -128))
    assert (signed.output.dtype, signed.output.quantization) == ("int8", Quantization(1 / 256, -128))
    answers = [tflite_answers(made(name).content, PICTURES, name) for name in ("int8", "int8_io")]
    assert np.array_equal(*answers)
    with pytest.raises(GraphError, match=r"input int8.*expected uint8.*--io uint8"):
        check_graph(made("int8_io").graph, "int8", 7, "signed")
    with pytest.raises(GraphError, match=r"input uint8.*expected int8"):
        check_graph(made("int8").graph, "int8", 7, "unsigned", io="int8")


def dtypes(conversion, operator):
    """The dtypes that operators of one name give, in the order of the net."""
    tensors = conversion.graph.tensors
    return [tensors[node.outputs[0]].dtype for node in conversion.graph.nodes if node.operator == operator]


def test_shipped_mixed_recipe_keeps_the_head_in_float32_and_nothing_else(made):
    conversion = made("mixed")
    assert dtypes(conversion, "FULLY_CONNECTED") == ["float32"] * 2
    assert dtypes(conversion, "SOFTMAX") == ["float32"]
    assert set(dtypes(conversion, "CONV_2D") + dtypes(conversion, "DEPTHWISE_CONV_2D")) == {"int8"}
    assert len(conversion.kept) == 3


def mixed(*layers, operators=()):
    return Recipe("mine", "mixed", "", keep_layers=layers, keep_operators=operators)


def test_layers_are_kept_by_name_and_by_pattern(model, calibration):
    conversion = convert(model, mixed("block0_depth", "block1_p*"), calibration)
    assert dtypes(conversion, "DEPTHWISE_CONV_2D") == ["float32", "int8"]
    assert dtypes(conversion, "CONV_2D") == ["int8", "int8", "int8", "int8", "int8", "float32"]


@pytest.mark.parametrize(("layer", "place"), [("conv2d", 0), ("conv2d_1", 1)])
def test_layers_whose_names_differ_by_a_number_are_told_apart(model, calibration, layer, place):
    assert {"conv2d", "conv2d_1"} < layer_names(model)
    found = dtypes(convert(model, mixed(layer), calibration), "CONV_2D")
    assert [at for at, dtype in enumerate(found) if dtype == "float32"] == [place]


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        (mixed("hiden"), r"mine: keep_layers 'hiden'.*did you mean 'hidden'\?"),
        (mixed("drop"), "keep_layers 'drop', a layer without an operator of its own"),
        (mixed(operators=("SOFTMX",)), r"keep_operators 'SOFTMX'.*did you mean 'SOFTMAX'\?"),
    ],
)
def test_recipe_for_another_net_is_refused_with_the_nearest_right_name(model, made, recipe, said):
    graph, known = made("float32").graph, layer_names(model)
    with pytest.raises(RecipeError, match=said):
        kept_tensors(graph, recipe.keep_layers, recipe.keep_operators, known, recipe.name)


def test_mixed_that_keeps_everything_is_refused(model, calibration):
    with pytest.raises(GraphError, match="no operator with weights computes in int8"):
        convert(model, mixed("*"), calibration)


def test_mixed_whose_kept_tensor_is_an_integer_after_all_is_refused(made):
    with pytest.raises(GraphError, match="no float32 tensor"):
        check_graph(made("mixed").graph, "mixed", 7, "it", kept=[*made("mixed").kept, "block0"])
    with pytest.raises(GraphError, match="FULLY_CONNECTED"):
        check_graph(made("mixed").graph, "mixed", 7, "it", kept=made("mixed").kept[1:])


def test_ranges_hold_the_extremes_of_all_faces(made, calibration):
    """The quantizer's own moving average forgets the ends of the range."""
    float32 = made("float32").content
    pixels = np.full((40, 48, 48, 1), 100, np.uint8)
    pixels[0], pixels[33] = 0, 255
    scaled = next(name for name in before_weights(made("float32").graph) if name.endswith("scale_1/mul"))
    found = measure_ranges(float32, pixels)[scaled]
    assert (float(np.squeeze(found["min"])), float(np.squeeze(found["max"]))) == pytest.approx((0, 2), abs=1e-5)
    content = quantized(float32, measure_ranges(float32, calibration.pixels), 8, ())
    assert next(t.scale for t in read_graph(content, "it").tensors if t.name.endswith("Cast_quantized")) == 1.0


@pytest.mark.parametrize(
    ("kind", "change", "said"),
    [
        ("float32", {"dtype": "float16"}, "is float16; expected float32 weights"),
        ("float32", {"scale": 0.5}, "quantized; expected float32 throughout"),
        ("float16", {"dtype": "float32"}, "weight '.*' is float32; expected float16 weights"),
        ("dynamic", {"constant": False}, "activation '.*' is int8"),
        ("int16x8", {"dtype": "float32"}, r"tensor '.*' is float32; expected int8"),
        ("mixed", {"dtype": "float32"}, r"tensor '.*' is float32; expected int8"),
    ],
)
def test_one_wrong_weight_is_found_and_named(made, kind, change, said):
    graph = made(kind).graph
    weights = {"float32": "float32", "float16": "float16"}.get(kind, "int8")
    place = next(
        at
        for at, tensor in enumerate(graph.tensors)
        if tensor.constant and tensor.dtype == weights and len(tensor.shape) > 1
    )
    tensors = list(graph.tensors)
    tensors[place] = replace(tensors[place], **change)
    with pytest.raises(GraphError, match=said):
        check_graph(replace(graph, tensors=tuple(tensors)), kind, 7, kind, kept=made(kind).kept)


@pytest.mark.parametrize("kind", ["float16", "dynamic", "int16x8", "mixed"])
def test_output_that_is_no_float32_is_refused(made, kind):
    graph = made(kind).graph
    wrong = replace(graph, output=replace(graph.output, dtype="int8", scale=0.1))
    with pytest.raises(GraphError, match="output int8, quantized; expected float32 probabilities"):
        check_graph(wrong, kind, 7, kind, kept=made(kind).kept)


def test_flex_operator_of_any_kind_is_refused(made):
    for kind in KINDS:
        graph = made(kind).graph
        flex = replace(graph, operators={**graph.operators, "FlexErf (custom)": 1})
        with pytest.raises(GraphError, match="operator FlexErf"):
            check_graph(flex, kind, 7, kind, kept=made(kind).kept)


def test_weights_beyond_float16_are_refused():
    model = tiny_model()
    first, second = (layer for layer in model.layers if layer.name.startswith("conv2d"))
    first.set_weights([first.get_weights()[0] * 1e6, first.get_weights()[1] * 1e6])
    second.set_weights([second.get_weights()[0] / 1e6, second.get_weights()[1]])
    convert_model(model, "float32", None)
    with pytest.raises(TrialError, match=r"a probability differs by 0\..*expected at most 0\.05"):
        convert_model(model, "float16", None)


def test_net_that_flattens_has_its_ranges_measured_too(calibration):
    """Its batch size stands in the graph, so that faces cannot be measured several at a time."""
    with quiet_tensorflow():
        import keras
        from keras import layers

        inputs = keras.Input((48, 48, 1))
        x = layers.Conv2D(4, 5, strides=4, activation="relu")(layers.Rescaling(1 / 255)(inputs))
        model = keras.Model(inputs, layers.Dense(7, "softmax")(layers.Flatten()(x)))
    convert_model(model, mixed(operators=("SOFTMAX",)), calibration)


def test_model_that_litert_refuses_is_refused_with_what_litert_says(model, calibration, monkeypatch):
    """Its int16 ADD takes no constant of another scale, which is why the scaling of pixels stays in float32."""
    monkeypatch.setattr("convert.tflite.before_weights", lambda _: ())
    with pytest.raises(GraphError, match=r"refuses it \(.*add\.cc.*expected a model that LiteRT runs"):
        convert_model(model, "int16x8", calibration)


def test_keras_model_that_answers_nan_is_refused():
    model = tiny_model()
    dense = model.layers[-2]
    dense.set_weights([dense.get_weights()[0] * np.nan, dense.get_weights()[1]])
    with pytest.raises(SourceError, match="outputs such as \\[nan"):
        convert_model(model, "float16", None)


def card_for(path, conversion, kind, calibration):
    """Files as `convert tflite` leaves them."""
    path.write_bytes(conversion.content)
    facts = None if calibration is None else calibration.as_table()
    sha256 = hashlib.sha256(conversion.content).hexdigest()
    card = Card(kind, sha256, len(conversion.content), "m.keras", "s", {}, conversion.graph.operators, facts)
    card_path(path).write_bytes(replace(card, kept=conversion.kept).to_json())
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_packed_and_the_board_answers_with_it(made, calibration, tmp_path, kind):
    path = card_for(tmp_path / "m.tflite", made(kind), kind, calibration if KINDS[kind].calibrated else None)
    assert tuple(read_card(path, path.read_bytes()).kept) == made(kind).kept
    bundle = pack(Request(path, "it", FER2013, "none"), tmp_path / "bundle")
    assert bundle.manifest["arithmetic"] == kind
    assert bundle.manifest["conversion"].get("kept", []) == list(made(kind).kept)
    answers = Classifier(bundle).classify(list(PICTURES[:8]))
    expected = tflite_answers(made(kind).content, PICTURES[:8], kind)
    if "logits" in bundle.manifest:  # the board's own softmax, which rounds nothing to steps of 1/256
        assert kind == "int8"
        assert np.abs(answers - expected).max() <= 0.51 / 256
    else:
        assert np.array_equal(answers, expected)


def test_signed_model_is_not_packed(made, calibration, tmp_path):
    path = card_for(tmp_path / "m.tflite", made("int8_io"), "int8", calibration)
    with pytest.raises(GraphError, match=r"input int8.*expected uint8"):
        pack(Request(path, "it", FER2013, "none"), tmp_path / "bundle")
