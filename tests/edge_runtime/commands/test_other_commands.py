import json
import shutil

import pytest

from edge_runtime.bundle import read_bundle
from tests.support import TINY_GREY, fer_edge


def test_bench_json_has_every_stage_with_ordered_percentiles():
    outcome = fer_edge("bench", "--json", "--bundle", TINY_GREY)
    facts = json.loads(outcome.stdout)
    assert set(facts["stages"]) == {"read", "detect", "crop", "classify", "total"}
    for stage in facts["stages"].values():
        assert 0 < stage["p50_ms"] <= stage["p90_ms"] <= stage["p99_ms"]
    assert facts["faces"] == 1
    assert facts["runs"] == 200
    assert facts["first_result_ms"] > facts["load_ms"] > 0
    assert 20 < facts["peak_rss_mb"] < 1000
    assert facts["bundle_sha256"] == read_bundle(TINY_GREY).sha256


def test_bench_refuses_too_few_runs_for_a_p99():
    outcome = fer_edge("bench", "--runs", 20, "--bundle", TINY_GREY)
    assert outcome.returncode == 2
    assert "at least 200" in outcome.stderr


def test_doctor_names_interpreter_xnnpack_opencv_bundle_threads_and_board():
    outcome = fer_edge("doctor", "--bundle", TINY_GREY)
    for subject in ("interpreter", "XNNPACK", "OpenCV", "bundle", "threads", "board", "detector", "self-test"):
        assert any(line.split()[1] == subject for line in outcome.stdout.splitlines() if len(line.split()) > 1)
    assert outcome.returncode == 0
    assert "all is well" in outcome.stdout


def test_doctor_gives_a_mend_for_a_damaged_bundle_and_too_many_threads(tmp_path):
    shutil.copytree(TINY_GREY, tmp_path / "b")
    model = bytearray((tmp_path / "b" / "model.tflite").read_bytes())
    model[1000] ^= 1
    (tmp_path / "b" / "model.tflite").write_bytes(model)
    outcome = fer_edge("doctor", "--json", "--bundle", tmp_path / "b")
    findings = {finding["subject"]: finding for finding in json.loads(outcome.stdout)["findings"]}
    assert outcome.returncode == 1
    assert "copy the bundle again" in findings["bundle"]["mend"]
    many = fer_edge("doctor", "--threads", 64, "--bundle", TINY_GREY)
    assert many.returncode == 1
    assert "use --threads" in many.stdout


def test_bundle_show_prints_labels_input_and_hashes():
    facts = json.loads(fer_edge("bundle", "show", TINY_GREY).stdout)
    assert facts["labels"] == list(read_bundle(TINY_GREY).labels.names)
    assert facts["bundle_sha256"] == read_bundle(TINY_GREY).sha256
    assert set(facts["members"]) == {"model.tflite", "golden.npz"}


def test_bundle_verify_passes_a_good_one_and_refuses_one_flipped_bit(tmp_path):
    assert fer_edge("bundle", "verify", TINY_GREY).returncode == 0
    shutil.copytree(TINY_GREY, tmp_path / "b")
    manifest = bytearray((tmp_path / "b" / "manifest.json").read_bytes())
    manifest[40] ^= 1
    (tmp_path / "b" / "manifest.json").write_bytes(manifest)
    outcome = fer_edge("bundle", "verify", tmp_path / "b")
    assert outcome.returncode == 2
    assert len(outcome.stderr.splitlines()) == 1


def test_selftest_says_bit_exact_or_by_how_much():
    outcome = fer_edge("selftest", "--bundle", TINY_GREY)
    assert outcome.returncode == 0
    assert outcome.stdout.startswith("passed: ")


@pytest.mark.parametrize("arguments", [(), ("predikt",), ("predict",), ("bundle",), ("predict", "--colour", "x.jpg")])
def test_wrong_use_shows_the_usage_and_exits_2(arguments):
    outcome = fer_edge(*arguments)
    assert outcome.returncode == 2
    assert "usage: fer-edge" in outcome.stderr
