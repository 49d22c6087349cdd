"""`python -m train distill`, as a person meets it."""

import json
import re

import cv2
import numpy as np
import pytest

from edge_runtime.facesets import open_faces, read_unlabelled, write_prepared
from tests.train.made import SIZE, tiny_faces
from tests.train.taught import student_toml, teacher_folder
from train.cli import main


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Faces, a teacher's run folder and a student's recipe."""
    folder = tmp_path_factory.mktemp("distill")
    write_prepared(tiny_faces(), folder / "faces.npz")
    teacher_folder(folder / "wise")
    student_toml(folder / "student.toml", 'views = "cached"\ncached_views = 2', stages="[{ epochs = 2 }]")
    return folder


def command(place, out, *more: object) -> list[str]:
    words = ("distill", "--recipe", place / "student.toml", "--data", place / "faces.npz", "--out", out, *more)
    return [str(word) for word in words]


def line_of(capsys, *arguments: object) -> str:
    """The one line on stderr of a command that was used wrongly."""
    assert main([*map(str, arguments)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


@pytest.fixture(scope="module")
def taught(place, tmp_path_factory):
    """The folder of a student that learnt from two teachers and from faces without labels."""
    folder = tmp_path_factory.mktemp("taught") / "run"
    teacher_folder(place / "other", seed=11)
    pictures = place / "portraits"
    (pictures / "inner").mkdir(parents=True)
    for index, face in enumerate(tiny_faces(a_class=2, seed=4).pixels[:20]):
        cv2.imwrite(str(pictures / ("inner" * (index % 2)) / f"{index:02d}.png"), face)
    cv2.imwrite(str(pictures / "seen.png"), tiny_faces().split("PublicTest").pixels[3])
    (pictures / "torn.png").write_bytes(b"\x89PNG\r\n")
    teachers = ("--teacher", place / "wise", "--teacher", place / "other")
    extra = ("--unlabelled", pictures, "--detector", "none")
    assert main(command(place, folder, *teachers, *extra)) == 0
    return folder


def test_a_students_folder_has_what_a_run_leaves_and_its_card_the_teachers(taught, place):
    names = {path.name for path in taught.iterdir()}
    assert {"model.keras", "run.json", "history.csv", "run.html", "recipe.toml", "answers", "checkpoints"} <= names
    assert sorted(path.name for path in (taught / "answers").iterdir()) == [
        "view-000-24-crop.npz",
        "view-001-24-crop.npz",
    ]
    card = json.loads((taught / "run.json").read_text())["distillation"]
    assert [(one["name"], one["recipe"], one["accuracy"]) for one in card["teachers"]] == [
        ("wise", "made_up", 0.625),
        ("other", "made_up", 0.625),
    ]
    assert all(re.fullmatch("[0-9a-f]{64}", one["sha256"]) for one in card["teachers"])
    assert all(one["choose_split"] == "PublicTest" for one in card["teachers"])
    assert (card["teacher_share"], card["temperature"], card["views"]) == (0.7, 4.0, "cached")
    assert card["unlabelled"] == 20  # the twenty-first is one to choose on
    page = (taught / "run.html").read_text()
    assert "wise" in page
    assert "62.5" in page


def test_the_same_command_goes_on_and_a_finished_student_is_only_reported(place, tmp_path, capsys):
    run = tmp_path / "run"
    words = command(place, run, "--teacher", place / "wise")
    assert main([*words, "--minutes", "0"]) == 130
    said = capsys.readouterr()
    assert "what was done before is kept" in said.err  # they were over while the teachers answered
    assert "teachers' answers: 56 of 112 views" not in said.err
    assert len(list((run / "answers").iterdir())) == 1
    assert main(words) == 0
    said = capsys.readouterr()
    assert "teachers' answers: 112 of 112 views, done" in said.out
    assert re.search(r"epoch 1/2 .* left\nepoch 2/2 .* done\n", said.out)
    assert "teacher wise (made_up, " in said.err
    assert "62.50 % of PublicTest by its card" in said.err
    assert main(words) == 0
    assert "all 2 epochs are done" in capsys.readouterr().err


def test_the_baseline_stands_beside_the_student_in_one_table(place, taught, tmp_path, capsys):
    alone = tmp_path / "alone"
    assert main(command(place, alone, "--without-teacher")) == 0
    assert "without a teacher: the labels alone, on the same views" in capsys.readouterr().err
    assert not (alone / "answers").exists()
    card = json.loads((alone / "run.json").read_text())["distillation"]
    assert (card["teachers"], card["teacher_share"], card["temperature"]) == ([], 0.0, None)
    assert main(["compare", str(alone), str(taught)]) == 0
    table = capsys.readouterr().out
    assert "alone" in table
    assert "*" not in table  # the same task: the figures may be compared


def test_what_cannot_be_distilled_is_one_line_and_exit_code_2(place, tmp_path, capsys):
    words, out = command(place, tmp_path / "run"), tmp_path / "run"
    assert "distill without --teacher; expected a finished run" in line_of(capsys, *words)
    assert "which does not exist" in line_of(capsys, *words, "--teacher", tmp_path / "nobody")
    colour = teacher_folder(tmp_path / "colour", channels=3)
    assert "which reads faces in colour" in line_of(capsys, *words, "--teacher", colour)
    ferplus = teacher_folder(tmp_path / "ferplus", labels="ferplus")
    assert "answers the 8 labels of 'ferplus'" in line_of(capsys, *words, "--teacher", ferplus)
    plain = ["distill", "--recipe", "simple_cnn", "--data", place / "faces.npz", "--teacher", place / "wise"]
    assert "the recipe simple_cnn, which has no table distillation" in line_of(capsys, *plain)
    fit = ["fit", "--recipe", place / "student.toml", "--data", place / "faces.npz", "--out", out]
    assert "train it with `python -m train distill --recipe tiny --teacher RUN`" in line_of(capsys, *fit)
    with pytest.raises(SystemExit):
        main([*words, "--teacher", str(place / "wise"), "--without-teacher"])
    assert "not allowed with" in capsys.readouterr().err
    assert not out.exists()


def test_unlabelled_pictures_are_prepared_once_and_taken_from_the_npz(place, taught, tmp_path, capsys):
    out = tmp_path / "portraits.npz"
    words = ["prepare", str(place / "portraits"), "--unlabelled", "--detector", "none", "--size", str(SIZE)]
    assert main([*words, "--out", str(out)]) == 2
    said = capsys.readouterr()
    assert "21 faces, 24 × 24 px, grey" in said.out
    assert "left out: torn.png" in said.err
    faces = open_faces(out)
    assert faces.labels.tolist() == [-1] * 21
    assert faces.split_names() == ["Unlabelled"]
    more = ("--teacher", place / "wise", "--teacher", place / "other", "--unlabelled", out)
    assert main(command(place, taught, *more)) == 0  # the same pictures: the finished run takes them for its own
    said = capsys.readouterr().err
    assert "1 unlabelled faces are pixel for pixel among those to choose on, and are left out" in said
    assert "all 2 epochs are done" in said
    assert main(["prepare", str(place / "portraits"), "--unlabelled", "--votes", "v.csv", "--out", str(out)]) == 2
    assert "--unlabelled with --votes" in capsys.readouterr().err


def test_portraits_are_cut_as_their_detector_frames_a_face(tmp_path):
    from edge_runtime.detectors import Detection
    from edge_runtime.geometry import Box
    from edge_runtime.preprocess import Framing, crop_face

    class Middle:
        name, framing = "middle", Framing("height", 1.5)

        def detect(self, image):
            return [] if image.max() == 0 else [Detection(Box(30, 20, 70, 60), 0.9)]

    picture = np.random.default_rng(3).integers(0, 256, (80, 100, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), picture)
    cv2.imwrite(str(tmp_path / "black.png"), np.zeros((50, 50, 3), np.uint8))
    faces = read_unlabelled(tmp_path, size=32, detector=Middle())
    square = Middle.framing.square(Box(30, 20, 70, 60))
    assert np.array_equal(faces.pixels[0], crop_face(picture, square, 32, 1)[..., 0])
    assert [str(problem) for problem in faces.problems] == ["black.png: no face found"]
    assert faces.labels.tolist() == [-1]
