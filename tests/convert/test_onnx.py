"""ONNX files take a bundle's uint8 pixels, answer as Keras does, and carry their labels."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

import convert.onnx
from convert.card import card_path, read_card
from convert.cli import main
from convert.errors import GraphError, SourceError, TrialError
from convert.onnx import OPSET, check_onnx, convert_onnx, onnx_answers
from convert.quiet import quiet_tensorflow
from edge_runtime.labels import FER2013, FERPLUS
from tests.convert.made import made_up_faces, made_up_pixels, mobile_model

with quiet_tensorflow():
    onnx = pytest.importorskip("onnx")

PICTURES = made_up_pixels(40, seed=9)


@pytest.fixture(scope="module")
def model():
    return mobile_model()


@pytest.fixture(scope="module")
def made_onnx(model):
    return convert_onnx(model, FER2013, "clahe")


@pytest.fixture
def proto(made_onnx):
    return onnx.load_from_string(made_onnx.content)


def test_raw_pixels_give_keras_answers_in_any_batch(model, made_onnx):
    expected = np.asarray(model(PICTURES.astype(np.float32), training=False))
    answers = onnx_answers(made_onnx.content, PICTURES, "it")
    assert np.abs(expected - answers).max() < 1e-4
    assert np.abs(onnx_answers(made_onnx.content, PICTURES[:1], "it") - answers[:1]).max() < 1e-6
    assert len(set(answers.argmax(axis=1))) >= 3
    assert made_onnx.trial.largest < 1e-4


def test_file_says_its_opset_ends_labels_and_illumination(proto):
    assert [(opset.domain, opset.version) for opset in proto.opset_import] == [("", OPSET)]
    assert ([end.name for end in proto.graph.input], [end.name for end in proto.graph.output]) == (
        ["pixels"],
        ["probabilities"],
    )
    texts = {entry.key: entry.value for entry in proto.metadata_props}
    assert json.loads(texts["labels"]) == list(FER2013.names)
    assert (texts["label_set"], texts["illumination"]) == ("fer2013", "clahe")


def check(proto, classes=7):
    check_onnx(proto.SerializeToString(), classes, "it")


def test_whole_graph_passes(proto):
    check(proto)


def test_each_broken_fact_of_a_graph_is_refused(proto):
    def broken(change):
        copy = onnx.ModelProto()
        copy.CopyFrom(proto)
        change(copy)
        return copy

    def sides(graph, place, value):
        graph.input[0].type.tensor_type.shape.dim[place].dim_value = value

    cases = [
        (lambda it: it.graph.node[0].input.__setitem__(0, "nowhere"), "onnx.checker refuses it"),
        (lambda it: it.ClearField("opset_import"), "onnx.checker refuses it"),
        (lambda it: it.graph.output.append(it.graph.input[0]), "1 inputs and 2 outputs"),
        (lambda it: sides(it.graph, 1, 40), "input UINT8"),
        (lambda it: setattr(it.graph.input[0].type.tensor_type, "elem_type", 1), "input FLOAT"),
    ]
    for change, said in cases:
        with pytest.raises(GraphError, match=said):
            check(broken(change))
    with pytest.raises(GraphError, match=r"output FLOAT \(0, 7\); expected FLOAT \(N, 8\)"):
        check(proto, 8)
    with pytest.raises(GraphError, match=r"onnx\.checker refuses it"):
        check_onnx(b"hello", 7, "it")


def test_operator_of_another_domain_is_refused(proto):
    proto.graph.node[-1].domain = "com.microsoft"
    proto.opset_import.add(domain="com.microsoft", version=1)
    with pytest.raises(GraphError, match=r"com\.microsoft"):
        check(proto)


def test_graph_traced_in_training_is_refused_for_its_answers(monkeypatch):
    """The trap of `model.export`: batch normalization by the batch instead of by the moments of training."""
    with quiet_tensorflow():
        import keras
        from keras import layers

        inputs = keras.Input((48, 48, 1))
        x = layers.BatchNormalization()(layers.Conv2D(8, 5, strides=4)(layers.Rescaling(1 / 255)(inputs)))
        model = keras.Model(inputs, layers.Dense(7, "softmax")(layers.Flatten()(x)))
    convert_onnx(model, FER2013)
    right = convert.onnx._traced
    monkeypatch.setattr(
        convert.onnx,
        "_traced",
        lambda model, facts, opset: right(lambda pixels, training: model(pixels, training=True), facts, opset),
    )
    with pytest.raises(TrialError, match="a probability differs by"):
        convert_onnx(model, FER2013)


def test_changed_weight_is_refused_for_its_answers(model, proto, monkeypatch):
    weight = max(proto.graph.initializer, key=lambda one: len(one.raw_data))
    values = onnx.numpy_helper.to_array(weight)
    weight.CopyFrom(onnx.numpy_helper.from_array(values * np.float32(1.1), weight.name))
    del proto.metadata_props[:]
    monkeypatch.setattr(convert.onnx, "_traced", lambda *_: proto)
    with pytest.raises(TrialError, match=r"a probability differs by .* expected at most 0\.0001"):
        convert_onnx(model, FER2013)


def test_wrong_label_count_and_wrong_form_are_refused(model):
    with pytest.raises(GraphError, match="7 outputs for the 8 labels of 'ferplus'"):
        convert_onnx(model, FERPLUS)
    with quiet_tensorflow():
        import keras

        two = keras.Model(model.inputs, [model.output, model.output])
    with pytest.raises(SourceError, match="1 inputs and 2 outputs"):
        convert_onnx(two, FER2013)


def run(*arguments):
    return main([str(argument) for argument in arguments])


def test_command_writes_the_file_and_its_card(made, tmp_path, capsys):
    out = tmp_path / "m.onnx"
    assert run("onnx", made.model, "--label-set", "fer2013", "--out", out) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert f"{out}: ONNX opset 17" in said.out
    assert "within" in said.out
    card = read_card(out, out.read_bytes())
    assert (card.kind, card.source, card.recipe) == ("float32", "model.keras", {"name": "onnx", "opset": 17})
    assert {"tf2onnx", "onnx", "onnxruntime"} < set(card.versions)
    assert run("onnx", made.model, "--label-set", "fer2013", "--out", out, "--most-bytes", 100) == 1
    assert read_card(out, out.read_bytes()) == card


def test_labels_come_from_the_run_card_beside_the_model(made, tmp_path, capsys):
    folder = SimpleNamespace(model=tmp_path / "model.keras", card=tmp_path / "run.json")
    folder.model.write_bytes(made.model.read_bytes())
    assert run("onnx", folder.model) == 2
    assert "without --label-set; expected --label-set SET" in capsys.readouterr().err
    labels = list(made_up_faces().label_set.names)
    keys = {
        "recipe": ("name", "sha256", "seed"),
        "data": ("sha256", "train_split", "choosing_sha256", "choose_split"),
        "result": ("epochs", "best_epoch", "steps_per_epoch", "accuracy", "interval"),
        "code": ("commit", "dirty"),
        "versions": ("fer_edge", "keras", "backend"),
    }
    facts = {part: dict.fromkeys(names, 0) for part, names in keys.items()}
    facts |= {"format": 1, "model": {"architecture": "tiny", "size": 48, "channels": 1, "labels": labels}}
    folder.card.write_text(json.dumps(facts))
    assert run("onnx", folder.model, "--label-set", "basic7") == 2
    assert "expected fer2013, which the run card beside it names" in capsys.readouterr().err
    assert run("onnx", folder.model) == 0
    assert (tmp_path / "model.onnx").exists()
    assert card_path(tmp_path / "model.onnx").exists()
    facts["model"]["labels"] = ["x"]
    folder.card.write_text(json.dumps(facts))
    assert run("onnx", folder.model) == 2
    assert "a model with the labels ['x']" in capsys.readouterr().err


def test_wrong_use_is_refused_without_a_file(made, tmp_path, capsys):
    for words, said in (
        (["--label-set", "fer2013", "--out", tmp_path / "m.tflite"], "ends in .onnx"),
        (["--label-set", "fer", "--out", tmp_path / "m.onnx"], "label set 'fer'"),
        (["--label-set", "ferplus", "--out", tmp_path / "m.onnx"], "8 labels"),
        (["--label-set", "fer2013", "--out", tmp_path / "no" / "m.onnx"], "no such folder"),
    ):
        assert run("onnx", made.model, *words) == 2
        output = capsys.readouterr()
        assert said in output.err
        assert output.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_tflite_of_an_onnx_file_is_no_bundle(made, tmp_path, capsys):
    out = tmp_path / "m.onnx"
    assert run("onnx", made.model, "--label-set", "fer2013", "--out", out) == 0
    assert run("pack", out, "--name", "t", "--label-set", "fer2013", "--out", tmp_path / "b") == 2
    assert "no TFLite model" in capsys.readouterr().err
