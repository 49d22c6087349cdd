"""AffectNet in its older and newer form, and EmotioNet-style lists, in small made-up copies."""

import shutil

import numpy as np
import pytest

from edge_runtime.errors import FaceSetError
from edge_runtime.facesets import (
    open_faces,
)
from edge_runtime.labels import AFFECTNET7, AFFECTNET8, FERPLUS
from tests import made_datasets as made
from tests.found_faces import drawn, greys, opened, splits
from tests.made_datasets import FoundFaces


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
