"""`python -m train crossvalidate`: fold after fold, resumed by the same command, judged on what was held out."""

import json
from dataclasses import replace

import numpy as np
import pytest

from edge_runtime.facesets import write_prepared
from tests.train.made import tiny_faces, toml
from train.cli import main
from train.crossvalidate import check_folds
from train.errors import DataError
from train.evaluate import load_model
from train.held_out import HeldOut
from train.protocols import make_folds
from train.recipe import read_recipe
from train.scores import score
from train.views import predict


def with_people(faces):
    people = np.arange(len(faces)) // 7 % 6  # each shows every expression
    return replace(faces, groups=np.array([f"S{number}" for number in people]))


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A finished cross-validation of three folds, its command, and its faces; one face stands in the data twice."""
    folder = tmp_path_factory.mktemp("cross")
    faces = with_people(tiny_faces())
    faces.pixels[1] = faces.pixels[8]  # of two people, so never in one fold only
    assert faces.groups[1] != faces.groups[8]
    write_prepared(faces, folder / "faces.npz")
    recipe = toml(folder / "tiny.toml", stages="[{ epochs = 2 }]")
    command = ["crossvalidate", "--recipe", str(recipe), "--data", str(folder / "faces.npz")]
    command += ["--protocol", "subject-disjoint", "--folds", "3", "--out", str(folder / "out")]
    assert main(command) == 0
    return folder / "out", command, faces


def report(folder):
    return json.loads((folder / "crossvalidation.json").read_text())


def test_every_face_is_held_out_once_and_judged_by_a_model_that_never_saw_its_group(done):
    folder, _, faces = done
    facts = report(folder)
    folds = make_folds("subject-disjoint", faces.labels, faces.groups, 3, 1)
    assert sum(fold["faces"] for fold in facts["fold_results"]) == facts["pooled"]["faces"] == len(faces)
    assert [fold["groups"] for fold in facts["fold_results"]] == [list(fold.groups) for fold in folds]
    for number, (fold, result) in enumerate(zip(folds, facts["fold_results"], strict=True), 1):
        model = load_model(folder / f"fold-{number:02d}" / "model.keras")
        out = faces.where(fold.held_out)
        assert score(predict(model, out.pixels), out.labels, out.label_set).accuracy == result["accuracy"]


def test_mean_and_deviation_are_those_of_the_folds_and_the_pooled_figures_those_of_all_faces(done):
    facts = report(done[0])
    accuracies = [fold["accuracy"] for fold in facts["fold_results"]]
    assert facts["accuracy_mean"] == pytest.approx(np.mean(accuracies))
    assert facts["accuracy_standard_deviation"] == pytest.approx(np.std(accuracies, ddof=1))
    assert facts["pooled"]["correct"] == sum(fold["correct"] for fold in facts["fold_results"])
    assert 0 <= facts["pooled"]["macro_f1"] <= 1
    assert facts["pooled"]["interval"][0] <= facts["pooled"]["accuracy"] <= facts["pooled"]["interval"][1]


def test_faces_that_are_also_among_those_fitted_are_counted_and_left_out_of_a_second_figure(done):
    facts = report(done[0])
    again = sum(fold["repeated_from_training"] for fold in facts["fold_results"])
    assert facts["pooled"]["repeated_from_training"] == again
    folds = make_folds("subject-disjoint", done[2].labels, done[2].groups, 3, 1)
    together = any({1, 8} <= set(fold.held_out.tolist()) for fold in folds)
    assert again == (0 if together else 2)
    if again:
        assert facts["pooled"]["without_repeated"]["faces"] == facts["pooled"]["faces"] - 2


def test_it_leaves_a_report_for_people_and_no_checkpoints(done):
    folder = done[0]
    names = {path.name for path in folder.iterdir()}
    assert names == {
        *("fold-01", "fold-02", "fold-03", "folds.json", "crossvalidation.json", "confusion.png"),
        *("classification_report.txt", "classification_report.json", "reliability.json", "reliability.png"),
    }
    fold = {path.name for path in (folder / "fold-01").iterdir()}
    assert fold == {"model.keras", "history.csv", "curves.png", "held-out.npz"}
    text = (folder / "classification_report.txt").read_text()
    assert "mean of the folds" in text
    assert "chosen on a tenth of the other folds, whole groups; never on the faces held out" in text
    assert "macro avg" in text


def test_the_same_command_fits_only_what_is_missing_and_gives_the_same_figures(done, capsys):
    folder, command, _ = done
    before = report(folder)
    kept = (folder / "fold-01" / "model.keras").stat().st_mtime_ns
    (folder / "fold-02" / "held-out.npz").write_bytes(b"half")
    (folder / "crossvalidation.json").unlink()
    assert main(command) == 0
    captured = capsys.readouterr()
    assert "fold-01 is done" in captured.err
    assert "fold-03 is done" in captured.err
    assert "is damaged" in captured.err
    assert "fold 2/3  epoch 2/2" in captured.out
    assert "fold 1/3  epoch" not in captured.out
    assert (folder / "fold-01" / "model.keras").stat().st_mtime_ns == kept
    after = report(folder)
    assert after["pooled"]["confusion"] == before["pooled"]["confusion"]


def test_another_protocol_or_seed_does_not_go_on_in_the_same_folder(done, capsys):
    _, command, _ = done
    assert main([*command, "--seed", "2"]) == 2
    assert "a cross-validation with another seed" in capsys.readouterr().err
    assert main([*command, "--protocol", "k-fold"]) == 2
    assert "another protocol" in capsys.readouterr().err


def test_what_a_fold_left_for_other_faces_is_not_taken(tmp_path):
    kept = HeldOut(np.array([3, 4]), np.eye(2, 7, dtype=np.float32), 5, 1.5)
    kept.write(tmp_path / "h.npz", "key")
    again = HeldOut.read(tmp_path / "h.npz", "key", pytest.fail)
    assert (again.rows.tolist(), again.best_epoch, again.wall_s) == ([3, 4], 5, 1.5)
    said: list[str] = []
    assert HeldOut.read(tmp_path / "h.npz", "another", said.append) is None
    assert "the fold is fitted again" in said[0]
    assert HeldOut.read(tmp_path / "none.npz", "key", pytest.fail) is None


def test_folds_that_could_not_be_fitted_are_refused_before_the_first_is_begun(tmp_path):
    faces, recipe = with_people(tiny_faces()), read_recipe(str(toml(tmp_path / "tiny.toml")))
    lone = replace(faces, labels=np.where(faces.groups == "S0", faces.labels, faces.labels % 6).astype(np.int16))
    folds = make_folds("leave-one-group-out", lone.labels, lone.groups)
    with pytest.raises(DataError, match=r"fold 1 \(without S0\): no faces of neutral to fit"):
        check_folds(folds, lone, recipe)
    few = faces.where(np.arange(14))
    with pytest.raises(DataError, match="fold 1: 7 faces to fit; expected at least one batch of 16"):
        check_folds([replace(make_folds("k-fold", faces.labels, None, 8)[0], training=np.arange(7))], few, recipe)


def test_the_wrong_things_are_one_clear_line(tmp_path, capsys):
    write_prepared(tiny_faces(), tmp_path / "faces.npz")
    recipe, out = str(toml(tmp_path / "tiny.toml")), str(tmp_path / "out")

    def refused(*options: str) -> str:
        assert main(["crossvalidate", "--recipe", recipe, "--out", out, *options]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.count("\n") == 1
        return captured.err

    data = ("--data", str(tmp_path / "faces.npz"))
    assert "without --data" in refused()
    assert "faces without groups" in refused(*data, "--protocol", "subject-disjoint")
    assert "one of PublicTest, Training" in refused(*data, "--split", "PrivateTest")
    assert "17 folds of 112 faces, 16 of the rarest class" in refused(*data, "--folds", "17")
    assert not (tmp_path / "out").exists()
