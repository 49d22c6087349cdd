"""One batch over several devices, on Keras' JAX backend with two virtual processors, in processes of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge_runtime.facesets import write_prepared
from tests.support import ROOT
from tests.train.made import tiny_faces, toml
from tests.train.taught import student_toml, teacher_folder
from train.devices import data_parallel
from train.errors import DeviceError

pytest.importorskip("jax")


ONE_AFTER_THE_OTHER = """
import contextlib, io, json, sys
from train.cli import main
for arguments in json.loads(sys.argv[1]):
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        code = main(arguments)
    print(json.dumps([code, said.getvalue()]))
"""
"""Runs commands and prints what each returned and said: JAX takes longer to load than a tiny net to train."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("devices")
    write_prepared(tiny_faces(), folder / "faces.npz")
    toml(folder / "tiny.toml", stages="[{ epochs = 2 }]")
    student_toml(folder / "student.toml", stages="[{ epochs = 1 }]")
    teacher_folder(folder / "wise")
    return folder


@pytest.fixture(scope="module")
def done(folder) -> dict[str, tuple[int, str]]:
    """Exit status and stderr of each run, by the name of its folder."""
    two = ("--devices", "2")
    runs = {
        "one": ("fit", "tiny"),
        "two": ("fit", "tiny", *two),
        "student": ("distill", "student", "--teacher", str(folder / "wise"), *two),
        "four": ("fit", "tiny", "--devices", "4"),
    }
    faces = str(folder / "faces.npz")
    commands = [
        [how, "--recipe", str(folder / f"{recipe}.toml"), "--data", faces, "--out", str(folder / name), *words]
        for name, (how, recipe, *words) in runs.items()
    ]
    environment = {
        **os.environ,
        "KERAS_BACKEND": "jax",
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": "--xla_force_host_platform_device_count=2 --xla_backend_optimization_level=0",
    }
    command = [sys.executable, "-c", ONE_AFTER_THE_OTHER, json.dumps(commands)]
    answer = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert answer.returncode == 0, answer.stderr
    return dict(zip(runs, map(json.loads, answer.stdout.splitlines()), strict=True))


def losses(run: Path) -> list[float]:
    facts = (run / "history.csv").read_text().splitlines()
    column = facts[0].split(",").index("loss")
    return [float(line.split(",")[column]) for line in facts[1:]]


def test_two_devices_reach_the_loss_of_one_to_rounding_and_without_accelerators_it_is_one(folder, done):
    (one, said_by_one), (two, said_by_two) = done["one"], done["two"]
    assert (one, two) == (0, 0), said_by_one + said_by_two
    assert "shared by 2 devices" in said_by_two
    assert "shared by" not in said_by_one
    assert losses(folder / "two") == pytest.approx(losses(folder / "one"), rel=1e-4)
    card = json.loads((folder / "two" / "run.json").read_text())
    assert card["versions"]["backend"].startswith("jax ")


def test_a_student_and_its_live_teacher_share_their_batches(folder, done):
    code, said = done["student"]
    assert code == 0, said
    assert "shared by 2 devices" in said
    assert len(losses(folder / "student")) == 1


def test_more_devices_than_there_are_are_refused(done):
    code, said = done["four"]
    assert code == 2
    assert "--devices 4; expected at most 2: cpu:0, cpu:1" in said
    assert said.count("\n") == 1


def test_a_backend_that_cannot_share_a_batch_says_which_one_can():
    with pytest.raises(DeviceError, match="the backend jax"), data_parallel(2, 16):
        pass
    with data_parallel(1, 16) as devices:
        assert devices == 1
    with data_parallel(None, 16) as devices:
        assert devices == 1
