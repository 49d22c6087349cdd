"""A face detector becomes a .tflite file and a bundle by the commands that a classifier goes through."""

from dataclasses import replace

import numpy as np
import pytest

from convert.calibration import DEFAULT_COUNT
from convert.card import read_card
from convert.cli import main
from convert.detector.calibration import choose_frames, judged_frames_calibrated
from convert.detector.check import check_detector, graph_facts
from convert.detector.facts import NetFacts
from convert.detector.source import KerasDetector, resized
from convert.edgetpu import predict, read_rules
from convert.errors import CalibrationError, GraphError
from convert.graph import read_operators
from convert.quiet import quiet_tensorflow
from edge_runtime.files import file_sha256
from edge_runtime.framesets import write_frame_set
from edge_runtime.members import FACE_DETECTOR
from tests.convert.detector_made import SIZE, bright_frames, convert, run_folder

FACTS = NetFacts(*SIZE, 1, (8, 16, 32))


@pytest.fixture(scope="module")
def int8_graph(detector):
    return read_operators(detector.int8.read_bytes(), "int8")


def test_an_int8_detector_has_uint8_pixels_int8_answers_of_their_own_scales_and_operators_of_the_edge_tpu(int8_graph):
    check_detector(int8_graph, "int8", FACTS, "it")
    assert (int8_graph.input.dtype, int8_graph.input.scale, int8_graph.input.zero_point) == ("uint8", 1.0, 0)
    assert {output.dtype for output in int8_graph.outputs} == {"int8"}
    assert {output.scale for output in int8_graph.outputs if output.shape[3] == 1} == {1 / 256}
    assert len({output.scale for output in int8_graph.outputs}) > 3
    assert predict(int8_graph, read_rules()).whole


def test_each_wrong_fact_of_a_detector_is_refused(int8_graph, detector):
    def with_output(place, **changes):
        outputs = list(int8_graph.outputs)
        outputs[place] = replace(outputs[place], **changes)
        return replace(int8_graph, outputs=tuple(outputs))

    score = next(at for at, output in enumerate(int8_graph.outputs) if output.shape[3] == 1)
    box = next(at for at, output in enumerate(int8_graph.outputs) if output.shape[3] == 4)
    odd = replace(int8_graph.tensors[3], name="odd", dtype="float32")
    leaky = (*int8_graph.nodes[:3], replace(int8_graph.nodes[3], operator="LEAKY_RELU"), *int8_graph.nodes[4:])
    for graph, named in (
        (with_output(score, scale=0.01), "scale 0.01"),
        (with_output(score, dtype="uint8"), "uint8 with scale"),
        (with_output(box, dtype="uint8"), "output uint8"),
        (with_output(box, shape=(1, 16, 20, 5)), "boxes of a level"),
        (replace(int8_graph, outputs=int8_graph.outputs[1:]), "landmarks for each cell"),
        (replace(int8_graph, input=replace(int8_graph.input, scale=0.99)), "scale 0.99"),
        (replace(int8_graph, input=replace(int8_graph.input, dtype="float32")), "input float32"),
        (replace(int8_graph, nodes=leaky), "operator 3, LEAKY_RELU, not in the list"),
        (replace(int8_graph, tensors=(*int8_graph.tensors, odd)), "tensor 'odd' is float32"),
        (read_operators(detector.float32.read_bytes(), "it"), "is float32"),
    ):
        with pytest.raises(GraphError, match=named):
            check_detector(graph, "int8", FACTS, "it")
    with pytest.raises(GraphError, match="192 × 128"):
        check_detector(int8_graph, "int8", replace(FACTS, width=192), "it")
    with pytest.raises(GraphError, match="quantized"):
        check_detector(int8_graph, "float32", FACTS, "it")


def test_its_card_says_what_it_is_and_which_frames_calibrated_it(detector):
    card = read_card(detector.int8, detector.int8.read_bytes())
    assert (card.subject, card.kind) == (FACE_DETECTOR, "int8")
    assert card.calibration["count"] == 40
    assert card.calibration["drawn_from"] == bright_frames().source_sha256
    assert card.calibration["split"] == "training"
    assert card.source_sha256 == file_sha256(detector.model)
    assert read_card(detector.float32, detector.float32.read_bytes()).calibration is None


def test_the_same_weights_read_a_smaller_picture(detector, tmp_path, capsys):
    assert convert(detector.model, "--kind", "float32", "--size", "96x64", "--out", tmp_path / "small.tflite") == 0
    assert "96 × 1" in capsys.readouterr().out
    facts = graph_facts(read_operators((tmp_path / "small.tflite").read_bytes(), "it"), "it")
    assert facts == NetFacts(96, 64, 1, (8, 16, 32))
    small = resized(detector.keras, FACTS, (96, 64), "it")
    frame = bright_frames(1).frames[:, 32:96, 32:128]
    large = KerasDetector(detector.keras, "it").answer(np.pad(frame, ((0, 0), (0, 64), (0, 64), (0, 0))))
    table = KerasDetector(small, "it").answer(frame)
    level = large[0, : 16 * 20].reshape(16, 20, 15)
    assert table[0, : 8 * 12].reshape(8, 12, 15)[:6, :10] == pytest.approx(level[:6, :10], abs=1e-4)


def test_frames_that_a_detector_is_judged_on_do_not_calibrate_it():
    training, held_out = bright_frames(40, "training"), bright_frames(40, seed=2)
    chosen = choose_frames(training, FACTS, 32, seed=1, evaluation=held_out)
    assert chosen.pixels.shape == (32, 128, 160, 1)
    assert (chosen.pixels.min(), chosen.pixels.max()) == (0, 255)
    table = chosen.as_table()
    assert judged_frames_calibrated(table, training, FACTS)
    assert judged_frames_calibrated(table, replace(bright_frames(9, "training", seed=7)), FACTS)
    assert not judged_frames_calibrated(table, held_out, FACTS)
    renamed = replace(training, split="held-out", source_sha256="other")
    assert judged_frames_calibrated(table, renamed, FACTS)
    for frames, evaluation, reason in (
        (held_out, None, "of the split 'held-out'"),
        (training, bright_frames(5, "training"), "one source and split"),
        (training, renamed, "40 of 40 calibration frames are evaluation frames"),
        (bright_frames(20, "training"), None, "20 usable frames"),
        (replace(training, frames=training.frames * 0 + 7), None, "0 usable frames"),
    ):
        with pytest.raises(CalibrationError, match=reason):
            choose_frames(frames, FACTS, 32, seed=1, evaluation=evaluation)


def test_kinds_of_models_and_wrong_options_are_one_clear_line(detector, made, tmp_path, capsys):
    run = run_folder(detector, tmp_path / "run")
    calibration = ["--calibration", detector.calibration]
    with quiet_tensorflow():
        detector.keras.save(tmp_path / "other.keras")
    judged = tmp_path / "judged.npz"
    write_frame_set(bright_frames(33, "held-out"), judged)
    out = ["--name", "it", "--out", tmp_path / "none"]
    for arguments, reason in (
        (
            ["tflite", detector.model, "--kind", "mixed", "--keep-layer", "up8", *calibration],
            "--kind mixed for a face detector",
        ),
        (["tflite", detector.model, "--kind", "int8", *calibration], f"at least {DEFAULT_COUNT}"),
        (["tflite", detector.model, "--kind", "int8", "--calibration", judged, "--count", 32], "the split 'held-out'"),
        (["tflite", detector.model, "--kind", "int8", "--calibration", made.data], "undamaged frame set"),
        (["tflite", detector.model, "--kind", "float32", "--size", "100x64"], "multiples of 32"),
        (["tflite", detector.model, "--kind", "float32", "--illumination", "none"], "leave --illumination out"),
        (["tflite", made.model, "--kind", "float32", "--size", "96x96"], "--size for a classifier"),
        (["onnx", detector.model, "--label-set", "fer2013"], "a face detector; expected a classifier"),
        (["onnx", run / "model.keras"], "the run of a face_detector"),
        (["pack", detector.int8, *out], "neither --run nor --threshold"),
        (["pack", detector.int8, *out, "--threshold", "0.5", "--label-set", "fer2013"], "leave --label-set out"),
        (["pack", detector.int8, *out, "--threshold", "1.5"], "threshold 1.5"),
        (["pack", detector.int8, *out, "--threshold", "0.5", "--framing", "wide"], "SIDE:SCALE"),
        (["pack", detector.int8, *out, "--run", tmp_path], "run.json"),
        (["pack", detector.int8, *out, "--threshold", "0.5", "--parity", tmp_path], "report.json"),
        (["pack", made.int8, *out], "without --label-set"),
        (["pack", made.int8, *out, "--label-set", "fer2013", "--threshold", "0.5"], "leave --threshold out"),
    ):
        if arguments[0] == "tflite":
            arguments = [*arguments, "--out", tmp_path / "none.tflite"]
        if arguments[0] == "onnx":
            arguments = [*arguments, "--out", tmp_path / "none.onnx"]
        assert main([*map(str, arguments)]) == 2, arguments
        said = capsys.readouterr().err.splitlines()
        assert reason in said[-1]
        assert len(said) == 1
    assert not list(tmp_path.glob("none*"))
    (run / "model.keras").write_bytes(b"another")
    assert main(["pack", str(detector.int8), "--name", "it", "--run", str(run), "--out", str(tmp_path / "none")]) == 2
    assert "that of the Keras model which was converted" in capsys.readouterr().err
