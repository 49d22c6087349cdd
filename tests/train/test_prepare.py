"""`python -m train prepare`."""

from dataclasses import replace

import numpy as np
import pytest

from edge_runtime.facesets import open_faces, write_prepared
from edge_runtime.labels import FER2013, FERPLUS_VOTES
from tests.train.made import tiny_faces
from train.cli import main


def row(seed: int, label: int, usage: str) -> str:
    pixels = np.random.default_rng(seed).integers(0, 256, 48 * 48)
    return f"{label},{' '.join(map(str, pixels))},{usage}"


@pytest.fixture
def data(tmp_path):
    rows = [row(0, 3, "Training"), row(1, 3, "Training"), row(2, 4, "PublicTest")]
    path = tmp_path / "fer2013.csv"
    path.write_text("\n".join(["emotion,pixels,Usage", *rows]) + "\n")
    return path


@pytest.fixture
def votes(tmp_path):
    path = tmp_path / "votes.csv"
    lines = ["Training,a,0,9,1,0,0,0,0,0,0,0", "Training,b,0,0,0,0,0,0,0,0,9,1", "PublicTest,c,1,0,0,9,0,0,0,0,0,0"]
    path.write_text("\n".join([",".join(("Usage", "Image name", *FERPLUS_VOTES)), *lines]) + "\n")
    return path


def test_prepared_faces_are_those_of_the_csv_and_are_counted(data, tmp_path, capsys):
    out = tmp_path / "new" / "faces.npz"
    assert main(["prepare", str(data), "--out", str(out)]) == 0
    assert open_faces(out).sha256() == open_faces(data).sha256()
    printed = capsys.readouterr().out
    lines = [line.split() for line in printed.splitlines()]
    assert ["PublicTest", "Training", "all"] in lines
    assert ["happy", "0", "2", "2"] in lines
    assert ["all", "1", "2", "3"] in lines
    assert "3 faces, 48 × 48 px, grey, labels of fer2013" in printed


def test_size_colour_votes_and_labels_are_as_asked(data, votes, tmp_path, capsys):
    out = tmp_path / "faces.npz"
    options = ["--votes", str(votes), "--size", "32", "--channels", "3", "--label-set", "ferplus"]
    assert main(["prepare", str(data), *options, "--out", str(out)]) == 0
    faces = open_faces(out)
    assert faces.pixels.shape == (3, 32, 32, 3)
    assert faces.labels.tolist() == [1, -1, 3]
    assert faces.votes is not None
    printed = capsys.readouterr().out
    assert "labels of ferplus, FER+ votes" in printed
    assert ["left", "out", "0", "1", "1"] in [line.split() for line in printed.splitlines()]
    # Prepared votes serve either label set afterwards.
    assert open_faces(out, label_set=FER2013).labels.tolist() == [3, -1, 4]


def test_rows_left_out_are_named_and_the_rest_is_written_and_it_exits_2(data, tmp_path, capsys):
    data.write_text(data.read_text() + "3,1 2 3,Training\n" * 25)
    out = tmp_path / "faces.npz"
    assert main(["prepare", str(data), "--out", str(out)]) == 2
    assert len(open_faces(out)) == 3
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "left out: fer2013.csv row 3: 3 pixels instead of 2304"
    assert said[-2] == "left out: 5 more"
    assert said[-1] == "25 rows or files were left out; the rest is written"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--label-set", "ferplus"], "faces without FER+ votes"),
        (["--votes", "none.csv"], "none.csv: No such file"),
    ],
)
def test_what_cannot_be_prepared_is_one_line_and_no_file(data, tmp_path, capsys, options, message):
    out = tmp_path / "faces.npz"
    assert main(["prepare", str(data), *options, "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("train: ")
    assert message in said
    assert said.count("\n") == 1
    assert not out.exists()


@pytest.mark.parametrize("size", ["0", "-3", "x", "100000"])
def test_a_size_that_is_none_is_wrong_use(data, tmp_path, size, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["prepare", str(data), "--size", size, "--out", str(tmp_path / "f.npz")])
    assert stopped.value.code == 2
    assert "--size" in capsys.readouterr().err


def test_groups_become_splits_by_how_they_begin(tmp_path, capsys):
    faces = tiny_faces()
    groups = np.array(["F01", "F02", "M01", "X01"] * (len(faces) // 4))
    write_prepared(replace(faces, groups=groups), tmp_path / "all.npz")
    command = ["prepare", str(tmp_path / "all.npz"), "--out", str(tmp_path / "by.npz"), "--group-split", "F=female"]
    assert main([*command, "--group-split", "M=male"]) == 0
    divided = open_faces(tmp_path / "by.npz")
    assert {name: set(divided.split(name).groups.tolist()) for name in divided.split_names()} == {
        "female": {"F01", "F02"},
        "male": {"M01"},
    }
    capsys.readouterr()
    assert main([*command, "--group-split", "Z=none"]) == 2
    assert "--group-split Z=none; expected the beginning of one of F01, F02, M01, X01" in capsys.readouterr().err
    write_prepared(faces, tmp_path / "all.npz")
    assert main(command) == 2
    assert "faces without groups" in capsys.readouterr().err
