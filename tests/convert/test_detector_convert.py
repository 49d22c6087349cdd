"""A face detector becomes a .tflite file and a bundle by the commands that a classifier goes through."""

import json
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
from convert.detector.threshold import choose_point, point_at, read_curve
from convert.edgetpu import predict, read_rules
from convert.errors import CalibrationError, GraphError, ProvenanceError
from convert.graph import read_operators
from convert.quiet import quiet_tensorflow
from edge_runtime.cli import main as fer_edge
from edge_runtime.detectors import open_detector
from edge_runtime.detectors.detector_bundle import read_detector_bundle
from edge_runtime.errors import BundleError
from edge_runtime.files import file_sha256
from edge_runtime.framesets import write_frame_set
from edge_runtime.members import FACE_DETECTOR, canonical_json, with_own_hash
from tests.convert.detector_made import SIZE, bright_frames

FACTS = NetFacts(*SIZE, 1, (8, 16, 32))
CURVE = {
    "scores": [0.9, 0.7, 0.5, 0.3],
    "recall": [0.2, 0.5, 0.8, 0.9],
    "precision": [1.0, 0.98, 0.9, 0.6],
    "false_a_picture": [0.0, 0.04, 0.2, 1.1],
}


def convert(model, *options):
    return main(["tflite", str(model), *map(str, options)])


def run_folder(detector, folder, **result):
    """A run folder as `python -m train fit --recipe face_detector` leaves it, with what packing reads of it."""
    folder.mkdir()
    (folder / "model.keras").write_bytes(detector.model.read_bytes())
    (folder / "curve.json").write_text(json.dumps(CURVE))
    card = {
        "format": 1,
        "kind": "face_detector",
        "recipe": {"name": "face_detector", "sha256": "r", "seed": 1},
        "model": {"architecture": "face_detector", "width": 160, "height": 128, "channels": 1, "strides": [8, 16, 32]},
        "data": {
            "sha256": "d",
            "negatives_sha256": None,
            "judged_scenes": 3,
            "judged_faces": 9,
            "judged_from_px": 16.0,
        },
        "result": {"epochs": 2, "best_epoch": 2, "steps_per_epoch": None, "average_precision": 0.8},
        "code": {"commit": "c", "dirty": False},
        "versions": {"fer_edge": "0", "keras": "3", "backend": "tensorflow"},
    }
    card["model"]["options"] = {"width": 1.0}
    card["result"] |= {"recall_at_one_false_a_picture": 0.9, "landmark_error": 0.05} | result
    (folder / "run.json").write_text(json.dumps(card))
    return folder


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


def test_a_threshold_is_the_lowest_that_keeps_false_faces_few():
    curve = {key: np.array(values) for key, values in CURVE.items()}
    assert choose_point(curve, 0.05).threshold == 0.7
    assert choose_point(curve, 0.2).as_table() == {"recall": 0.8, "precision": 0.9, "false_a_picture": 0.2}
    assert point_at(curve, 0.6).recall == 0.5
    assert point_at(curve, 0.95).recall == 0
    blind = curve | {"recall": np.array([0.0, 0.0, 0.8, 0.9])}
    assert choose_point(blind, 0.2).threshold == 0.5
    nothing = {key: np.zeros(0) for key in CURVE}
    for curve_without in (blind, nothing):
        with pytest.raises(ProvenanceError, match="no threshold that finds a face"):
            choose_point(curve_without, 0.05)
    assert point_at(nothing, 0.3).as_table() == {"recall": 0.0, "precision": 1.0, "false_a_picture": 0.0}


@pytest.mark.parametrize("table", [{**CURVE, "recall": [0.1]}, dict.fromkeys(CURVE, 0.5), {}])
def test_a_curve_with_lists_of_unequal_length_is_refused(tmp_path, table):
    (tmp_path / "curve.json").write_text(json.dumps(table))
    with pytest.raises(ProvenanceError, match=r"curve\.json"):
        read_curve(tmp_path)


def test_a_bundle_finds_the_faces_and_says_its_threshold_its_run_and_its_calibration(detector, tmp_path, capsys):
    run, out = run_folder(detector, tmp_path / "run"), tmp_path / "bundle"
    pack = ["pack", str(detector.int8), "--name", "bright", "--run", str(run), "--out", str(out)]
    assert main(pack) == 0
    said = capsys.readouterr().out
    assert "faces from a score of 0.700 on" in said
    assert "recall 50.0 %, precision 98.0 %, 0.040 false a picture" in said
    bundle = read_detector_bundle(out)
    assert (bundle.facts.width, bundle.facts.height, bundle.facts.threshold) == (160, 128, 0.7)
    assert bundle.manifest["operating_point"]["false_a_picture"] == 0.04
    assert bundle.manifest["training"]["result"]["average_precision"] == 0.8
    assert bundle.manifest["calibration"]["split"] == "training"
    assert fer_edge(["selftest", "--detector", f"tflite:{out}"]) == 0
    frames = bright_frames(1)
    found = open_detector(f"tflite:{out}").detect(frames.image(0))
    centers = {tuple((box[:2] + box[2:]) / 2) for box in frames.marks[0].boxes}
    assert len(centers & {tuple(np.round(each.box.center)) for each in found}) >= 2
    assert [each.box.width for each in found] == pytest.approx([24] * len(found), abs=0.5)
    assert main([*pack, "--replace", "--threshold", "0.4", "--overlap", "0.5", "--framing", "width:1.1"]) == 0
    facts = read_detector_bundle(out).facts
    assert facts.second_look is None
    assert (facts.threshold, facts.overlap, facts.framing.side, facts.framing.scale) == (0.4, 0.5, "width", 1.1)


def test_a_net_of_another_size_than_its_run_was_judged_at_needs_a_threshold_and_claims_nothing_of_the_runs(
    detector, tmp_path, capsys
):
    run = run_folder(detector, tmp_path / "run")
    card = json.loads((run / "run.json").read_text())
    card["model"] |= {"width": 320, "height": 256}
    (run / "run.json").write_text(json.dumps(card))
    pack = ["pack", str(detector.int8), "--name", "small", "--run", str(run), "--out", str(tmp_path / "small")]
    assert main(pack) == 2
    assert "reads 160 × 128 px" in (said := capsys.readouterr().err)
    assert "was judged at 320 × 256 px" in said
    assert main([*pack, "--threshold", "0.5"]) == 0
    bundle = read_detector_bundle(tmp_path / "small")
    assert bundle.facts.threshold == 0.5
    assert "operating_point" not in bundle.manifest
    assert bundle.manifest["training"]["model"]["width"] == 320


def test_a_second_look_is_packed_where_it_is_asked_for_and_refused_where_no_score_can_be_so(detector, tmp_path, capsys):
    pack = ["pack", str(detector.int8), "--name", "bright", "--threshold", "0.6", "--out", str(tmp_path / "twice")]
    assert main([*pack, "--second-look", "1.2"]) == 2
    assert "second_look 1.2, which lies between 0 and 1" in capsys.readouterr().err
    assert main([*pack, "--second-look", "0.5"]) == 0
    assert "faces from a score of 0.750 on, or of 0.500 as the mean of two looks" in capsys.readouterr().out
    assert read_detector_bundle(tmp_path / "twice").facts.second_look == 0.5


def test_the_same_net_of_half_the_size_is_packed_beside_it_and_self_tested(detector, tmp_path, capsys):
    whole, half, out = tmp_path / "whole.tflite", tmp_path / "half.tflite", tmp_path / "twice"
    convert(detector.model, "--kind", "float32", "--size", "192x128", "--out", whole)
    convert(detector.model, "--kind", "float32", "--size", "96x64", "--out", half)
    pack = ["pack", str(whole), "--name", "twice", "--threshold", "0.6", "--out", str(out)]
    assert main([*pack, "--second-look", "0.5", "--half", str(half)]) == 0
    assert "by the same net of 96 × 64 px" in capsys.readouterr().out
    opened = open_detector(f"tflite:{out}")
    assert opened.half.input_size == (96, 64)
    assert (opened.half.facts.threshold, opened.half.facts.second_look, opened.half.half) == (0.5, None, None)
    assert opened.selftest().exact
    opened.half.net.answer = lambda pixels: np.zeros((12 * 8 + 6 * 4 + 3 * 2, 15), np.float32)
    opened.half.answer = opened.half.net.answer
    assert not opened.selftest().passed
    with pytest.raises(BundleError, match=r"extra member|half\.tflite without half\.npz"):
        rewritten = json.loads((out / "manifest.json").read_text())
        del rewritten["members"]["half.npz"]
        (out / "half.npz").unlink()
        (out / "manifest.json").write_bytes(canonical_json(with_own_hash(rewritten)))
        read_detector_bundle(out)


def test_a_half_that_is_another_net_or_size_or_has_no_use_is_refused(detector, tmp_path, capsys):
    whole, half, small, other = (tmp_path / f"{name}.tflite" for name in ("whole", "half", "small", "other"))
    for out, kind, size in (
        (whole, "float32", "192x128"),
        (half, "float32", "96x64"),
        (small, "float32", "64x64"),
        (other, "float16", "96x64"),
    ):
        convert(detector.model, "--kind", kind, "--size", size, "--out", out)
    pack = ["pack", str(whole), "--name", "twice", "--threshold", "0.6", "--out", str(tmp_path / "twice")]
    for named_half, more, code, named in (
        (small, ["--second-look", "0.5"], 2, "64 × 64 px"),
        (other, ["--second-look", "0.5"], 2, "float16"),
        (half, [], 2, "without second_look"),
        (half, ["--second-look", "0.5", "--most-bytes", "15000"], 1, "21696 bytes"),
    ):
        assert main([*pack, "--half", str(named_half), *more]) == code
        assert named in capsys.readouterr().err
    assert not (tmp_path / "twice").exists()


def test_the_same_request_packs_the_same_bytes(detector, tmp_path):
    for name in ("one", "two"):
        out = str(tmp_path / name)
        assert main(["pack", str(detector.int8), "--name", "bright", "--threshold", "0.5", "--out", out]) == 0
    assert read_detector_bundle(tmp_path / "one").sha256 == read_detector_bundle(tmp_path / "two").sha256


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
