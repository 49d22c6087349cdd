"""A face detector's bundle as a finished run again: it finds alike, a next round begins with it, and what does not fit is refused."""

import json
from pathlib import Path

import pytest

from edge_runtime.detectors.decode import overlaps
from edge_runtime.detectors.tflite import TFLiteDetector
from tests.train.made import upside_down
from train.cli import main
from train.detection import unpack
from train.detection.recipe import read_detector_recipe
from train.detection.saved import SavedDetector, carry_detector
from train.models.face_detector import build
from train.recipe import RECIPES
from train.scenes.made_up import made_up_store
from train.scenes.source import composed
from train.scenes.store import HELD_OUT, write_store

FILES = {"model.keras", "precision.png", "curve.json", "scenes.png", "found.png", "run.json", "recipe.toml"}


@pytest.fixture(scope="module")
def workshop(tmp_path_factory):
    """A folder with `scenes.npz` and with the shipped detector's recipe, judged on eight scenes."""
    folder = tmp_path_factory.mktemp("workshop")
    write_store(made_up_store(), folder / "scenes.npz")
    text = (RECIPES / "face_detector_all.toml").read_text()
    assert "scenes = 300" in text
    (folder / "recipe.toml").write_text(text.replace("scenes = 300", "scenes = 8"))
    return folder


def options(workshop: Path, out: Path, *more: str, recipe: str = "recipe.toml") -> list[str]:
    data = ["--data", str(workshop / "scenes.npz"), "--recipe", str(workshop / recipe), "--out", str(out)]
    return ["unpack", "face-detector", *data, *more]


@pytest.fixture(scope="module")
def back(workshop):
    """The run folder that came back."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unpack, "_SCENES", 32)
        assert main(options(workshop, workshop / "back")) == 0
    return workshop / "back"


def test_the_shipped_detector_becomes_a_run_folder_that_says_where_it_comes_from(back):
    assert {path.name for path in back.iterdir()} == FILES
    card = json.loads((back / "run.json").read_text())
    shipped = TFLiteDetector("").bundle
    assert (card["unpacked"]["name"], card["unpacked"]["sha256"]) == ("face-detector", shipped.sha256)
    assert card["unpacked"]["training"]["recipe"]["name"] == "face_detector_all"
    assert (card["model"]["weights"], card["result"]["epochs"]) == ("face-detector", 0)


def test_it_finds_what_the_bundle_finds(back, workshop):
    recipe = read_detector_recipe(str(workshop / "recipe.toml"))
    scenes = composed(made_up_store(), HELD_OUT, recipe.scenes, recipe.size, 1)
    shipped, saved = TFLiteDetector(""), SavedDetector(back)
    counted = 0
    for number in range(8):
        image = scenes.scene(5, number).image[..., 0]
        theirs, ours = shipped.find(image, 0.5), saved.find(image, 0.3)
        if len(theirs):
            assert (overlaps(theirs.boxes, ours.boxes).max(axis=1) > 0.7).all()
        counted += len(theirs)
    assert counted >= 8


def test_a_next_round_begins_with_it(back):
    recipe = read_detector_recipe("face_detector_all")
    net = build(recipe.model.options, (96, 64), 1)
    assert "carried over" in carry_detector(net, str(back))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("width = 320", "width = 352", "with an input of 320 × 256 px; expected 352 × 256 px"),
        ("head = 48", "head = 40", "the same architecture with the same options"),
    ],
)
def test_a_recipe_that_it_was_not_trained_by_is_refused(before, after, said, workshop, tmp_path, capsys):
    text = (workshop / "recipe.toml").read_text()
    assert before in text
    (workshop / "other.toml").write_text(text.replace(before, after))
    assert main(options(workshop, tmp_path / "out", recipe="other.toml")) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_net_of_the_same_shapes_that_finds_other_faces_is_refused(workshop, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(unpack, "read_packed_weights", upside_down(unpack.read_packed_weights))
    monkeypatch.setattr(unpack, "_SCENES", 16)
    assert main(options(workshop, tmp_path / "out")) == 2
    assert "faces as the bundle face-detector does; expected at least 90 %" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_options_of_classifiers_and_a_folder_with_anything_in_it_are_refused(workshop, tmp_path, capsys):
    assert main(options(workshop, tmp_path / "out", "--choose-split", "test")) == 2
    assert "leave --choose-split out" in capsys.readouterr().err
    (tmp_path / "kept").write_text("kept")
    assert main(options(workshop, tmp_path)) == 2
    assert "which is there already" in capsys.readouterr().err
    assert (tmp_path / "kept").read_text() == "kept"
