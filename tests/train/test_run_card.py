"""The run card: complete, and free of what is nobody's business."""

import json
import os
import socket
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.train.made import tiny_faces
from train import run_card
from train.errors import DataError
from train.run_card import Code, DataFacts, Hardware, ResultFacts, RunCard, Versions, read_card


@pytest.fixture(scope="module")
def card() -> RunCard:
    faces = tiny_faces()
    training, choosing = faces.split("Training"), faces.split("PublicTest")
    result = ResultFacts(3, 2, 1.5, 0.5, (0.4, 0.6), 0, 0.5, 0.45, 1234, None)
    data = DataFacts.of(training, choosing, "Training", "PublicTest")
    recipe = {"name": "tiny", "sha256": "abc", "seed": 3}
    return RunCard(recipe, {"label_set": "fer2013"}, data, result, Code.here(), Versions.here(), Hardware.here())


def test_card_says_what_was_trained_on_what_by_what_and_where(card, tmp_path):
    card.write(tmp_path / "run.json")
    read = read_card(tmp_path / "run.json")
    assert read["data"]["training"] == dict.fromkeys(
        ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"), 8
    )
    assert read["data"]["sha256"] == tiny_faces().split("Training").sha256()
    assert read["recipe"]["seed"] == 3
    assert read["result"]["parameters"] == 1234
    assert set(read["versions"]) == {"fer_edge", "python", "keras", "backend", "numpy"}
    assert read["versions"]["backend"].split()[0] in ("tensorflow", "torch", "jax")
    assert read["hardware"]["cores"] >= 1
    assert read["hardware"]["processor"]


def test_card_names_no_host_no_user_and_no_path(card, tmp_path):
    card.write(tmp_path / "run.json")
    text = (tmp_path / "run.json").read_text()
    for secret in (socket.gethostname(), str(Path.home()), os.getcwd(), str(tmp_path)):
        assert secret not in text
    assert '"/' not in text


def test_commit_and_changed_files_are_told(tmp_path, monkeypatch):
    def git(*words: str) -> str:
        done = subprocess.run(["git", "-C", str(tmp_path), *words], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    monkeypatch.setattr(run_card, "__file__", str(tmp_path / "run_card.py"))
    assert Code.here() == Code(None, None)
    git("init", "-q")
    assert Code.here() == Code(None, False)
    (tmp_path / "file").touch()
    git("add", "file")
    git("-c", "user.name=n", "-c", "user.email=e@example.org", "commit", "-qm", "first")
    assert Code.here() == Code(git("rev-parse", "HEAD"), False)
    (tmp_path / "file").write_text("changed")
    assert Code.here().dirty is True


def test_a_card_written_again_keeps_the_code_and_place_of_the_training(card, tmp_path):
    path = tmp_path / "run.json"
    replace(card, code=Code("the commit that trained", False)).write(path)
    replace(card, code=Code("a later commit", True)).write(path)
    assert read_card(path)["code"]["commit"] == "the commit that trained"
    replace(card, code=Code("a later commit", True), recipe={"name": "other"}).write(path)
    assert read_card(path)["code"]["commit"] == "a later commit"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"format": 2}',
        '{"format": 1}',
        '{"format": 1, "recipe": 1, "result": 1, "code": 1, "versions": 1, "hardware": 1, "model": {}, "data": {}}',
        "\x00",
    ],
)
def test_what_is_no_card_is_refused(tmp_path, text):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(DataError, match=r"run\.json"):
        read_card(tmp_path / "run.json")
    assert read_card(tmp_path / "none.json") is None


def test_card_is_json_without_nan(card, tmp_path):
    with pytest.raises(ValueError, match="JSON compliant"):
        replace(card, result=replace(card.result, accuracy=float("nan"))).write(tmp_path / "run.json")
    card.write(tmp_path / "run.json")
    assert json.loads((tmp_path / "run.json").read_text())["format"] == 1
