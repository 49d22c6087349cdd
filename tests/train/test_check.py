"""`python -m train check`: counts, and each kind of finding on data that has it."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

from edge_runtime.facesets import FaceSet, write_prepared
from edge_runtime.labels import FER2013, FERPLUS
from train.check import Shared, examine
from train.cli import main
from train.smoke import made_up_faces


def clean_faces() -> FaceSet:
    """Two of each class in each of two splits, all different."""
    return replace(made_up_faces(FER2013, 16, a_class=2), votes=None)


def with_pixels(faces: FaceSet, copies: dict[int, int]) -> FaceSet:
    """The same faces where some rows show what another row does."""
    pixels = faces.pixels.copy()
    for row, source in copies.items():
        pixels[row] = pixels[source]
    return replace(faces, pixels=pixels)


@pytest.fixture
def check(tmp_path, capsys):
    """Runs the command on faces; returns its exit code, what it printed and what it said on standard error."""

    def run(faces: FaceSet, *options: str) -> tuple[int, str, str]:
        write_prepared(faces, tmp_path / "faces.npz")
        code = main(["check", str(tmp_path / "faces.npz"), *options])
        return code, *capsys.readouterr()

    return run


def test_good_data_is_counted_and_exits_0(check):
    code, printed, said = check(clean_faces())
    assert (code, said) == (0, "")
    assert ["happy", "2", "2", "4"] in [line.split() for line in printed.splitlines()]
    assert "28 faces, 16 × 16 px, grey, labels of fer2013" in printed
    assert "no groups" in printed
    assert "found nothing" in printed


def test_repeats_and_leaks_are_counted_by_pairs_of_splits_the_later_against_the_earlier(check):
    # Rows 0 to 13 are Training, 14 to 27 PublicTest; a row and the one seven on have one class.
    faces = with_pixels(clean_faces(), {7: 0, 14: 0, 21: 0, 22: 1})
    findings = examine(faces)
    assert findings.repeated == (7, 14, 21, 22)
    assert findings.shared == (Shared("Training", "PublicTest", 3),)
    assert findings.disagreeing == 0
    code, printed, _ = check(faces)
    assert code == 1
    assert "found: 4 rows that repeat an earlier one pixel for pixel (rows 7, 14, 21, 22)" in printed
    assert "found: 3 PublicTest faces that are in Training too" in printed


def test_splits_are_compared_in_the_order_in_which_they_are_used():
    faces = with_pixels(clean_faces(), {14: 0, 21: 0})
    splits = np.array(["train"] * 14 + ["test"] * 7 + ["val"] * 7)
    findings = examine(replace(faces, splits=splits))
    assert [(one.earlier, one.later, one.faces) for one in findings.shared] == [
        ("train", "val", 1),
        ("train", "test", 1),
        ("val", "test", 1),
    ]


def test_repeated_pictures_with_different_labels_are_found_and_those_left_out_do_not_disagree():
    faces = with_pixels(clean_faces(), {1: 0, 2: 0, 8: 7})
    assert examine(faces).disagreeing == 2
    labels = faces.labels.copy()
    labels[[1, 2, 8]] = -1
    assert examine(replace(faces, labels=labels)).disagreeing == 0


def test_constant_pictures_are_found_in_grey_and_colour():
    faces = clean_faces()
    pixels = faces.pixels.copy()
    pixels[3] = 77
    pixels[4, 1:] = 77  # one row differs
    assert examine(replace(faces, pixels=pixels)).constant == (3,)
    colour = np.repeat(faces.pixels[..., None], 3, axis=3)
    colour[5] = (1, 2, 3)
    assert examine(replace(faces, pixels=colour)).constant == (5,)


def test_an_empty_class_is_found_with_its_split(check):
    faces = clean_faces()
    faces = faces.where(~((faces.splits == "PublicTest") & (faces.labels == FER2013.index("disgust"))))
    assert examine(faces).empty == (("PublicTest", "disgust"),)
    code, printed, _ = check(faces)
    assert code == 1
    assert "no face of 'disgust' in PublicTest" in printed


def test_a_group_in_two_splits_is_found_and_groups_are_counted(check):
    faces = clean_faces()
    apart = replace(faces, groups=np.array(["F01"] * 10 + ["F02"] * 4 + ["M01"] * 14))
    code, printed, _ = check(apart)
    assert code == 0
    assert "3 groups of 4 to 14 faces" in printed
    across = replace(faces, groups=np.array(["F01"] * 10 + ["F02"] * 5 + ["M01"] * 13))
    code, printed, _ = check(across)
    assert code == 1
    assert "1 groups with faces in more than one split (F02)" in printed


def test_json_says_the_same(check):
    faces = replace(with_pixels(clean_faces(), {14: 0}), groups=np.array([f"p{row % 14}" for row in range(28)]))
    code, printed, _ = check(faces, "--json")
    facts = json.loads(printed)
    assert code == 1
    assert facts["counts"]["Training"]["happy"] == 2
    assert list(facts["counts"]) == ["Training", "PublicTest"]
    assert facts["repeated_rows"] == [14]
    assert facts["shared"] == [{"earlier": "Training", "later": "PublicTest", "faces": 1}]
    assert facts["groups"] == {"count": 14, "smallest": 2, "largest": 2}
    assert len(facts["groups_in_several_splits"]) == 14
    assert facts["clean"] is False


def test_other_labels_are_counted_as_asked(check):
    faces = made_up_faces(FER2013, 16, a_class=2)
    code, printed, _ = check(faces, "--label-set", "ferplus")
    assert code == 1  # nobody shows contempt
    assert "labels of ferplus" in printed
    assert f"no face of {FERPLUS.names[7]!r} in Training" in printed


def test_missing_and_unreadable_pictures_are_named_and_it_exits_2(tmp_path, capsys):
    faces = clean_faces()
    for row, (face, label) in enumerate(zip(faces.pixels, faces.labels, strict=True)):
        folder = tmp_path / "faces" / FER2013.names[label]
        folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / f"{row}.png"), face)
    assert main(["check", str(tmp_path / "faces")]) == 0
    (tmp_path / "faces" / "happy" / "broken.png").touch()
    assert main(["check", str(tmp_path / "faces")]) == 2
    said = capsys.readouterr().err
    assert "left out: happy/broken.png" in said
    assert "1 rows or files could not be used" in said


def test_wrong_input_is_one_line_and_exits_2(tmp_path, capsys):
    assert main(["check", str(tmp_path / "none.csv")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
