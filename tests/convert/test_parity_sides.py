"""Sides of a parity run: whatever the kind of file, the same faces are answered, or the side is refused for one stated
reason."""

import os
from pathlib import Path

import numpy as np
import pytest

from convert.errors import ProvenanceError, SourceError
from convert.graph import read_graph
from convert.onnx import convert_onnx
from convert.parity.answers import Answers
from convert.parity.errors import AnswersError, SideError
from convert.parity.latency import measure_latencies, on_one_processor
from convert.parity.record_side import open_record
from convert.parity.sides import Options, input_facts, open_side, side_names
from convert.parity.tflite_side import arithmetic_of, check_runnable
from convert.quiet import quiet_tensorflow
from convert.tflite import convert_model
from edge_runtime.bundle import read_bundle
from edge_runtime.labels import FER2013
from edge_runtime.preprocess import PREPROCESS_VERSION
from tests.convert.made import bare_graph, made_up_faces, made_up_pixels, tiny_model
from tests.support import TINY_COLOUR, TINY_GREY

NAMES = FER2013.names


@pytest.fixture(scope="module")
def places(made, keras_model, tmp_path_factory):
    """One net as every kind of file."""
    folder = tmp_path_factory.mktemp("sides")
    onnx = folder / "model.onnx"
    onnx.write_bytes(convert_onnx(keras_model, FER2013).content)
    return {"keras": made.model, "float32": made.float32, "int8": made.int8, "onnx": onnx}


def opened(place):
    return open_side(str(place), Path(place).name, Options())


def answers_of(side, faces=70):
    told = []
    pixels = made_up_pixels(faces, side.about.input.size, side.about.input.channels)
    answers = side.probabilities(pixels, told.append)
    assert sum(told) == faces
    return answers


def record(path, faces, **changes):
    """A record of `faces` as `fer-edge record` writes it, with answers that are all the first class's."""
    values = {
        "probabilities": np.tile(np.float32([0.4, *[0.1] * 6]), (len(faces), 1)),
        "labels": faces.labels,
        "names": np.array(NAMES),
        "rows": faces.rows,
        "bundle": "tiny",
        "bundle_sha256": "b" * 64,
        "data_sha256": faces.sha256(),
        "split": "Training",
        "preprocess": PREPROCESS_VERSION,
        "interpreter": "ai-edge-litert 2.3.0",
        "version": 1,
    }
    np.savez(path, **{key: np.array(value) for key, value in {**values, **changes}.items() if value is not None})
    return path


def test_one_net_answers_alike_as_every_kind_of_file(places):
    sides = {kind: opened(place) for kind, place in places.items()}
    answers = {kind: answers_of(side) for kind, side in sides.items()}
    for kind in ("float32", "onnx"):
        assert np.abs(answers[kind] - answers["keras"]).max() < 1e-4
    assert 0 < np.abs(answers["int8"] - answers["keras"]).max() < 0.3
    kinds = {kind: (side.about.kind, side.about.facts.arithmetic) for kind, side in sides.items()}
    assert kinds == {
        "keras": ("keras", "float32"),
        "float32": ("tflite", "float32"),
        "int8": ("tflite", "int8"),
        "onnx": ("onnx", "float32"),
    }


def test_multiply_accumulates_are_the_same_from_each_file_and_count_by_hand(places):
    by_hand = 24 * 24 * 8 * 5 * 5 + 12 * 12 * 12 * 3 * 3 * 8 + 12 * 7
    assert {kind: opened(place).about.facts.macs for kind, place in places.items()} == dict.fromkeys(places, by_hand)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_batches_and_threads_answer_bit_by_bit_what_single_faces_do(places, threads):
    side = open_side(str(places["int8"]), "int8.tflite", Options(threads=threads))
    pixels = made_up_pixels(70)
    alone = np.concatenate([side.probabilities(face[None], lambda _: None) for face in pixels])
    assert np.array_equal(side.probabilities(pixels, lambda _: None), alone)


def test_net_with_its_batch_built_in_is_answered_face_by_face(tmp_path):
    with quiet_tensorflow():
        import keras

        inputs = keras.Input((48, 48, 1))
        shaped = keras.layers.Reshape((36, 64))(keras.layers.Rescaling(1 / 255)(inputs))
        outputs = keras.layers.Dense(7, activation="softmax")(keras.layers.Flatten()(shaped))
        model = keras.Model(inputs, outputs)
    (tmp_path / "flat.tflite").write_bytes(convert_model(model, "float32", None))
    side = opened(tmp_path / "flat.tflite")
    pixels = made_up_pixels(40)
    expected = np.asarray(model(pixels.astype(np.float32)))
    assert np.abs(side.probabilities(pixels, lambda _: None) - expected).max() < 1e-4


def test_bundle_is_a_side_with_its_own_labels_input_and_hash():
    for folder, channels in ((TINY_GREY, 1), (TINY_COLOUR, 3)):
        side, bundle = opened(folder), read_bundle(folder)
        assert (side.about.kind, side.about.facts.sha256) == ("bundle", bundle.sha256)
        assert (side.about.labels, side.about.input) == (bundle.labels.names, bundle.input)
        assert side.about.input.channels == channels
        assert answers_of(side, 3).shape == (3, len(bundle.labels))
    assert opened("fer2013").about.labels == NAMES


def test_onnx_carries_its_labels_and_a_keras_model_without_a_run_card_none(places):
    assert opened(places["onnx"]).about.labels == NAMES
    assert opened(places["keras"]).about.labels is None


@pytest.mark.parametrize("place", ["none.keras", "none.tflite", "none.onnx", "none.npz", "none", "none.bin"])
def test_side_that_is_not_there_is_refused(place, tmp_path):
    with pytest.raises((SideError, SourceError, ProvenanceError), match="none"):
        opened(tmp_path / place)


@pytest.mark.parametrize("suffix", [".keras", ".tflite", ".onnx", ".npz"])
def test_damaged_side_is_refused_in_one_line(suffix, places, tmp_path):
    path = tmp_path / f"damaged{suffix}"
    path.write_bytes(b"nothing of the kind" * 40)
    with pytest.raises(Exception, match="damaged") as refused:
        opened(path)
    assert "; expected " in str(refused.value)
    assert "\n" not in str(refused.value)


def test_names_are_as_short_as_they_can_be_told_apart():
    assert side_names(["a/int8.tflite", "b/float32.tflite"]) == ["int8.tflite", "float32.tflite"]
    assert side_names(["x/a/m.tflite", "x/b/m.tflite", "fer2013"]) == ["a/m.tflite", "b/m.tflite", "fer2013"]
    with pytest.raises(SideError, match="as two sides"):
        side_names(["a/m.tflite", "a/m.tflite"])


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (bare_graph(["FlexErf (custom)"]), "operator FlexErf \\(TensorFlow Flex\\)"),
        (bare_graph(["Mine (custom)"]), "operator Mine;"),
        (bare_graph(["edgetpu-custom-op (custom)"]), "fer-edge record` on the Coral"),
        (bare_graph(dtype="float32"), "input float32;"),
        (bare_graph(dtype="int8", scale=1 / 255, zero_point=-128), "input int8 with scale 0.00392157"),
        (bare_graph(dtype="uint8", scale=0.5), "input uint8 with scale 0.5"),
    ],
)
def test_model_that_cannot_be_fed_or_run_here_is_refused_by_name(found, said):
    with pytest.raises(SideError, match=said):
        check_runnable(found, "x.tflite")


def test_pixels_of_other_forms_are_refused():
    for shape in ((1, 48, 40, 1), (1, 48, 48, 4), (1, 48, 48), (1, 4, 4, 1), (None, "h", "h", 1), (1, 3, 48, 48)):
        with pytest.raises(SideError, match="one square face"):
            input_facts("x", shape, "none")


def test_arithmetic_of_a_file_without_a_card_is_told_from_its_tensors(int8, float32):
    assert arithmetic_of(read_graph(int8, "int8")) == "int8"
    assert arithmetic_of(read_graph(float32, "float32")) == "float32"


def test_keras_model_with_two_outputs_is_refused(tmp_path):
    with quiet_tensorflow():
        import keras

        inputs = keras.Input((48, 48, 1))
        pooled = keras.layers.GlobalAveragePooling2D()(inputs)
        outputs = [keras.layers.Dense(7, activation="softmax", name=name)(pooled) for name in ("one", "two")]
        keras.Model(inputs, outputs).save(tmp_path / "two.keras")
    with pytest.raises(SourceError, match="1 inputs and 2 outputs"):
        opened(tmp_path / "two.keras")


@pytest.mark.parametrize(("value", "said"), [(np.nan, "NaN among the answers"), (0.0, "constant output")])
def test_model_that_answers_nan_or_always_the_same_is_named_as_such(value, said, tmp_path):
    model = tiny_model()
    kernel = model.get_layer(index=5).kernel
    kernel.assign(np.full(kernel.shape, value))
    with quiet_tensorflow():
        model.save(tmp_path / "broken.keras")
    side = opened(tmp_path / "broken.keras")
    with pytest.raises(AnswersError, match=said):
        Answers("broken.keras", "keras", answers_of(side, 8), np.arange(8), side.about.facts)


def checked(path, faces, **asked):
    side = open_record(path, path.name)
    wanted = {"rows": faces.rows, "labels": faces.labels, "split": "Training", "hashes": {faces.sha256()}}
    side.check_faces(**{**wanted, **asked})
    return side


def test_record_of_the_same_faces_is_taken_with_what_it_says(tmp_path):
    faces = made_up_faces()
    side = checked(record(tmp_path / "r.npz", faces, arithmetic="int8", model_bytes=123, machine="a Pi"), faces)
    assert (side.facts.arithmetic, side.facts.size_bytes, side.facts.latency_ms) == ("int8", 123, None)
    assert side.facts.environment == {"interpreter": "ai-edge-litert 2.3.0", "machine": "a Pi"}
    older = checked(record(tmp_path / "older.npz", faces), faces)
    assert (older.facts.arithmetic, older.facts.size_bytes) == ("not stated", None)


def test_record_of_other_faces_is_refused_with_both_hashes(tmp_path):
    faces, others = made_up_faces(), made_up_faces(a_class=11)
    with pytest.raises(SideError) as refused:
        checked(record(tmp_path / "r.npz", others), faces)
    for sha256 in (faces.sha256(), others.sha256()):
        assert sha256[:16] in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"split": "PrivateTest"}, "recorded on the split 'PrivateTest'; expected 'Training'"),
        ({"preprocess": PREPROCESS_VERSION + 1}, f"preprocessing version {PREPROCESS_VERSION + 1} \\(bundle bbbb"),
        ({"preprocess": None}, "preprocessing version unknown"),
        ({"rows": np.arange(84)}, "84 recorded rows, others than the 84"),
        ({"labels": np.zeros(84, np.int16)}, "72 of 84 faces recorded with another label"),
        ({"model_bytes": 0}, "size_bytes 0"),
    ],
)
def test_record_of_another_split_preprocessing_or_labelling_is_refused(changes, said, tmp_path):
    faces = made_up_faces()
    with pytest.raises(SideError, match=said):
        checked(record(tmp_path / "r.npz", faces, **changes), faces)


def test_latencies_are_measured_in_turns_and_the_processors_are_given_back(places):
    before = os.sched_getaffinity(0)
    with on_one_processor() as held:
        assert held
        assert len(os.sched_getaffinity(0)) == 1
    sides = [opened(places["int8"]), opened(places["onnx"])]
    latencies = measure_latencies(sides, [made_up_pixels(1)] * 2, 7)
    assert all(0 < latency < 1000 for latency in latencies)
    assert os.sched_getaffinity(0) == before
