"""`python -m convert parity` on frames with known faces: one command, four files and an exit code."""

import json
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from convert.cli import main
from convert.detector_parity.gate import LINES
from convert.quiet import quiet_tensorflow
from edge_runtime.detectors.detector_bundle import read_detector_bundle
from edge_runtime.framesets import write_frame_set
from tests.convert.detector_made import bright_detector, bright_frames
from tests.support import BRIGHT_INT8, TINY_GREY

FILES = ["junit.xml", "parity.html", "report.json", "summary.md"]


@pytest.fixture
def parity(detector, tmp_path, capsys):
    """Runs the command on the bright frames; options replace these. Gives exit code, output and report folder."""

    def run(reference, *candidates, lines=None, data=detector.frames, **options):
        table = {"smallest_px": 16, **dict.fromkeys(LINES, "off"), **(lines or {"ap_drop_points": 1.0})}
        own = tmp_path / "gate.toml"
        own.write_text("\n".join(f"{key} = {json.dumps(value)}" for key, value in table.items()))
        words = ["parity", "--reference", reference, "--data", data, "--report", tmp_path / "report"]
        for candidate in candidates:
            words += ["--candidate", candidate]
        for name, value in ({"gate": own, "latency_runs": 0} | options).items():
            words += ["--" + name.replace("_", "-"), value]
        code = main([str(word) for word in words])
        return code, capsys.readouterr(), tmp_path / "report"

    return run


def test_float_and_int8_find_the_same_faces_and_a_bundle_keeps_what_was_measured(detector, parity, tmp_path):
    lines = {"ap_drop_points": 1.0, "landmark_error_rise": 0.5, "agreement": 0.95, "latency_ratio": 100.0}
    code, said, report = parity(detector.model, detector.float32, detector.int8, lines=lines, latency_runs=5)
    assert code == 0, said.out
    assert sorted(path.name for path in report.iterdir()) == FILES
    table = json.loads((report / "report.json").read_text())
    assert table["reference"]["kind"] == "keras"
    assert table["reference"]["average_precision"]["value"] > 0.7
    float32, int8 = table["candidates"]
    assert float32["agreement"]["share"] == 1
    assert abs(float32["average_precision_drop_points"]["value"]) < 0.01
    assert int8["landmarks"]["faces"] > 100
    assert float32["latency_ratio"] > 0
    suites = ET.fromstring((report / "junit.xml").read_bytes())
    assert [suite.get("name") for suite in suites] == ["float32.tflite", "int8.tflite"]
    assert suites.get("failures") == "0"
    page = (report / "parity.html").read_text()
    assert "Precision over recall" in page
    assert "int8.tflite" in said.out
    pack = ["pack", str(detector.int8), "--name", "bright", "--threshold", "0.5", "--parity", str(report)]
    assert main([*pack, "--out", str(tmp_path / "bundle")]) == 0
    kept = read_detector_bundle(tmp_path / "bundle").manifest["parity"]
    assert (kept["outcome"], kept["frames"], kept["own"]["arithmetic"]) == ("passed", 48, "int8")
    assert main(["pack", str(detector.float32), *pack[2:], "--out", str(tmp_path / "other")]) == 0
    report_of_others = ["--parity", str(report), "--threshold", "0.5", "--name", "it", "--out", str(tmp_path / "third")]
    table["candidates"] = [int8]
    (report / "report.json").write_text(json.dumps(table))
    assert main(["pack", str(detector.float32), *report_of_others]) == 2
    code, said, _ = parity(detector.float32, tmp_path / "bundle")
    assert code == 0, said.out


def test_a_worse_net_fails_and_the_page_shows_the_frames_in_which_it_lost_a_face(detector, parity, tmp_path, capsys):
    with quiet_tensorflow():
        worse = bright_detector(reach=1.5)
        layer = worse.get_layer("score_8")
        layer.set_weights([layer.get_weights()[0], np.float32([-4.0])])
        worse.get_layer("box_8").bias.assign(np.float32([1.5, 0.7, 1.5, 0.7]))
        worse.save(tmp_path / "worse.keras")
    code, said, report = parity(detector.float32, tmp_path / "worse.keras")
    assert code == 1
    assert "FAILED ap_drop_points" in said.out
    page = (report / "parity.html").read_text()
    assert "Changed frames" in page
    assert page.count("data:image/png") >= 3
    assert 'failures="1"' in (report / "junit.xml").read_text()
    assert main(["explain", str(report)]) == 2
    assert "the report of a face detector" in capsys.readouterr().err


def test_a_smaller_input_is_compared_in_the_frames_own_pixels(detector, parity, tmp_path):
    small = tmp_path / "small.tflite"
    assert main(["tflite", str(detector.model), "--kind", "float32", "--size", "320x256", "--out", str(small)]) == 0
    code, said, report = parity(detector.float32, small)
    assert code == 1, said.out  # twice as large, every face is four bright cells instead of one
    sides = json.loads((report / "report.json").read_text())["candidates"][0]["side"]
    assert sides["input"] == {"width": 320, "height": 256, "channels": 1}
    assert "320 × 256" in said.out


def test_classifiers_calibration_frames_and_strangers_are_refused_and_the_others_judged(
    detector, made, parity, tmp_path
):
    strangers = [made.int8, made.model, TINY_GREY, tmp_path / "none.tflite", tmp_path / "it.onnx"]
    code, said, report = parity(detector.float32, detector.int8, *strangers)
    assert code == 2
    lines = said.err.splitlines()
    assert [("a classifier" in line or "'classifier'" in line) for line in lines] == [True, True, True, False, False]
    assert len(json.loads((report / "report.json").read_text())["refused"]) == 5
    assert "int8.tflite: passed" in said.out
    code, said, _ = parity(detector.float32, detector.int8, data=detector.calibration)
    assert code == 2
    assert "show the same people and places" in said.err
    code, said, _ = parity(made.model, detector.int8)
    assert code == 2
    assert "a classifier; expected a face detector" in said.err
    code, said, _ = parity(detector.float32, BRIGHT_INT8)
    assert code in (0, 1), said.err


def test_detectors_are_refused_where_faces_are_labelled(detector, made, parity):
    options = {"data": made.data, "split": "Training", "gate": "default"}
    for reference, candidate in (
        (detector.model, made.int8),
        (made.float32, detector.model),
        (made.float32, detector.int8),
    ):
        code, said, _ = parity(reference, candidate, **options)
        assert code == 2
        assert "detector" in said.err
        assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"split": "PublicTest"}, "leave --split out"),
        ({"label_set": "fer2013"}, "leave --label-set out"),
        ({"gate": "default"}, "one of detector"),
        ({"latency_runs": 2}, "at least 5"),
        ({"threads": 0}, "--threads 0"),
    ],
)
def test_wrong_options_are_one_clear_line(detector, parity, options, reason):
    code, said, _ = parity(detector.float32, detector.int8, **options)
    assert code == 2
    assert reason in said.err
    assert said.err.count("\n") == 1


def test_frames_without_a_face_cannot_be_judged(detector, parity, tmp_path):
    write_frame_set(bright_frames(5), tmp_path / "five.npz")
    code, said, _ = parity(detector.float32, detector.int8, data=tmp_path / "five.npz")
    assert code == 2
    assert "15 faces are too few; it takes about 100" in said.out
    code, said, _ = parity(detector.float32, detector.int8, lines={"ap_drop_points": 1.0, "smallest_px": 99})
    assert code == 2
    assert "without a face of 99 px" in said.err
