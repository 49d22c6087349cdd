"""`python -m train evaluate`, and the figure without the faces that were also fitted."""

import json
import shutil
from dataclasses import replace

import keras
import numpy as np
import pytest

from edge_runtime.facesets import FaceSet, open_faces, write_prepared
from edge_runtime.intervals import accuracy_interval
from edge_runtime.labels import AFFECTNET8, FER2013, FERPLUS, RAFDB
from tests.train.made import SIZE, tiny_faces
from train.cli import main
from train.errors import DataError, ModelError
from train.evaluate import evaluate, load_model, predict
from train.faces import repeated_in
from train.matching import open_matched
from train.views import FLIP


class Level(keras.layers.Layer):
    """Answers with the class that a face's first pixel names, which makes every figure known beforehand."""

    def call(self, images):
        return keras.ops.one_hot(keras.ops.cast(images[:, 0, 0, 0], "int32"), 7)


@pytest.fixture(scope="module")
def model() -> keras.Model:
    inputs = keras.Input((SIZE, SIZE, 1))
    return keras.Model(inputs, Level()(inputs))


def faces_answered(labels: list[int], answers: list[int]) -> FaceSet:
    """Faces whose first pixel is the answer that `Level` gives; the last one tells them apart."""
    faces = tiny_faces().where(np.arange(len(labels)))
    pixels = faces.pixels.copy()
    pixels[:, 0, 0] = answers
    pixels[:, 0, -1] = np.arange(len(labels))
    return replace(faces, pixels=pixels, labels=np.array(labels, np.int16))


def test_figures_are_given_with_and_without_the_faces_that_were_fitted(model):
    faces = faces_answered([0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 0, 0])
    training = faces.where(np.array([0, 1]))
    evaluation = evaluate(model, faces, training)
    assert (evaluation.scores.correct, evaluation.scores.count) == (4, 6)
    assert (evaluation.fresh.correct, evaluation.fresh.count) == (2, 4)
    assert evaluation.repeated == 2
    first, *others = evaluation.lines()
    assert first.startswith(f"accuracy 66.67 % (4 of 6; 95 % interval {accuracy_interval(4, 6)}), macro F1 ")
    begins = "without the 2 that are pixel for pixel among the training faces: accuracy 50.00 % (2 of 4"
    assert [line.startswith(begins) for line in others].count(True) == 1
    assert evaluation.as_json()["without_repeated"]["accuracy"] == 0.5


def test_one_pixel_makes_it_another_face():
    faces = faces_answered([0, 1, 2], [0, 1, 2])
    others = replace(faces, pixels=faces.pixels.copy())
    others.pixels[1, 5, 5] ^= 1
    assert repeated_in(faces, others).tolist() == [True, False, True]
    assert repeated_in(faces, others.where(np.array([2]))).tolist() == [False, False, True]


def test_it_is_said_when_nothing_is_repeated_or_nothing_was_compared(model):
    faces = faces_answered([0, 1], [0, 1])
    other = replace(faces, pixels=faces.pixels + 100)
    assert "none of them is pixel for pixel among the training faces" in evaluate(model, faces, other).lines()
    assert "not compared with the training faces" in "\n".join(evaluate(model, faces, None).lines())
    assert evaluate(model, faces, None).as_json()["repeated_from_training"] is None
    everything = evaluate(model, faces, faces)
    assert everything.fresh is None
    assert "all 2 are pixel for pixel among the training faces" in everything.lines()


def test_faces_without_a_label_are_counted_and_left_out(model):
    evaluation = evaluate(model, faces_answered([0, -1, 1], [0, 1, 1]), None)
    assert (evaluation.scores.count, evaluation.left_out) == (2, 1)
    assert "1 faces without a label were left out" in evaluation.lines()
    with pytest.raises(DataError, match="2 faces, none with a label"):
        evaluate(model, faces_answered([-1, -1], [0, 0]), None)


def test_flip_averages_over_the_face_and_its_mirror_image(model):
    pixels = faces_answered([0], [2]).pixels
    pixels[0, 0, -1] = 5
    assert predict(model, pixels)[0].tolist() == [0, 0, 1, 0, 0, 0, 0]
    assert predict(model, pixels, FLIP)[0].tolist() == [0, 0, 0.5, 0, 0, 0.5, 0]


def test_chunks_change_nothing(model, monkeypatch):
    faces = tiny_faces()
    whole = predict(model, faces.pixels)
    monkeypatch.setattr("train.views._CHUNK", 30)
    assert np.array_equal(predict(model, faces.pixels), whole)


def test_a_run_folder_and_its_model_give_the_same_figures(tiny_run, capsys):
    answers = []
    for model in (tiny_run.folder, tiny_run.folder / "model.keras"):
        assert main(["evaluate", str(model), "--data", str(tiny_run.data), "--json"]) == 0
        answers.append(json.loads(capsys.readouterr().out))
    assert answers[0] == answers[1]
    card = json.loads((tiny_run.folder / "run.json").read_text())
    assert answers[0]["accuracy"] == card["result"]["accuracy"]
    assert answers[0]["labels"] == card["model"]["labels"]


def test_tables_go_to_the_terminal_and_files_into_the_folder(tiny_run, tmp_path, capsys):
    command = ["evaluate", str(tiny_run.folder), "--data", str(tiny_run.data), "--flip", "--split", "Training"]
    assert main([*command, "--out", str(tmp_path / "new")]) == 0
    printed = capsys.readouterr().out
    assert "Training, 56 faces, averaged with their mirror images" in printed
    assert "95 % interval" in printed
    assert "macro avg" in printed
    assert "label / answer" in printed
    names = {path.name for path in (tmp_path / "new").iterdir()}
    assert names == {
        "classification_report.txt",
        "classification_report.json",
        "confusion.png",
        "evaluation.json",
        "reliability.json",
        "reliability.png",
    }
    facts = json.loads((tmp_path / "new" / "evaluation.json").read_text())
    assert facts["views"] == "flip"
    assert facts["macro_f1"] == pytest.approx(facts["report"]["macro avg"]["f1-score"])
    assert 0 <= facts["calibration"]["expected_calibration_error"] <= 1


def test_faces_of_another_size_and_colour_are_scaled_and_it_is_said(tiny_run, tmp_path, capsys):
    faces = tiny_faces()
    large = replace(faces, pixels=faces.pixels.repeat(2, 1).repeat(2, 2)[..., None].repeat(3, -1))
    write_prepared(large, tmp_path / "large.npz")
    assert main(["evaluate", str(tiny_run.folder), "--data", str(tmp_path / "large.npz"), "--json"]) == 0
    captured = capsys.readouterr()
    assert "faces of 48 × 48 px are scaled to 24 × 24 px, grey" in captured.err
    assert json.loads(captured.out)["faces"] == 56


def test_a_model_without_its_card_takes_the_labels_of_the_data(tiny_run, tmp_path, capsys):
    shutil.copy(tiny_run.folder / "model.keras", tmp_path / "model.keras")
    assert main(["evaluate", str(tmp_path), "--data", str(tiny_run.data), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["label_set"] == "fer2013"


def refused(capsys, *command: object) -> str:
    assert main(["evaluate", *map(str, command)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


def test_the_wrong_things_are_one_clear_line(tiny_run, tmp_path, capsys):
    data, folder = tiny_run.data, tiny_run.folder
    assert "which does not exist" in refused(capsys, tmp_path / "none.keras", "--data", data)
    assert "finish the run" in refused(capsys, tmp_path, "--data", data)
    assert "none.csv: No such file" in refused(capsys, folder, "--data", tmp_path / "none.csv")
    assert "one of PublicTest, Training" in refused(capsys, folder, "--data", data, "--split", "PrivateTest")
    assert "7 classes, where 'ferplus' has 8" in refused(capsys, folder, "--data", data, "--label-set", "ferplus")


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.9])
def test_a_damaged_model_is_refused(tiny_run, tmp_path, kept):
    data = (tiny_run.folder / "model.keras").read_bytes()
    (tmp_path / "m.keras").write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(ModelError, match=r"m\.keras.*expected an undamaged \.keras file"):
        load_model(tmp_path / "m.keras")


def test_a_model_of_another_shape_is_refused(tmp_path):
    keras.Sequential([keras.Input((8, 9, 1)), keras.layers.Flatten(), keras.layers.Dense(7)]).save(tmp_path / "m.keras")
    with pytest.raises(ModelError, match="expected square faces in"):
        load_model(tmp_path / "m.keras")


def test_ferplus_is_scored_on_the_labels_of_its_votes(tmp_path, capsys):
    inputs = keras.Input((SIZE, SIZE, 1))
    outputs = keras.layers.Dense(8, activation="softmax")(keras.layers.Flatten()(inputs))
    keras.Model(inputs, outputs).save(tmp_path / "m.keras")
    write_prepared(tiny_faces(), tmp_path / "f.npz")
    command = [
        "evaluate",
        str(tmp_path / "m.keras"),
        "--data",
        str(tmp_path / "f.npz"),
        "--label-set",
        "ferplus",
        "--json",
    ]
    assert main(command) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["labels"] == list(FERPLUS.names)
    assert figures["faces"] == len(open_faces(tmp_path / "f.npz", split="PublicTest"))


def test_classes_without_faces_are_named_and_the_figure_among_the_others_is_given_too(model):
    faces = faces_answered([0, 0, 1, 1], [0, 6, 1, 1])  # one "angry" is taken for "neutral", which has no faces here
    evaluation = evaluate(model, faces, None)
    assert evaluation.absent == FER2013.names[2:]
    assert (evaluation.scores.correct, evaluation.common.correct) == (3, 4)
    assert evaluation.as_json()["common_classes"]["accuracy"] == 1.0
    said = "\n".join(evaluation.lines())
    assert "no faces of fear, happy, sad, surprise, neutral here" in said
    assert "answered among the 2 classes that have faces here: accuracy 100.00 %" in said


def relabelled(path, labels, names):
    """One face for each name, as a prepared file in another label set."""
    faces = tiny_faces().where(np.arange(len(names)))
    indices = np.array([labels.index(name) for name in names], np.int16)
    write_prepared(replace(faces, labels=indices, label_set=labels, votes=None), path)
    return path


def test_labels_of_another_data_set_are_matched_by_the_names_of_the_expressions(tmp_path):
    data = relabelled(tmp_path / "r.npz", RAFDB, ["anger", "happiness", "neutral"])
    compared = open_matched(data, None, FER2013, None, SIZE, 1, pytest.fail)
    assert compared.faces.labels.tolist() == [FER2013.index(name) for name in ("angry", "happy", "neutral")]
    assert not compared.unknown.any()


def test_faces_whose_expression_the_model_lacks_are_left_out_and_counted(tiny_run, tmp_path, capsys):
    data = relabelled(tmp_path / "a.npz", AFFECTNET8, ["anger", "contempt", "happy", "contempt"])
    command = ["evaluate", str(tiny_run.folder), "--data", str(data), "--split", "Training"]
    assert main([*command, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["unknown_to_model"] == {"contempt": 2}
    assert (figures["faces"], figures["left_out"]) == (2, 0)
    assert (figures["label_set"], figures["data_label_set"]) == ("fer2013", "affectnet8")
    assert main(command) == 0
    assert "left out, because the model has no such class: 2 contempt" in capsys.readouterr().out


def test_another_data_set_s_training_faces_are_not_taken_for_those_that_were_fitted(tiny_run, tmp_path, capsys):
    write_prepared(tiny_faces(seed=5), tmp_path / "other.npz")
    assert main(["evaluate", str(tiny_run.folder), "--data", str(tmp_path / "other.npz"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["repeated_from_training"] is None
    assert main(["evaluate", str(tiny_run.folder), "--data", str(tiny_run.data), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["repeated_from_training"] == 0


def test_data_without_an_expression_of_the_model_is_refused(tmp_path):
    data = relabelled(tmp_path / "a.npz", AFFECTNET8, ["contempt"])
    other = replace(FER2013, name="two", names=("bored", "tired"))
    with pytest.raises(DataError, match=r"some of bored, tired, which the model answers.*--data-label-set"):
        open_matched(data, None, other, AFFECTNET8, SIZE, 1, lambda _: None)


def test_a_folder_with_contempt_is_read_in_the_labels_of_the_model_that_knows_it(tmp_path):
    import cv2

    for name in ("contempt", "happiness"):
        (tmp_path / "f" / "test" / name).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "f" / "test" / name / "1.png"), tiny_faces().pixels[0])
    compared = open_matched(tmp_path / "f", None, FERPLUS, None, SIZE, 1, lambda _: None)
    assert sorted(compared.faces.labels.tolist()) == [FERPLUS.index("happiness"), FERPLUS.index("contempt")]
    assert compared.own == FERPLUS
    known = open_matched(tmp_path / "f", None, FER2013, FERPLUS, SIZE, 1, lambda _: None)
    assert known.unknown_counts() == {"contempt": 1}
