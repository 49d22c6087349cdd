"""`python -m convert parity`: one command, four files and an exit code."""

import json
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from convert.cli import main
from convert.onnx import convert_onnx
from convert.parity.gate import KEYS
from convert.parity.result import SCHEMA
from convert.quiet import quiet_tensorflow
from edge_runtime.cli import main as fer_edge
from edge_runtime.facesets import write_prepared
from edge_runtime.labels import AFFECTNET8, FER2013
from tests.convert.made import made_up_faces, made_up_pixels, tiny_model, write_fer2013
from tests.convert.test_parity_result import faults

FILES = ["junit.xml", "parity.html", "report.json", "summary.md"]


@pytest.fixture(scope="module")
def files(made, keras_model, tmp_path_factory):
    """`made`, with faces that calibrated no model, an ONNX file, a bundle, its record and two broken models."""
    folder = tmp_path_factory.mktemp("parity")
    faces = made_up_faces()
    faces.pixels[:] = made_up_pixels(len(faces), seed=5)[..., 0]
    made.judged = write_fer2013(folder / "fer2013.csv", faces)
    made.onnx, made.bundle, made.record = folder / "model.onnx", folder / "bundle", folder / "pi.npz"
    made.onnx.write_bytes(convert_onnx(keras_model, FER2013).content)
    assert main(["pack", str(made.int8), "--name", "tiny", "--label-set", "fer2013", "--out", str(made.bundle)]) == 0
    record = ["record", made.judged, "--split", "Training", "--bundle", made.bundle, "--out", made.record]
    assert fer_edge([str(argument) for argument in record]) == 0
    made.nan, made.eight = folder / "nan.keras", folder / "eight.keras"
    broken = tiny_model()
    kernel = broken.get_layer(index=5).kernel
    kernel.assign(np.full(kernel.shape, np.nan))
    with quiet_tensorflow():
        broken.save(made.nan)
        tiny_model(classes=8).save(made.eight)
    return made


@pytest.fixture
def parity(files, tmp_path, capsys):
    """Runs the command on the made-up faces; options replace these."""

    def run(reference, *candidates, lines=None, **options):
        gate = dict.fromkeys(KEYS, "off") | {"class_least_faces": 1, "small_classes": "cannot judge"}
        gate |= {"accuracy_drop_points": 50.0} if lines is None else lines
        path = tmp_path / "made.toml"
        path.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in gate.items()))
        values = {"data": files.judged, "split": "Training", "gate": path, "report": tmp_path / "report", **options}
        command = ["parity", "--reference", str(reference), "--latency-runs", "5"]
        for candidate in candidates:
            command += ["--candidate", str(candidate)]
        for key, value in values.items():
            command += [f"--{key.replace('_', '-')}", str(value)] if value is not True else [f"--{key}"]
        code = main(command)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def report(tmp_path):
    return json.loads((tmp_path / "report" / "report.json").read_bytes())


def test_all_kinds_of_one_net_are_judged_in_one_run(files, parity, tmp_path):
    sides = (files.float32, files.int8, files.onnx, files.bundle, files.record)
    code, out, err = parity(files.model, *sides)
    assert (code, err) == (0, "")
    assert "parity: passed" in out
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == FILES
    table, schema = report(tmp_path), json.loads(SCHEMA.read_text())
    assert faults(table, schema, schema) == []
    float32, int8, onnx, bundle, record = table["candidates"]
    assert [each["side"]["kind"] for each in table["candidates"]] == ["tflite", "tflite", "onnx", "bundle", "record"]
    for same in (float32, onnx):
        assert same["agreement"]["share"] == 1
        assert same["drift"]["largest"] < 1e-4
    # What a board recorded is judged as the bundle itself.
    assert record["side"]["model"]["sha256"] == bundle["side"]["model"]["sha256"]
    for measure in ("agreement", "drift", "flips", "size_ratio"):
        assert record[measure] == bundle[measure]
    assert int8["latency_ratio"] > 0
    assert record["latency_ratio"] is None
    assert {each["candidate"] for each in table["signals"]} == {"tiny_int8.tflite", "bundle"}
    assert "one thread" in table["environment"]["latency"]


def test_failed_line_says_by_how_much_and_the_code_is_one(files, parity, tmp_path):
    code, out, _ = parity(files.onnx, files.int8, lines={"max_drift": 0.0001})
    assert code == 1
    assert "FAILED max_drift" in out
    assert "over by" in out
    assert f"python -m convert explain {tmp_path / 'report'}" in out
    root = ET.parse(tmp_path / "report" / "junit.xml").getroot()
    assert root.get("failures") == "1"


def test_candidate_that_is_broken_is_refused_and_the_others_are_judged(files, parity, tmp_path):
    code, out, err = parity(files.model, files.nan, files.eight, files.float32, "gone.tflite", label_set="fer2013")
    assert code == 2
    assert "tiny_float32.tflite: passed" in out
    lines = err.splitlines()
    assert [line.startswith("convert: ") for line in lines] == [True, True, True]
    assert sorted(each["name"] for each in report(tmp_path)["refused"]) == ["eight.keras", "gone.tflite", "nan.keras"]
    assert any("NaN among the answers, for 84 of 84 faces" in line for line in lines)
    assert any("eight.keras: 8 classes; expected 7" in line for line in lines)
    assert ET.parse(tmp_path / "report" / "junit.xml").getroot().get("errors") == "3"
    assert "NaN" in (tmp_path / "report" / "summary.md").read_text()


def test_known_failure_stays_one_beside_a_refused_candidate(files, parity):
    code, _, _ = parity(files.onnx, files.int8, "gone.onnx", lines={"max_drift": 0.0001})
    assert code == 1


def refused(parity, *sides, **options):
    code, out, err = parity(*sides, **options)
    assert (code, out) == (2, "")
    assert err.startswith("convert: ")
    assert err.count("\n") == 1
    return err


def test_run_without_a_usable_side_or_data_is_refused_in_one_line_without_a_report(files, parity, tmp_path):
    onnx, int8 = files.onnx, files.int8
    assert "gone.onnx: No such file" in refused(parity, "gone.onnx", int8)
    assert "gone.tflite" in refused(parity, onnx, "gone.tflite")
    assert "PublicTest" in refused(parity, onnx, int8, split="PublicTest")
    assert "gone.csv" in refused(parity, onnx, int8, data="gone.csv")
    assert "gate" in refused(parity, onnx, int8, gate="gone.toml")
    assert "no side names its labels" in refused(parity, int8, files.float32)
    assert "label set 'fer'" in refused(parity, int8, files.float32, label_set="fer")
    assert "two sides" in refused(parity, int8, int8)
    assert "illumination 'dtc'" in refused(parity, onnx, int8, illumination="dtc")
    assert "--threads 0" in refused(parity, onnx, int8, threads=0)
    assert "--latency-runs 3" in refused(parity, onnx, int8, latency_runs=3)
    assert "votes" in refused(parity, onnx, int8, votes=files.judged)
    assert not (tmp_path / "report").exists()


def test_data_with_other_labels_is_refused_until_a_map_is_asked_for(files, parity, tmp_path):
    data = tmp_path / "affectnet.npz"
    write_prepared(made_up_faces(labels=AFFECTNET8), data)
    assert "ask for the map with --label-set" in refused(parity, files.onnx, files.int8, data=data)
    code, out, _ = parity(files.onnx, files.int8, data=data, label_set="fer2013")
    assert code == 0
    assert "84 faces of affectnet.npz, Training, 12 left out" in out


def test_row_that_cannot_be_read_is_named_and_no_pass(files, parity, tmp_path):
    data = tmp_path / "fer2013.csv"
    lines = files.judged.read_text().splitlines()
    data.write_text("\n".join([*lines[:5], "3,1 2 3,Training", *lines[5:]]) + "\n")
    code, out, err = parity(files.onnx, files.int8, data=data)
    assert code == 2
    assert "parity: passed" in out
    assert "row 4" in err
    assert "left out" in err


def test_record_of_other_faces_is_refused_and_both_hashes_named(files, parity, tmp_path):
    data, others = tmp_path / "faces.npz", made_up_faces(a_class=11)
    write_prepared(others, data)
    said = refused(parity, files.onnx, files.record, data=data)
    with np.load(files.record) as record:
        assert str(record["data_sha256"])[:16] in said
    assert others.sha256()[:16] in said


def test_record_with_its_labels_in_another_order_agrees_with_itself(files, parity, tmp_path):
    with np.load(files.record) as record:
        values = dict(record)
    order = np.array([3, 0, 6, 2, 1, 5, 4])
    values["probabilities"], values["names"] = values["probabilities"][:, order], values["names"][order]
    values["labels"] = np.argsort(order)[values["labels"]].astype(np.int16)
    other = tmp_path / "shuffled.npz"
    np.savez(other, **values)
    code, out, _ = parity(files.record, other, lines={"max_drift": 0.0})
    assert code == 0
    assert "100.00 %" in out
    assert "ms a face" in out


def test_help_says_how_often_candidates_may_be_named(capsys):
    with pytest.raises(SystemExit) as done:
        main(["parity", "--help"])
    assert done.value.code == 0
    assert "as often as there are candidates" in " ".join(capsys.readouterr().out.split())


def test_a_model_is_not_judged_on_the_faces_that_calibrated_it(files, parity):
    """By pixels, not by their numbers alone: the other faces of this file have the same."""
    for candidate in (files.int8, files.bundle):
        code, out, err = parity(files.model, candidate, data=files.data, label_set="fer2013")
        assert (code, out) == (2, "")
        assert "its 64 calibration faces are among those of fer2013.csv, Training" in err
        assert err.count("\n") == 1
    code, out, err = parity(files.model, files.int8, files.float32, data=files.data, label_set="fer2013")
    assert code == 2
    assert "float32.tflite: passed" in out
    assert "not compared: tiny_int8.tflite" in out
