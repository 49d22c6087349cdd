"""A bundle by one command, on made-up faces; and one that is refused."""

import importlib.util
import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from edge_runtime import load
from edge_runtime.facesets import write_prepared
from edge_runtime.labels import FER2013
from release.cli import main
from train.smoke import made_up_faces

RECIPE = """
name = "tiny"
source = "made up"
keeps = "nothing"
changes = "everything"
target = "to ship"
label_set = "fer2013"

[model]
architecture = "simple_cnn"
size = 24
options = { filters = [8, 16, 16, 16], dense = 32, dropout = 0.0, dense_dropout = 0.0 }

[schedule]
batch = 16
optimizer = "adam"
learning_rate = 0.003
stages = [{ epochs = 22 }]
"""
CONVERSION = """
name = "small"
kind = "int8"
purpose = "few faces"
count = 64
"""
GATE = """
accuracy_drop_points = 10
accuracy_drop_upper_points = 20
agreement = 0.8
worst_class_recall_drop_points = 50
class_least_faces = 10
small_classes = "leave out"
mean_drift = "off"
max_drift = "off"
latency_ratio = "off"
size_ratio = "off"
size_bytes = "off"
"""
PLAN = """
name = "mine"
label_set = "fer2013"
licence = "Apache-2.0"
data = "faces.npz"
out = "out"

[student]
recipe = "tiny.toml"

[conversion]
recipe = "small.toml"
gate = "gate.toml"
least_accuracy = 0.9
"""


@pytest.fixture
def workshop(tmp_path, monkeypatch):
    """A folder with everything that a release file names; its commands find the packages of this checkout."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.delenv(
        "TF_CPP_MIN_LOG_LEVEL", raising=False
    )  # other tests' imports set it, and with it TensorFlow talks
    monkeypatch.chdir(tmp_path)
    write_prepared(made_up_faces(FER2013, 24, a_class=40), Path("faces.npz"))
    for name, text in (("tiny", RECIPE), ("small", CONVERSION), ("gate", GATE), ("release", PLAN)):
        Path(f"{name}.toml").write_text(text)
    return tmp_path


@pytest.fixture
def in_this_process(monkeypatch):
    """The steps without a program for each, which loads TensorFlow anew each time. The last test runs a real one."""

    def run(command):
        program, option, package, *words = command
        assert (program, option) == (sys.executable, "-m")
        assert importlib.util.find_spec(f"{package}.__main__")
        return SimpleNamespace(returncode=importlib.import_module(f"{package}.cli").main(words))

    monkeypatch.setattr("release.run.subprocess", SimpleNamespace(run=run))


@pytest.mark.usefixtures("in_this_process")
def test_one_command_goes_from_faces_to_a_bundle_that_answers(workshop, capfd):
    assert main(["release.toml"]) == 0
    out = capfd.readouterr().out
    assert re.search(r"out/mine: bundle mine [0-9a-f]{64}", out)
    log = json.loads((workshop / "out/release.json").read_text())
    assert [step["name"] for step in log["steps"]][:3] == ["student", "temperature", "original"]
    recognizer = load(workshop / "out/mine")
    assert recognizer.bundle.sha256 == log["sha256"]
    assert set(recognizer.bundle.manifest["parity"]["accuracy"]) == {"float32", "int8"}


@pytest.mark.usefixtures("in_this_process")
def test_a_student_made_worse_on_purpose_is_refused_and_not_packed(workshop, capfd):
    Path("tiny.toml").write_text(RECIPE.replace("epochs = 22", "epochs = 10"))
    assert main(["release.toml"]) == 1
    said = capfd.readouterr().err
    assert "converted.tflite: accuracy" in said
    assert "at least 90 %" in said
    assert not (workshop / "out/mine").exists()
    assert (workshop / "out/parity/report.json").exists()


def test_a_step_that_cannot_be_done_stops_the_release_with_its_own_lines(workshop, capfd):
    Path("faces.npz").write_bytes(b"no archive")
    assert main(["release.toml"]) == 2
    said = capfd.readouterr().err
    assert "faces.npz" in said.splitlines()[0]
    assert "release: release.toml: the step 'student' ended with exit code 2" in said
