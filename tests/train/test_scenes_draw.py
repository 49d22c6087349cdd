"""Scenes as a file: the same seed draws the same frames, of one split and no other."""

import numpy as np
import pytest

from edge_runtime.framesets import read_frame_set
from train.cli import main
from train.scenes.made_up import made_up_store
from train.scenes.store import write_store


def drawn(tmp_path, *options):
    out = tmp_path / "frames.npz"
    assert main(["scenes", "draw", *map(str, options), "--count", "4", "--out", str(out)]) == 0
    return read_frame_set(out)


def test_the_same_seed_draws_the_same_frames_of_a_split_and_says_what_they_were_drawn_from(tmp_path, capsys):
    write_store(made_up_store(), tmp_path / "scenes.npz")
    one, again = (drawn(tmp_path, tmp_path / "scenes.npz", "--split", "held-out", "--seed", 5) for _ in range(2))
    assert "4 held-out frames of 320 × 256 px" in capsys.readouterr().out
    assert one.sha256 == again.sha256
    assert (one.split, one.source) == ("held-out", "scenes.npz")
    assert one.frames.shape == (4, 256, 320, 1)
    other = drawn(tmp_path, tmp_path / "scenes.npz", "--split", "training", "--seed", 5)
    assert other.source_sha256 == one.source_sha256
    assert not set(other.frame_hashes()) & set(one.frame_hashes())
    third = drawn(tmp_path, tmp_path / "scenes.npz", "--split", "held-out", "--seed", 6)
    assert not np.array_equal(third.frames, one.frames)


def test_without_data_faces_are_drawn_ones(tmp_path):
    frames = drawn(tmp_path, "--split", "training")
    assert frames.source == "made up"
    assert frames.source_sha256.startswith("made-up-")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["none.npz", "--split", "training", "--out", "frames.npz"], "No such file"),
        (["--split", "training", "--out", "frames.zip"], "ends in .npz"),
        (["--split", "training", "--count", "0", "--out", "frames.npz"], "at least one"),
    ],
)
def test_the_wrong_things_are_one_clear_line(tmp_path, monkeypatch, capsys, options, reason):
    monkeypatch.chdir(tmp_path)
    assert main(["scenes", "draw", *options]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert reason in said
