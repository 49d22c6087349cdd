"""The public data sets of the field, each in a small made-up copy of its published layout."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_runtime.errors import FaceSetError
from edge_runtime.facesets import (
    FaceSet,
    Wanted,
    open_faces,
    read_ckplus,
    read_kdef,
    read_prepared,
    with_label_set,
    write_prepared,
)
from edge_runtime.labels import AFFECTNET7, AFFECTNET8, BASIC7, CKPLUS7, CKPLUS8, FER2013, FERPLUS, RAFDB
from tests import made_datasets as made
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


def opened(path: Path, **wanted: object) -> FaceSet:
    return open_faces(path, detector=FoundFaces(), **wanted)


def greys(faces: FaceSet) -> list[int]:
    """What was drawn: the grey of each face, to the nearest ten where JPEG moved it."""
    return [round(float(face.mean())) for face in faces.pixels]


def drawn(faces: FaceSet) -> dict[str, set[int]]:
    """Label -> the greys of its faces, in tens."""
    found: dict[str, set[int]] = {}
    for grey, label in zip(greys(faces), faces.labels, strict=True):
        found.setdefault(faces.label_set.names[label], set()).add(round(grey / 10) * 10)
    return found


def splits(faces: FaceSet) -> dict[str, int]:
    return {name: int((faces.splits == name).sum()) for name in faces.split_names()}


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


class TestAffectnetLists:
    def test_faces_are_cut_at_their_boxes_and_rows_without_an_expression_are_passed_over(self, tmp_path):
        detector = FoundFaces()
        faces = open_faces(made.affectnet_lists(tmp_path), detector=detector)
        assert detector.asked == 0
        assert faces.label_set == AFFECTNET8
        assert drawn(faces) == {name: {100 + 10 * index} for index, name in enumerate(AFFECTNET8.names)}
        assert splits(faces) == {"training": 8, "validation": 8}
        assert faces.problems == ()
        assert all(face.std() < 1 for face in faces.pixels)  # nothing of the background

    def test_seven_classes_leave_contempt_out(self, tmp_path):
        seven = opened(made.affectnet_lists(tmp_path), label_set=AFFECTNET7)
        assert seven.labels.tolist().count(-1) == 2
        assert len(set(seven.labels.tolist())) == 8

    def test_a_list_without_a_header_and_lists_beside_the_pictures_are_read(self, tmp_path):
        made.affectnet_lists(tmp_path)
        whole = opened(tmp_path)
        for name in ("training.csv", "validation.csv"):
            text = (tmp_path / "Manually_Annotated_file_lists" / name).read_text()
            (tmp_path / name).write_text(text.partition("\n")[2])
        shutil.rmtree(tmp_path / "Manually_Annotated_file_lists")
        assert opened(tmp_path).sha256() == whole.sha256()

    @pytest.mark.parametrize(
        ("row", "reason"),
        [
            (made.affectnet_row("1/x.png", 11), "expression '11' instead of 0 to 10"),
            (made.affectnet_row("1/x.png", 1, "NULL,5,20,20"), "face_x 'NULL' instead of a number"),
            (made.affectnet_row("1/x.png", 1, "nan,5,20,20"), "a face of 20 × 20 px at nan, 5"),
            (made.affectnet_row("1/x.png", 1, "1,5,0,20"), "a face of 0 × 20 px at 1, 5"),
            (made.affectnet_row("../x.png", 1), "picture '../x.png' outside the data set"),
            ("1/x.png,10", "expression '' instead of 0 to 10"),
        ],
    )
    def test_each_kind_of_broken_row_is_named_and_the_rest_is_read(self, tmp_path, row, reason):
        made.affectnet_lists(tmp_path)
        file = tmp_path / "Manually_Annotated_file_lists" / "training.csv"
        file.write_text(file.read_text() + row + "\n")
        faces = opened(tmp_path)
        assert [str(problem) for problem in faces.problems] == [f"training.csv row 11: {reason}"]
        assert len(faces) == 16

    def test_a_list_with_other_columns_is_refused(self, tmp_path):
        made.affectnet_lists(tmp_path)
        file = tmp_path / "Manually_Annotated_file_lists" / "training.csv"
        file.write_text(file.read_text().replace("face_width", "w"))
        with pytest.raises(FaceSetError, match=r"training.csv: no column 'face_width'; expected the columns"):
            opened(tmp_path)

    def test_a_list_named_alone_is_answered_with_its_folder(self, tmp_path):
        made.affectnet_lists(tmp_path)
        with pytest.raises(FaceSetError, match="name the folder that holds its lists"):
            opened(tmp_path / "Manually_Annotated_file_lists" / "training.csv")


class TestAffectnetAnnotations:
    def test_annotations_are_labels_whether_digits_or_numbers_in_the_order_of_numbers(self, tmp_path):
        faces = opened(made.affectnet_annotations(tmp_path))
        assert faces.split("training").labels.tolist() == list(range(8))
        assert faces.split("validation").labels.tolist() == list(range(8))
        assert [round(grey / 10) for grey in greys(faces)] == [*range(10, 18)] * 2
        assert faces.pixels.shape == (16, 20, 20)

    @pytest.mark.parametrize(
        "annotation",
        [
            np.array([{"code": 1}], dtype=object),  # a pickle
            np.array(["8"]),
            np.array([1, 2]),
            np.array("x"),
            np.array(1.5),
            np.zeros(9999),
        ],
        ids=["pickle", "8", "two numbers", "no number", "between", "long"],
    )
    def test_an_annotation_that_is_not_one_code_is_a_problem_and_the_rest_goes_on(self, tmp_path, annotation):
        made.affectnet_annotations(tmp_path)
        made.cropped(tmp_path / "train_set" / "images" / "99.jpg", 10)
        np.save(tmp_path / "train_set" / "annotations" / "99_exp.npy", annotation)
        faces = opened(tmp_path)
        assert len(faces) == 16
        assert [problem.where for problem in faces.problems] == ["train_set/images/99.jpg"]
        assert "annotation 99_exp.npy" in faces.problems[0].what

    def test_no_damaged_annotation_ends_the_reading(self, tmp_path):
        made.affectnet_annotations(tmp_path)
        file = tmp_path / "train_set" / "annotations" / "12_exp.npy"
        np.save(file, np.array("7"))
        data = file.read_bytes()
        for damaged in (b"", data[:20], data[:-1], data.replace(b"'descr'", b"('desc'"), b"PK\x03\x04", b"\x80\x04."):
            file.write_bytes(damaged)
            assert [problem.where for problem in opened(tmp_path).problems] == ["train_set/images/12.jpg"]
        file.unlink()
        assert "No such file" in opened(tmp_path).problems[0].what


class TestEmotionet:
    def test_names_are_labels_and_other_categories_are_passed_over(self, tmp_path):
        faces = opened(made.emotionet(tmp_path))
        assert drawn(faces) == {"happy": {100}, "sad": {110}, "fear": {120}, "disgust": {150}}
        assert splits(faces) == {"PublicTest": 2, "Training": 2}
        assert faces.groups.tolist() == ["p0", "p1", "p2", "p5"]
        assert faces.problems == ()

    def test_the_labels_wanted_are_those_that_names_are_matched_with(self, tmp_path):
        faces = opened(made.emotionet(tmp_path), label_set=FERPLUS)
        assert [FERPLUS.names[label] for label in faces.labels] == ["happiness", "sadness", "fear", "disgust"]

    def test_other_names_for_the_columns_and_no_splits_or_subjects(self, tmp_path):
        path = made.emotionet(tmp_path, "filename,category,x,y")
        faces = opened(path)
        assert splits(faces) == {"all": 4}
        assert faces.groups is None

    def test_rows_that_cannot_be_used_are_named(self, tmp_path):
        path = made.emotionet(tmp_path)
        path.write_text(
            path.read_text() + "http://x/1.png,happy,,\n/etc/x.png,happy,,\nn1/1.png,joyless,,\nno.png,sad,,\n"
        )
        faces = opened(path)
        assert [problem.where for problem in faces.problems] == [
            "emotions.csv row 6",
            "emotions.csv row 7",
            "emotions.csv row 8",
            "emotions.csv row 9: no.png",
        ]
        assert len(faces) == 4

    @pytest.mark.parametrize(
        ("header", "message"),
        [
            ("url,emotion", "no column of paths.*addresses are not followed"),
            ("url,AU1,AU 2,AU_12", "action units and no emotion category.*ohio-state"),
            ("a,b", "AffectNet, CK., RAF-DB, SFEW, KDEF, JAFFE, a csv of paths and emotions"),
        ],
    )
    def test_other_columns_are_refused_with_what_is_missing(self, tmp_path, header, message):
        with pytest.raises(FaceSetError, match=message):
            opened(made.emotionet(tmp_path, header))


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
