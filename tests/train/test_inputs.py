"""Wrong paths, splits and recipes are said before Keras is imported, which takes seconds."""

import subprocess
import sys

import pytest

from edge_runtime.facesets import write_prepared
from tests.support import ROOT, said_without_keras
from tests.train.made import tiny_faces
from train.files import CHECKPOINTS, MODEL


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    folder = tmp_path_factory.mktemp("there")
    write_prepared(tiny_faces(), folder / "faces.npz")
    (folder / "faces.csv").write_text("emotion,pixels,Usage\n")
    (folder / "begun" / CHECKPOINTS).mkdir(parents=True)
    (folder / "run").mkdir()
    (folder / "run" / MODEL).touch()
    return folder


def test_what_is_wrong_with_a_command_is_said_before_keras_is_imported(there):
    faces, csv, run, out = (str(there / name) for name in ("faces.npz", "faces.csv", "run", "out"))
    data = ["--data", faces]
    wrong = [
        (["fit", "--recipe", "nope", *data], "recipe 'nope': No such file"),
        (["fit", "--recipe", "simple_cnn"], "fit without --data"),
        (["fit", "--recipe", "simple_cnn", "--data", "nope.csv"], "nope.csv: No such file"),
        (["fit", "--recipe", "simple_cnn", "--data", csv, "--votes", "nope.csv"], "nope.csv: No such file"),
        (["fit", "--recipe", "simple_cnn", *data, "--votes", csv], "whose row numbers the votes go by"),
        (["fit", "--recipe", "simple_cnn", *data, "--choose-split", "Training"], "both 'Training'"),
        (
            ["fit", "--recipe", "simple_cnn", *data, "--weights", "nope"],
            "nope, which does not exist; expected none, imagenet",
        ),
        (["fit", "--recipe", "simple_cnn", "student_mobilenet_v2", *data], "a student's recipe"),
        (["fit", "--recipe", "face_detector", "--data", "nope.npz"], "nope.npz: No such file"),
        (["distill", "--recipe", "simple_cnn", *data], "which has no table distillation"),
        (["distill", "--recipe", "student_mobilenet_v2", *data, "--teacher", "nope"], "nope, which does not exist"),
        (["distill", "--recipe", "student_mobilenet_v2", "--teacher", run], "fit without --data"),
        (["crossvalidate", "--recipe", "nope", *data, "--out", out], "recipe 'nope'"),
        (["crossvalidate", "--recipe", "simple_cnn", "--data", "nope", "--out", out], "nope: No such file"),
        (["evaluate", "nope", *data], "nope, which does not exist"),
        (["evaluate", run, "--data", "nope"], "nope: No such file"),
        (["calibrate", str(there), *data], f"{there / MODEL}, which does not exist"),
        (["calibrate", run, "--data", "nope"], "nope: No such file"),
        (["page", str(there), *data], f"{there}: no run.json"),
        (["unpack", "nope", *data, "--out", out], "nope"),
        (["unpack", "fer2013", *data, "--out", run], "--out"),
        (["unpack", "fer2013", "--data", "nope", "--out", out], "nope: No such file"),
        (["unpack", "face-detector", "--data", "nope", "--out", out], "nope: No such file"),
        (["scenes", "mine", "nope", "--detector", "tflite", "--out", out], "nope: No such file"),
        (["scenes", "mine", "nope", "--detector", str(there), "--out", out], f"{there / MODEL}, which does not exist"),
    ]
    for (code, message), (command, expected) in zip(
        said_without_keras("train.cli", [command for command, _ in wrong]), wrong, strict=True
    ):
        assert (code, expected in message) == (2, True), (command, message)


def test_what_is_right_goes_on_to_keras(there):
    data = ["--data", str(there / "faces.npz")]
    right = [
        ["fit", "--recipe", "simple_cnn", *data],
        ["fit", "--recipe", "simple_cnn", "--smoke"],
        ["fit", "--recipe", "simple_cnn", *data, "--weights", "imagenet"],
        ["fit", "--recipe", "simple_cnn", *data, "--weights", "gone", "--out", str(there / "begun")],
        ["distill", "--recipe", "student_mobilenet_v2", *data, "--teacher", str(there / "run")],
        ["crossvalidate", "--recipe", "simple_cnn", *data, "--out", str(there / "out")],
        ["evaluate", str(there / "run"), *data],
        ["calibrate", str(there / "run"), *data],
        ["unpack", "fer2013", *data, "--out", str(there / "out")],
    ]
    for command, (code, message) in zip(right, said_without_keras("train.cli", right), strict=True):
        assert (code, "no package" in message) == (2, True), (command, message)


def test_the_list_of_recipes_needs_no_keras():
    script = "import sys; sys.modules['keras'] = None; from train.cli import main; sys.exit(main(['list']))"
    listed = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert (listed.returncode, listed.stderr) == (0, "")
    assert "face_detector_fine" in listed.stdout
