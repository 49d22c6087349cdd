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


def fit(
    folder: Path, *words: str, backend: str = "jax", how: str = "fit", recipe: str = "tiny.toml"
) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": "--xla_force_host_platform_device_count=2 --xla_backend_optimization_level=0",
    }
    command = [sys.executable, "-m", "train", how, "--recipe", str(folder / recipe)]
    command += ["--data", str(folder / "faces.npz"), *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("devices")
    write_prepared(tiny_faces(), folder / "faces.npz")
    toml(folder / "tiny.toml", stages="[{ epochs = 2 }]")
    return folder


def losses(run: Path) -> list[float]:
    facts = (run / "history.csv").read_text().splitlines()
    column = facts[0].split(",").index("loss")
    return [float(line.split(",")[column]) for line in facts[1:]]


def test_two_devices_reach_the_loss_of_one_to_rounding_and_without_accelerators_it_is_one(folder):
    one = fit(folder, "--out", str(folder / "one"))
    two = fit(folder, "--devices", "2", "--out", str(folder / "two"))
    assert (one.returncode, two.returncode) == (0, 0), one.stderr + two.stderr
    assert "shared by 2 devices" in two.stderr
    assert "shared by" not in one.stderr
    assert losses(folder / "two") == pytest.approx(losses(folder / "one"), rel=1e-4)
    card = json.loads((folder / "two" / "run.json").read_text())
    assert card["versions"]["backend"].startswith("jax ")


def test_a_student_and_its_live_teacher_share_their_batches(folder):
    student_toml(folder / "student.toml", stages="[{ epochs = 1 }]")
    teacher_folder(folder / "wise")
    words = ("--teacher", str(folder / "wise"), "--devices", "2", "--out", str(folder / "student"))
    done = fit(folder, *words, how="distill", recipe="student.toml")
    assert done.returncode == 0, done.stderr
    assert "shared by 2 devices" in done.stderr
    assert len(losses(folder / "student")) == 1


def test_more_devices_than_there_are_are_refused(folder):
    done = fit(folder, "--devices", "4", "--out", str(folder / "four"))
    assert done.returncode == 2
    assert "--devices 4; expected at most 2: cpu:0, cpu:1" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_backend_that_cannot_share_a_batch_says_which_one_can():
    with pytest.raises(DeviceError, match="the backend jax"), data_parallel(2, 16):
        pass
    with data_parallel(1, 16) as devices:
        assert devices == 1
    with data_parallel(None, 16) as devices:
        assert devices == 1
