"""A bundle as a finished run again: it answers alike, is a run like any other, and what is no such bundle is refused."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from convert.cli import main as convert
from edge_runtime.bundle import read_bundle
from edge_runtime.facesets import write_prepared
from edge_runtime.labels import FER2013
from tests.train.made import FILES, SIZE, upside_down
from train import unpack
from train.cli import main
from train.smoke import made_up_faces

RECIPE = """
name = "normalized"
source = "made up"
keeps = "nothing"
changes = "everything"
target = "to be packed"
label_set = "fer2013"
seed = 2

[model]
architecture = "vgg"
size = 24
options = { filters = [8, 16], dense = [32], convolutions = 1, dropout = 0.0 }

[augment]
brightness = 10

[schedule]
batch = 16
optimizer = "adam"
learning_rate = 0.003
stages = [{ epochs = 12 }]
"""


@pytest.fixture(scope="module")
def workshop(tmp_path_factory):
    """A folder with `faces.npz`, `recipe.toml`, the `run` of it and its int8 `bundle`."""
    folder = tmp_path_factory.mktemp("workshop")
    write_prepared(made_up_faces(FER2013, SIZE, a_class=24), folder / "faces.npz")
    (folder / "recipe.toml").write_text(RECIPE)
    train = f"fit --recipe {folder}/recipe.toml --data {folder}/faces.npz --out {folder}/run"
    assert main(train.split()) == 0
    for command in (
        f"tflite {folder}/run/model.keras --kind int8 --calibration {folder}/faces.npz --count 64 --out {folder}/int8.tflite",
        f"pack {folder}/int8.tflite --name mine --label-set fer2013 --licence Apache-2.0 --run {folder}/run --out {folder}/bundle",
    ):
        assert convert(command.split()) == 0
    return folder


def options(workshop: Path, out: Path, **changes: str) -> list[str]:
    chosen = {"recipe": f"{workshop}/recipe.toml", "data": f"{workshop}/faces.npz", "out": str(out), **changes}
    bundle = chosen.pop("bundle", f"{workshop}/bundle")
    return ["unpack", bundle, *(word for name, value in chosen.items() if value for word in (f"--{name}", value))]


@pytest.fixture(scope="module")
def back(workshop):
    """The run folder that came back."""
    assert main(options(workshop, workshop / "back")) == 0
    return workshop / "back"


def test_a_bundle_becomes_a_run_folder_like_any_other(back, workshop, capsys):
    assert {path.name for path in back.iterdir()} == FILES - {"checkpoints", "curves.png", "history.csv"}
    assert not list(workshop.glob("*.partial"))
    card, trained = (json.loads((folder / "run.json").read_text()) for folder in (back, workshop / "run"))
    assert (card["result"]["epochs"], card["result"]["parameters"]) == (0, trained["result"]["parameters"])
    assert trained["result"]["accuracy"] > 0.8
    assert card["result"]["accuracy"] == pytest.approx(trained["result"]["accuracy"], abs=0.03)
    compare = ["compare", str(workshop / "run"), str(back), "--data", str(workshop / "faces.npz")]
    assert main([*compare, "--out", str(workshop / "compared.html")]) == 0
    assert main(["page", str(back), "--data", str(workshop / "faces.npz")]) == 0
    said = capsys.readouterr().out
    assert "0 of 0" in said
    assert "back against run: " in said


def test_its_page_tells_of_the_bundle_and_not_of_epochs(back, workshop):
    page, trained = ((folder / "run.html").read_text() for folder in (back, workshop / "run"))
    for words, there in (("Unpacked from", True), ("Trained for", False), (">Learning<", False), (">Confusion<", True)):
        assert (words in page) == there
        assert (words in trained) == (not there or words == ">Confusion<")


def test_its_card_says_of_which_bundle_it_was_made_and_how_that_was_trained(back, workshop):
    source = json.loads((back / "run.json").read_text())["unpacked"]
    bundle = read_bundle(workshop / "bundle")
    assert source == {"name": "mine", "sha256": bundle.sha256, "training": bundle.manifest["training"]}


def test_training_goes_on_from_it(back, workshop, tmp_path, capsys):
    slow = RECIPE.replace("learning_rate = 0.003", "learning_rate = 1e-5").replace("epochs = 12", "epochs = 1")
    (tmp_path / "slow.toml").write_text(slow)
    assert (
        main(
            f"fit --recipe {tmp_path}/slow.toml --data {workshop}/faces.npz --weights {back} --out {tmp_path}/on".split()
        )
        == 0
    )
    assert "14 of 14 weight arrays carried over" in "".join(capsys.readouterr())
    assert json.loads((tmp_path / "on/run.json").read_text())["result"]["accuracy"] > 0.8


def test_a_student_learns_from_it(back, workshop, tmp_path):
    taught = RECIPE.replace("epochs = 12", "epochs = 1") + "\n[distillation]\n"
    (tmp_path / "student.toml").write_text(taught)
    command = f"distill --recipe {tmp_path}/student.toml --teacher {back} --data {workshop}/faces.npz --out {tmp_path}/student"
    assert main(command.split()) == 0
    (teacher,) = json.loads((tmp_path / "student/run.json").read_text())["distillation"]["teachers"]
    assert teacher["name"] == "back"


def test_a_bundle_that_is_packed_of_it_again_says_where_its_weights_come_from(back, workshop, tmp_path):
    for command in (
        f"tflite {back}/model.keras --kind float32 --out {tmp_path}/float32.tflite",
        f"pack {tmp_path}/float32.tflite --name again --label-set fer2013 --licence MIT --run {back} --out {tmp_path}/again",
    ):
        assert convert(command.split()) == 0
    first, again = (read_bundle(folder) for folder in (workshop / "bundle", tmp_path / "again"))
    assert again.manifest["training"]["unpacked"]["sha256"] == first.sha256
    assert again.manifest["training"]["unpacked"]["training"] == first.manifest["training"]


def test_a_folder_with_anything_in_it_is_left_as_it_is(workshop, tmp_path, capsys):
    (tmp_path / "recipe.toml").write_text("mine")
    assert main(options(workshop, tmp_path)) == 2
    assert "which is there already; expected a new folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["recipe.toml"]


def test_what_breaks_off_leaves_nothing_and_the_same_command_does_it_all(workshop, tmp_path, monkeypatch, capsys):
    def full(*_arguments, **_options):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("train.run_folder.write_scores", full)
        assert main(options(workshop, tmp_path / "out")) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert main(options(workshop, tmp_path / "out")) == 0


def test_a_student_s_recipe_and_one_that_learns_votes_unpack_a_bundle_without_teacher_or_votes(workshop, tmp_path):
    taught = (
        RECIPE.replace("[augment]", '[targets]\nkind = "mixed"\nvotes_share = 0.4\n\n[augment]') + "\n[distillation]\n"
    )
    (tmp_path / "student.toml").write_text(taught)
    write_prepared(replace(made_up_faces(FER2013, SIZE, a_class=24), votes=None), tmp_path / "plain.npz")
    changes = {"recipe": f"{tmp_path}/student.toml", "data": f"{tmp_path}/plain.npz"}
    assert main(options(workshop, tmp_path / "out", **changes)) == 0


@pytest.mark.parametrize("split", ["train-split", "choose-split"])
def test_a_split_without_faces_is_refused(split, workshop, tmp_path, capsys):
    faces = made_up_faces(FER2013, SIZE)
    empty = {"train-split": "Training", "choose-split": "PublicTest"}[split]
    labels = np.where(faces.splits == empty, -1, faces.labels).astype(np.int16)
    write_prepared(replace(faces, labels=labels), tmp_path / "few.npz")
    assert main(options(workshop, tmp_path / "out", data=f"{tmp_path}/few.npz")) == 2
    assert f"split '{empty}' without a labelled face" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_without_a_recipe_that_comes_with_the_project_one_is_asked_for(workshop, tmp_path, capsys):
    assert main(options(workshop, tmp_path / "out", recipe="")) == 2
    said = capsys.readouterr().err
    assert "was trained by the recipe 'normalized', which is not here" in said
    assert "--recipe NAME_OR_PATH" in said


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('label_set = "fer2013"', 'label_set = "ferplus"', "the bundle mine with the labels angry, disgust"),
        ("size = 24", "size = 32", "the bundle mine with the size in px 24; expected 32"),
        (
            "filters = [8, 16]",
            "filters = [8, 24]",
            "for the layer 'block1_0'; expected (3, 3, 8, 24): the same architecture",
        ),
        ("filters = [8, 16]", "filters = [8, 16, 16]", "the weights of 4 convolutions and dense layers"),
    ],
)
def test_a_recipe_that_the_bundle_was_not_trained_by_is_refused(before, after, said, workshop, tmp_path, capsys):
    assert before in RECIPE
    (tmp_path / "other.toml").write_text(RECIPE.replace(before, after))
    assert main(options(workshop, tmp_path / "out", recipe=f"{tmp_path}/other.toml")) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_net_of_the_same_shapes_that_answers_otherwise_is_refused(workshop, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(unpack, "read_packed_weights", upside_down(unpack.read_packed_weights))
    assert main(options(workshop, tmp_path / "out")) == 2
    assert "faces as the bundle mine does; expected at least 90 %" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_face_detector_by_a_classifier_s_recipe_and_a_bundle_that_is_not_there_are_refused(
    workshop, tmp_path, capsys
):
    assert main(options(workshop, tmp_path / "out", bundle="face-detector")) == 2
    assert "of kind 'classifier'; expected kind = 'face_detector'" in capsys.readouterr().err
    assert main(options(workshop, tmp_path / "out", bundle=str(tmp_path / "nowhere"))) == 2
    assert "nowhere" in capsys.readouterr().err
