"""Packing a detector: its threshold, its run, its second looks and the net of half the size."""

import hashlib
import json

import numpy as np
import pytest

from convert.blocks import in_blocks
from convert.cli import main
from convert.detector.threshold import choose_point, point_at, read_curve
from convert.errors import ProvenanceError
from edge_runtime.cli import main as fer_edge
from edge_runtime.detectors import open_detector
from edge_runtime.detectors.detector_bundle import read_detector_bundle
from edge_runtime.detectors.net import DetectorNet
from edge_runtime.errors import BundleError
from edge_runtime.members import canonical_json, with_own_hash
from tests.convert.detector_made import CURVE, bright_frames, convert, run_folder


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


def test_both_nets_are_packed_in_blocks_that_answer_as_their_files_do(detector, tmp_path):
    files = {size: tmp_path / f"{size}.tflite" for size in ("192x128", "96x64")}
    for size, file in files.items():
        options = "--kind", "int8", "--size", size, "--calibration", detector.calibration, "--count", 40, "--out", file
        assert convert(detector.model, *options) == 0
    whole, half = files.values()
    pack = ["pack", str(whole), "--half", str(half), "--name", "bright", "--threshold", "0.5", "--second-look", "0.5"]
    assert main([*pack, "--out", str(tmp_path / "bundle")]) == 0
    bundle = read_detector_bundle(tmp_path / "bundle")
    assert bundle.manifest["conversion"]["convolutions_in_blocks_of"] == 8
    assert bundle.manifest["conversion"]["sha256"] == hashlib.sha256(whole.read_bytes()).hexdigest()
    frames = bright_frames(4).frames
    for file, packed in ((whole, bundle), (half, bundle.half)):
        plain, facts = file.read_bytes(), packed.facts
        assert packed.model == in_blocks(plain) != plain
        shape = facts.height, facts.width, 1
        before, after = (DetectorNet(content, shape, facts.strides) for content in (plain, packed.model))
        for pixels in (np.ascontiguousarray(np.resize(frame, shape)) for frame in frames):
            np.testing.assert_array_equal(before.answer(pixels), after.answer(pixels))


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


def test_a_net_that_was_unpacked_from_a_bundle_keeps_saying_so(detector, tmp_path):
    run = run_folder(detector, tmp_path / "run")
    card = json.loads((run / "run.json").read_text())
    origin = {"name": "face-detector", "sha256": "b", "training": None}
    (run / "run.json").write_text(json.dumps(card | {"unpacked": origin}))
    assert (
        main(["pack", str(detector.int8), "--name", "again", "--run", str(run), "--out", str(tmp_path / "again")]) == 0
    )
    assert read_detector_bundle(tmp_path / "again").manifest["training"]["unpacked"] == origin


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
    both = whole.stat().st_size + half.stat().st_size
    pack = ["pack", str(whole), "--name", "twice", "--threshold", "0.6", "--out", str(tmp_path / "twice")]
    for named_half, more, code, named in (
        (small, ["--second-look", "0.5"], 2, "64 × 64 px"),
        (other, ["--second-look", "0.5"], 2, "float16"),
        (half, [], 2, "without second_look"),
        (half, ["--second-look", "0.5", "--most-bytes", "15000"], 1, f"{both} bytes"),
    ):
        assert main([*pack, "--half", str(named_half), *more]) == code
        assert named in capsys.readouterr().err
    assert not (tmp_path / "twice").exists()


def test_the_same_request_packs_the_same_bytes(detector, tmp_path):
    for name in ("one", "two"):
        out = str(tmp_path / name)
        assert main(["pack", str(detector.int8), "--name", "bright", "--threshold", "0.5", "--out", out]) == 0
    assert read_detector_bundle(tmp_path / "one").sha256 == read_detector_bundle(tmp_path / "two").sha256
