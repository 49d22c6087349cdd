"""`python -m convert`: quiet work, clear refusals, whole files or none."""

import json
import os
import subprocess
import sys

import cv2
import numpy as np
import pytest

from convert.card import card_path, read_card
from convert.cli import main
from edge_runtime.bundle import read_bundle
from tests.convert.made import made_up_faces, write_fer2013
from tests.support import ROOT


def run(*arguments):
    return main([str(argument) for argument in arguments])


@pytest.fixture
def refused(capsys, tmp_path):
    def check(*arguments, code=2):
        before = sorted(path.name for path in tmp_path.iterdir())
        assert run(*arguments) == code
        output = capsys.readouterr()
        assert output.out == ""
        assert output.err.startswith("convert: ")
        assert output.err.count("\n") == 1
        assert sorted(path.name for path in tmp_path.iterdir()) == before
        return output.err

    return check


def test_user_sees_the_summary_and_nothing_of_tensorflow(made, tmp_path):
    out = tmp_path / "tiny.tflite"
    command = ["tflite", made.model, "--kind", "int8", "--calibration", made.data, "--count", "64", "--out", out]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("TF_")}
    outcome = subprocess.run(
        [sys.executable, "-m", "convert", *map(str, command)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
        timeout=300,
        check=False,
    )
    assert (outcome.returncode, outcome.stderr) == (0, "")
    lines = outcome.stdout.splitlines()
    assert lines[0] == f"{out}: int8, {out.stat().st_size:,} bytes"
    assert "3 CONV_2D" in lines[1], "two, and the dense layer"
    assert lines[2:4] == [
        "  input uint8 1 × 48 × 48 × 1, scale 1, zero point 0",
        "  output uint8 1 × 7, scale 0.00390625, zero point 0",
    ]
    assert lines[4:] == [
        "  calibrated on 64 Training faces of fer2013.csv, seed 1",
        f"  card {out}.json",
    ]


def test_card_beside_the_model_tells_where_it_comes_from(made):
    card = read_card(made.int8, made.int8.read_bytes())
    assert (card.kind, card.source) == ("int8", "model.keras")
    assert card.calibration is not None
    assert card.calibration["count"] == 64
    assert read_card(made.float32, made.float32.read_bytes()).calibration is None
    assert str(made.model.parent) not in card_path(made.int8).read_text()


def test_pack_makes_a_bundle_and_says_what_it_reads_and_answers(made, tmp_path, capsys):
    out = tmp_path / "bundle"
    assert run("pack", made.int8, "--name", "tiny", "--label-set", "fer2013", "--out", out) == 0
    said = capsys.readouterr().out
    bundle = read_bundle(out)
    for words in (bundle.sha256, "48 × 48 px, grey", "angry, disgust, fear, happy, sad, surprise, neutral"):
        assert words in said
    assert bundle.manifest["licence"] == "not stated"


def test_calibration_from_public_test_is_refused(made, tmp_path, refused):
    data = write_fer2013(tmp_path / "fer2013.csv", made_up_faces(split="PublicTest"))
    command = ["tflite", made.model, "--kind", "int8", "--calibration", data, "--out", tmp_path / "x.tflite"]
    assert "training faces only" in refused(*command, "--calibration-split", "PublicTest")
    assert "PublicTest" in refused(*command)


def test_wrong_use_of_tflite_is_refused_without_a_file(made, tmp_path, refused):
    out = tmp_path / "x.tflite"
    int8 = ["tflite", made.model, "--kind", "int8"]
    assert "without --calibration" in refused(*int8, "--out", out)
    float32 = ["tflite", made.model, "--kind", "float32"]
    assert "ends in .tflite" in refused(*float32, "--out", tmp_path / "x.bin")
    assert "no such folder" in refused(*float32, "--out", tmp_path / "none" / "x.tflite")
    assert "no such file" in refused("tflite", tmp_path / "no.keras", "--kind", "float32", "--out", out)
    assert "84 usable faces" in refused(*int8, "--calibration", made.data, "--out", out)
    assert "no.csv" in refused(*int8, "--calibration", tmp_path / "no.csv", "--out", out)


def test_model_over_its_budget_fails_with_code_one_and_no_file(made, tmp_path, refused):
    command = ["tflite", made.model, "--kind", "float32", "--out", tmp_path / "x.tflite"]
    assert "at most 1000" in refused(*command, "--most-bytes", 1000, code=1)


def test_wrong_use_of_pack_is_refused_without_a_folder(made, tmp_path, refused):
    out = ["--out", tmp_path / "bundle"]
    command = ["pack", made.int8, "--name", "tiny"]
    assert "label set 'fer'" in refused(*command, "--label-set", "fer", *out)
    assert "8 labels" in refused(*command, "--label-set", "ferplus", *out)
    command += ["--label-set", "fer2013"]
    for record in ("x.npz", "int4=x.npz", "int8="):
        assert "KIND=FILE.npz" in refused(*command, "--record", record, *out)
    assert "no.npz: No such file" in refused(*command, "--record", f"int8={tmp_path / 'no.npz'}", *out)
    assert "run.json: No such file" in refused(*command, "--run", tmp_path, *out)
    assert "fer2013.csv" in refused("pack", made.data, "--name", "tiny", "--label-set", "fer2013", *out)


def make_run(folder, made, **of_model):
    """A run folder as training leaves it: the model and its card."""
    folder.mkdir()
    (folder / "model.keras").write_bytes(made.model.read_bytes())
    labels = made_up_faces().label_set.names
    facts = {
        "format": 1,
        "recipe": {"name": "tiny", "sha256": "r", "seed": 4},
        "model": {"architecture": "tiny", "size": 48, "channels": 1, "labels": labels, **of_model},
        "data": {"sha256": "d", "train_split": "Training", "choosing_sha256": "c", "choose_split": "PublicTest"},
        "result": {"epochs": 2, "best_epoch": 1, "steps_per_epoch": None, "accuracy": 0.5, "interval": [0.4, 0.6]},
        "code": {"commit": "abc", "dirty": False},
        "versions": {"fer_edge": "0.1.0", "keras": "3", "backend": "tensorflow 2"},
    }
    (folder / "run.json").write_text(json.dumps(facts))
    return folder


def test_run_folder_becomes_the_training_of_the_manifest(made, tmp_path):
    run_folder = make_run(tmp_path / "run", made)
    command = ["pack", made.int8, "--name", "tiny", "--label-set", "fer2013", "--run", run_folder]
    assert run(*command, "--out", tmp_path / "bundle") == 0
    training = read_bundle(tmp_path / "bundle").manifest["training"]
    assert training["recipe"] == {"name": "tiny", "sha256": "r", "seed": 4}
    assert training["result"]["accuracy"] == 0.5


@pytest.mark.parametrize("kind", ["int8", "float32"])
def test_illumination_goes_from_the_run_through_both_commands_into_the_bundle(made, tmp_path, capsys, kind):
    run_folder, out = make_run(tmp_path / "run", made, illumination="clahe"), tmp_path / "bundle"
    calibration = ["--calibration", made.data, "--count", 64] if kind == "int8" else []
    assert run("tflite", run_folder / "model.keras", "--kind", kind, *calibration) == 0
    assert "illumination clahe" in capsys.readouterr().out
    converted = run_folder / f"{kind}.tflite"
    assert read_card(converted, converted.read_bytes()).illumination == "clahe"
    assert run("pack", converted, "--name", "t", "--label-set", "fer2013", "--run", run_folder, "--out", out) == 0
    assert "illumination clahe" in capsys.readouterr().out
    bundle = read_bundle(out)
    assert bundle.input.illumination == bundle.manifest["training"]["model"]["illumination"] == "clahe"
    if kind == "int8":
        assert bundle.manifest["calibration"]["illumination"] == "clahe"
        plain = read_card(made.int8, made.int8.read_bytes()).calibration
        assert bundle.manifest["calibration"]["sha256"] != plain["sha256"]
        assert bundle.manifest["calibration"]["rows"] == plain["rows"]


def test_illumination_is_named_by_hand_where_no_run_card_lies_beside_the_model(made, tmp_path, refused):
    out = tmp_path / "x.tflite"
    float32 = ["tflite", made.model, "--kind", "float32", "--out", out]
    assert "did you mean 'dct'" in refused(*float32, "--illumination", "dtc")
    assert run(*float32, "--illumination", "dct") == 0
    assert read_card(out, out.read_bytes()).illumination == "dct"


def test_illumination_that_the_run_card_contradicts_is_refused(made, tmp_path, refused):
    run_folder = make_run(tmp_path / "run", made, illumination="clahe")
    command = ["tflite", run_folder / "model.keras", "--kind", "float32", "--out", tmp_path / "x.tflite"]
    for name in ("none", "dct"):
        assert "expected clahe, which the run card beside it names" in refused(*command, "--illumination", name)
    # Converted elsewhere, without the card: what was assumed then is compared when it is packed.
    pack = ["pack", made.int8, "--name", "t", "--label-set", "fer2013", "--out", tmp_path / "b"]
    assert "convert it again with --illumination clahe" in refused(*pack, "--run", run_folder)


def test_conversion_card_that_contradicts_its_calibration_or_is_unknown_is_refused(made, tmp_path, refused):
    model = tmp_path / "model.tflite"
    model.write_bytes(made.int8.read_bytes())
    card = json.loads(card_path(made.int8).read_bytes())
    pack = ["pack", model, "--name", "t", "--label-set", "fer2013", "--out", tmp_path / "b"]
    for name, said in (("dct", "calibrated with 'none' for a model of 'dct'"), ("dtc", "did you mean 'dct'")):
        card_path(model).write_text(json.dumps({**card, "illumination": name}))
        assert said in refused(*pack)
    del card["illumination"]
    card_path(model).write_text(json.dumps(card))
    assert run(*pack) == 0
    assert read_bundle(tmp_path / "b").input.illumination == "none"


def test_help_comes_without_tensorflow():
    probe = """
import sys
from convert.cli import main
for words in (["--help"], ["tflite", "--help"], ["pack", "--help"]):
    try:
        main(words)
    except SystemExit as done:
        assert done.code == 0
print({"tensorflow", "keras", "ai_edge_litert"} & set(sys.modules))
"""
    outcome = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, cwd=ROOT, check=True)
    assert outcome.stdout.endswith("set()\n")


def test_packing_needs_no_tensorflow(made, tmp_path):
    probe = f"""
import sys
sys.modules.update(tensorflow=None, keras=None)
from convert.cli import main
sys.exit(main(["pack", {str(made.int8)!r}, "--name", "t", "--label-set", "fer2013", "--out", {str(tmp_path / "b")!r}]))
"""
    outcome = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (outcome.returncode, outcome.stderr) == (0, "")
    read_bundle(tmp_path / "b")


def test_missing_extras_are_named(made, tmp_path):
    probe = f"""
import sys
sys.modules.update(tensorflow=None, keras=None)
from convert.cli import main
sys.exit(main(["tflite", {str(made.model)!r}, "--kind", "float32", "--out", {str(tmp_path / "x.tflite")!r}]))
"""
    outcome = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, cwd=ROOT, check=False)
    assert outcome.returncode == 2
    assert "pip install -e .[convert]" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_calibration_for_float32_is_said_to_be_unused_and_the_model_goes_beside_its_source(made, tmp_path, capsys):
    model = tmp_path / "model.keras"
    model.write_bytes(made.model.read_bytes())
    assert main(["tflite", str(model), "--kind", "float32", "--calibration", str(tmp_path / "unread.csv")]) == 0
    assert "not read" in capsys.readouterr().err
    assert (tmp_path / "float32.tflite").exists()


def test_recipe_file_and_options_choose_what_a_mixed_model_keeps(made, tmp_path, capsys):
    recipe = tmp_path / "mine.toml"
    recipe.write_text('name = "mine"\nkind = "mixed"\npurpose = "a test"\nkeep_layers = ["dense"]\ncount = 64\n')
    model = tmp_path / "model.keras"
    model.write_bytes(made.model.read_bytes())
    command = ["tflite", model, "--calibration", made.data]
    assert run(*command, "--recipe", recipe) == 0
    assert "1 tensors kept in float32" in capsys.readouterr().out
    out = tmp_path / "mine.tflite"
    card = read_card(out, out.read_bytes())
    assert (card.kind, len(card.kept), card.recipe["keep_layers"], card.recipe["count"]) == ("mixed", 1, ["dense"], 64)
    assert card.trial["agreement"] > 0.5
    assert "ai-edge-quantizer" in card.versions
    assert run(*command, "--kind", "mixed", "--keep-operator", "SOFTMAX", "--count", 48, "--out", out) == 0
    card = read_card(out, out.read_bytes())
    assert (card.recipe["keep_layers"], card.recipe["keep_operators"], card.recipe["count"]) == ([], ["SOFTMAX"], 48)
    assert run("pack", out, "--name", "t", "--label-set", "fer2013", "--out", tmp_path / "bundle") == 0
    assert read_bundle(tmp_path / "bundle").manifest["arithmetic"] == "mixed"


def test_signed_pixels_are_an_option_of_int8_alone_and_no_bundle(made, tmp_path, refused, capsys):
    float32 = ["tflite", made.model, "--kind", "float32", "--out", tmp_path / "x.tflite"]
    assert "only int8 has a choice" in refused(*float32, "--io", "int8")
    assert "only mixed keeps any in float32" in refused(*float32, "--keep-layer", "dense")
    assert "did you mean 'int8_io'" in refused("tflite", made.model, "--recipe", "int8io")
    out = tmp_path / "signed.tflite"
    int8 = ["tflite", made.model, "--kind", "int8", "--calibration", made.data, "--count", 64, "--out", out]
    assert run(*int8, "--io", "int8") == 0
    assert "input int8 1 × 48 × 48 × 1, scale 1, zero point -128" in capsys.readouterr().out
    assert read_card(out, out.read_bytes()).io == "int8"
    said = refused("pack", out, "--name", "t", "--label-set", "fer2013", "--out", tmp_path / "bundle")
    assert "expected uint8" in said


def test_calibration_data_with_the_evaluation_faces_is_refused(made, tmp_path, refused):
    data = write_fer2013(tmp_path / "judged.csv", made_up_faces(split="PublicTest"))
    command = ["tflite", made.model, "--kind", "int8", "--calibration", made.data, "--out", tmp_path / "x.tflite"]
    said = refused(*command, "--count", 64, "--evaluation", data, "--evaluation-split", "PublicTest")
    assert "84 of 84 calibration faces are evaluation faces" in said


def test_empty_and_constant_calibration_folders_are_refused(made, tmp_path, refused):
    folder = tmp_path / "faces"
    folder.mkdir()
    command = ["tflite", made.model, "--kind", "int8", "--calibration-split", "train", "--out", tmp_path / "x.tflite"]
    assert str(folder) in refused(*command, "--calibration", folder)
    for index, name in enumerate(made_up_faces().label_set.names):
        for number in range(6):
            path = folder / "train" / name / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), np.full((48, 48), 20 * index + number, np.uint8))
    assert "0 usable faces of 42" in refused(*command, "--calibration", folder, "--count", 32)
