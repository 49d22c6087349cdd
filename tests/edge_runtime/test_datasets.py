"""The public data sets of the field, each in a small made-up copy of its published layout."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_runtime.errors import FaceSetError
from edge_runtime.facesets import (
    Wanted,
    open_faces,
    read_ckplus,
    read_kdef,
    read_prepared,
    with_label_set,
    write_prepared,
)
from edge_runtime.labels import AFFECTNET8, BASIC7, CKPLUS7, CKPLUS8, FER2013, FERPLUS, RAFDB
from tests import made_datasets as made
from tests.found_faces import drawn, greys, opened, splits
from tests.made_datasets import FoundFaces

ROOT = Path(__file__).parent.parent.parent
ASK = {
    "kdef": "https://kdef.se",
    "jaffe": "https://zenodo.org/record/3451524",
    "sfew": "https://cs.anu.edu.au/few",
    "rafdb": "http://www.whdeng.cn/raf/model1.html",
    "ckplus": "https://www.jeffcohn.net/Resources/",
    "affectnet_lists": "http://mohammadmahoor.com/pages/databases/affectnet/",
    "affectnet_annotations": "http://mohammadmahoor.com/pages/databases/affectnet/",
}


class TestKdef:
    def test_codes_in_the_names_are_labels_and_people(self, tmp_path):
        faces = opened(made.kdef(tmp_path))
        assert faces.label_set == BASIC7
        places = ("fear", "angry", "disgust", "happy", "neutral", "sad", "surprise")
        assert drawn(faces) == {name: {100 + 10 * place} for place, name in enumerate(places)}
        assert sorted(set(faces.groups.tolist())) == ["F01", "M02"]
        assert splits(faces) == {"all": 14}
        assert faces.pixels.shape == (14, 96, 96)

    def test_only_straight_pictures_are_read_where_nothing_else_is_asked_for(self, tmp_path):
        made.kdef(tmp_path, angles=("S", "HL", "FR"))
        wanted = Wanted(detector=FoundFaces())
        assert len(read_kdef(tmp_path, wanted)) == 14
        assert len(read_kdef(tmp_path, wanted, angles=("S", "HL", "FR"))) == 42
        with pytest.raises(FaceSetError, match=r"no picture of angle HR \(angles there: HL, S, FR\)"):
            read_kdef(tmp_path, wanted, angles=("HR",))

    def test_both_sessions_of_a_person_are_one_group_and_flat_and_nested_folders_are_read(self, tmp_path):
        made.kdef(tmp_path / "KDEF_and_AKDEF" / "KDEF")
        flat = tmp_path / "flat"
        flat.mkdir()
        for file in (tmp_path / "KDEF_and_AKDEF").rglob("*.JPG"):
            shutil.copy(file, flat / file.name)
            shutil.copy(file, flat / f"b{file.name[1:].lower()}")
        assert len(opened(tmp_path / "KDEF_and_AKDEF")) == 14
        faces = opened(flat)
        assert len(faces) == 28
        assert sorted(set(faces.groups.tolist())) == ["F01", "M02"]

    def test_a_black_picture_and_a_name_that_is_no_code_are_problems_and_the_rest_goes_on(self, tmp_path):
        made.kdef(tmp_path)
        made.larger(tmp_path / "AF01" / "AF01HAS.JPG", -1)
        made.larger(tmp_path / "AF01" / "AF31V.JPG", 100)
        faces = opened(tmp_path)
        assert sorted(map(str, faces.problems)) == [
            "AF01/AF01HAS.JPG: no face found",
            "AF01/AF31V.JPG: a name that is no KDEF code",
        ]
        assert len(faces) == 13

    def test_a_real_face_is_found_and_framed_as_at_run_time(self, tmp_path):
        made.kdef(tmp_path, people=("F01",), angles=("S",))
        portrait = cv2.imread(str(ROOT / "edge_runtime" / "demo" / "astronaut.jpg"))
        cv2.imwrite(str(tmp_path / "AF01" / "AF01HAS.JPG"), portrait)
        faces = open_faces(tmp_path, size=48)
        assert faces.label_set.names[faces.labels[0]] == "happy"
        assert len(faces) == 1
        assert [problem.what for problem in faces.problems] == ["no face found"] * 6
        assert faces.pixels[0].std() > 30  # a face fills the crop


def test_jaffe_has_initials_for_groups_and_files_beside_the_pictures_do_not_matter(tmp_path):
    faces = opened(made.jaffe(tmp_path / "data" / "jaffedbase"))
    places = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
    assert drawn(faces) == {name: {100 + 10 * place} for place, name in enumerate(places)}
    assert sorted(set(faces.groups.tolist())) == ["KA", "YM"]
    assert opened(tmp_path / "data").sha256() == faces.sha256()
    assert faces.problems == ()


class TestSfew:
    def test_folders_are_labels_films_are_groups_and_the_test_set_has_no_labels(self, tmp_path):
        faces = opened(made.sfew(tmp_path))
        assert drawn(faces) == {name: {100 + 10 * place} for place, name in enumerate(made.BASIC)}
        assert splits(faces) == {"Train": 7, "Val": 7}
        assert set(faces.split("Val").groups.tolist()) == {"Harry_Potter_1"}
        assert set(opened(tmp_path, split="Val").rows.tolist()) == set(range(7, 14))

    def test_a_test_set_with_labels_is_read(self, tmp_path):
        made.sfew(tmp_path)
        shutil.rmtree(tmp_path / "Test")
        shutil.copytree(tmp_path / "Val", tmp_path / "Test")
        assert splits(opened(tmp_path)) == {"Train": 7, "Val": 7, "Test": 7}

    def test_cropped_faces_in_folders_of_the_same_names_are_not_taken_for_sfew(self, tmp_path):
        for split in ("Train", "Val"):
            for name in ("Angry", "Happy"):
                made.cropped(tmp_path / split / name / "1.png", 100)
        detector = FoundFaces()
        faces = open_faces(tmp_path, detector=detector)
        assert detector.asked == 0
        assert faces.label_set == FER2013


class TestRafdb:
    def test_codes_are_labels_and_names_are_splits_and_faces_stay_as_they_are(self, tmp_path):
        faces = opened(made.rafdb(tmp_path))
        assert faces.label_set == RAFDB
        assert drawn(faces) == {name: {110 + 10 * index} for index, name in enumerate(RAFDB.names)}
        assert splits(faces) == {"train": 7, "test": 7}
        assert faces.groups is None
        assert faces.pixels.shape == (14, 20, 20)
        assert opened(tmp_path / "basic").sha256() == faces.sha256()
        assert opened(tmp_path, channels=3, size=12).pixels.shape == (14, 12, 12, 3)

    def test_a_missing_face_and_a_line_that_is_none_are_problems_and_the_rest_goes_on(self, tmp_path):
        made.rafdb(tmp_path)
        (tmp_path / "basic" / "Image" / "aligned" / "train_00003_aligned.jpg").unlink()
        (tmp_path / "basic" / "Image" / "aligned" / "train_00004_aligned.jpg").write_bytes(b"\xff\xd8 no more")
        labels = tmp_path / "basic" / "EmoLabel" / "list_patition_label.txt"
        labels.write_text(labels.read_text() + "\ntrain_00008.jpg 8\n")
        faces = opened(tmp_path)
        assert len(faces) == 12
        assert [problem.where for problem in faces.problems] == [
            "list_patition_label.txt line 16",
            "train_00003_aligned.jpg",
            "train_00004_aligned.jpg",
        ]


class TestCkplus:
    def test_the_last_three_frames_are_the_expression_and_the_first_is_neutral(self, tmp_path):
        faces = opened(made.ckplus(tmp_path))
        assert faces.label_set == CKPLUS8
        assert len(faces) == 7 * 4
        of = {name: sorted(np.array(greys(faces))[faces.labels == i]) for i, name in enumerate(CKPLUS8.names)}
        assert of["neutral"] == [100 + 10 * code + 1 for code in range(1, 8)]
        assert of["contempt"] == [124, 125, 126]
        assert of["surprise"] == [174, 175, 176]
        assert sorted(set(faces.groups.tolist())) == ["S005", "S010"]

    def test_how_many_frames_count_is_a_setting_and_seven_classes_leave_neutral_out(self, tmp_path):
        made.ckplus(tmp_path)
        assert len(read_ckplus(tmp_path, Wanted(detector=FoundFaces()), peak_frames=1)) == 14
        seven = opened(tmp_path, label_set=CKPLUS7)
        assert int((seven.labels == -1).sum()) == 7
        assert int((seven.labels == CKPLUS7.index("contempt")).sum()) == 3
        with pytest.raises(FaceSetError, match="at least one"):
            read_ckplus(tmp_path, peak_frames=0)

    @pytest.mark.parametrize("text", ["", "x", "8.0000000e+00", "1.5", "nan", "-1"])
    def test_a_code_that_is_none_is_a_problem_and_the_rest_goes_on(self, tmp_path, text):
        made.ckplus(tmp_path)
        made.ckplus(tmp_path / "more")
        shutil.copytree(tmp_path / "more" / "Emotion" / "S005" / "002", tmp_path / "Emotion" / "S005" / "009")
        shutil.rmtree(tmp_path / "more")
        next((tmp_path / "Emotion" / "S005" / "009").iterdir()).write_text(text)
        faces = opened(tmp_path)
        assert len(faces) == 28
        assert ["instead of 0 to 7" in problem.what for problem in faces.problems] == [True]

    def test_a_sequence_without_its_frames_is_a_problem(self, tmp_path):
        made.ckplus(tmp_path)
        shutil.copytree(tmp_path / "Emotion" / "S005" / "002", tmp_path / "Emotion" / "S005" / "009")
        faces = opened(tmp_path)
        assert [problem.what for problem in faces.problems] == ["0 frames of its sequence instead of at least 4"]


@pytest.mark.parametrize(
    ("name", "lost", "message"),
    [
        ("kdef", "AF01/AF01SUS.JPG AM02/AM02SUS.JPG", "no picture labelled surprise"),
        ("jaffe", "KA.FE1.41.tiff YM.FE1.41.tiff", "no picture labelled fear"),
        ("sfew", "Val", "no folder Val"),
        ("sfew", "Train/Fear", "no pictures in Train for fear"),
        ("rafdb", "basic/EmoLabel", "no EmoLabel/list_patition_label.txt"),
        ("rafdb", "basic/Image", "no folder Image/aligned"),
        ("ckplus", "cohn-kanade-images", "no folder cohn-kanade-images"),
        ("ckplus", "Emotion", "no folder Emotion"),
        ("ckplus", "Emotion/S005/003", "no picture labelled contempt"),
        ("affectnet_lists", "Manually_Annotated_file_lists/validation.csv", "no validation.csv"),
        ("affectnet_lists", "Manually_Annotated_Images", "no 0/training0.png"),
        ("affectnet_annotations", "val_set", "no folder val_set/images"),
        ("affectnet_annotations", "train_set/annotations", "no folder train_set/annotations"),
    ],
)
def test_a_missing_part_is_named_with_the_page_where_the_data_is_asked_for(tmp_path, name, lost, message):
    getattr(made, name)(tmp_path)
    for part in lost.split():
        path = tmp_path / part
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(FaceSetError, match=message) as caught:
        opened(tmp_path)
    assert ASK[name] in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ASK)
def test_an_unreadable_picture_is_a_problem_and_a_split_read_alone_has_the_same_faces(tmp_path, name):
    getattr(made, name)(tmp_path)
    pictures = [path for path in sorted(tmp_path.rglob("*")) if path.suffix in {".png", ".jpg", ".JPG", ".tiff"}]
    whole = opened(tmp_path)
    passed_over = {"training8", "training9", "training10"}  # AffectNet's codes 8 to 10
    broken = next(path for path in reversed(pictures) if path.stem not in passed_over)
    broken.write_bytes(b"")
    faces = opened(tmp_path)
    assert len(whole) - len(faces) == 1
    assert broken.name in faces.problems[0].where
    for split in faces.split_names():
        assert opened(tmp_path, split=split).sha256() == faces.split(split).sha256()
    with pytest.raises(FaceSetError, match="no split 'nope'"):
        opened(tmp_path, split="nope")


def test_groups_and_splits_survive_preparing(tmp_path):
    faces = opened(made.sfew(tmp_path / "sfew"))
    write_prepared(faces, tmp_path / "faces.npz")
    back = read_prepared(tmp_path / "faces.npz", "Val")
    assert back.groups.tolist() == faces.split("Val").groups.tolist()
    assert back.label_set == BASIC7


def test_labels_of_one_data_set_serve_a_model_of_another_by_their_names(tmp_path):
    faces = opened(made.kdef(tmp_path))
    for labels in (FER2013, FERPLUS, AFFECTNET8, RAFDB):
        there = with_label_set(faces, labels)
        assert (there.labels >= 0).all()
        assert drawn(there).keys() <= set(labels.names)
    assert drawn(with_label_set(faces, RAFDB))["fear"] == {100}


def test_a_folder_of_labelled_pictures_named_as_a_data_sets_is_read_by_its_folders(tmp_path):
    made.larger(tmp_path / "happy" / "AF01AFS.JPG", 100)
    made.larger(tmp_path / "sad" / "KA.AN1.39.tiff", 100)
    detector = FoundFaces()
    assert len(open_faces(tmp_path, detector=detector, size=20)) == 2
    assert detector.asked == 0
