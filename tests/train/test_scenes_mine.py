"""`python -m train scenes mine` and `prepare`: whatever is wrong is said before the minutes that they take."""

import cv2
import numpy as np
import pytest

from train.cli import main
from train.scenes.made_up import made_up_store
from train.scenes.store import write_store


@pytest.fixture
def store(tmp_path):
    write_store(made_up_store(), tmp_path / "scenes.npz")
    return tmp_path / "scenes.npz"


@pytest.mark.parametrize(
    ("option", "wrong"), [("--add-to", "nope.npz: No such file"), ("--out", "a folder to write into")]
)
def test_wrong_paths_are_said_before_any_place_is_looked_at(store, tmp_path, monkeypatch, capsys, option, wrong):
    def look(*_):
        raise AssertionError("it looked")

    monkeypatch.setattr("train.scenes.mine.mine", look)
    (tmp_path / "file").touch()
    values = {"--out": str(tmp_path / "hard.npz"), "--detector": "haar"}
    values[option] = "nope.npz" if option == "--add-to" else str(tmp_path / "file" / "hard.npz")
    assert main(["scenes", "mine", str(store), *[word for pair in values.items() for word in pair]]) == 2
    assert wrong in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_said_before_the_teacher_looks_at_a_face(tmp_path, monkeypatch, capsys):
    class Asleep:
        def __init__(self, path):
            pass

    (tmp_path / "file").touch()
    cv2.imwrite(str(tmp_path / "face.png"), np.zeros((64, 64, 3), np.uint8))
    monkeypatch.setattr("train.scenes.prepare.Teacher", Asleep)
    pictures = ["--faces", str(tmp_path), "--backgrounds", str(tmp_path), "--teacher", "yunet.onnx"]
    assert main(["scenes", "prepare", *pictures, "--out", str(tmp_path / "file" / "scenes.npz")]) == 2
    assert "a folder to write into" in capsys.readouterr().err
