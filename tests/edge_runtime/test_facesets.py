"""Ready-cropped faces: csv, votes, folders and prepared files. Everything here is made up and small."""

import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_runtime.errors import FaceSetError
from edge_runtime.facesets import (
    FaceSet,
    open_faces,
    with_label_set,
    with_size,
    write_prepared,
)
from edge_runtime.labels import AFFECTNET8, FER2013, FERPLUS, LabelSet
from tests.edge_runtime.made_faces import SIDE


class TestOpening:
    def test_every_form_of_the_same_faces_is_recognised(self, faces, fer2013_csv, tmp_path):
        write_prepared(faces, tmp_path / "called.anything")
        renamed = shutil.copy(fer2013_csv, tmp_path / "faces.txt")
        for path in (fer2013_csv, tmp_path / "called.anything", Path(renamed)):
            assert open_faces(path).sha256() == faces.sha256()

    @pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", b"a,b,c\n1,2,3\n", b"\xff" * 9000])
    def test_anything_else_gets_one_line_that_lists_the_forms(self, tmp_path, content):
        (tmp_path / "x").write_bytes(content)
        with pytest.raises(FaceSetError, match=r"a folder of labelled pictures, or an \.npz") as caught:
            open_faces(tmp_path / "x")
        assert "\n" not in str(caught.value)

    def test_a_missing_path_is_named(self, tmp_path):
        with pytest.raises(FaceSetError, match=r"none.csv: No such file"):
            open_faces(tmp_path / "none.csv")


class TestViews:
    def test_faces_of_that_size_keep_their_hash(self, faces):
        assert with_size(faces, SIDE, 1) is faces

    def test_faces_are_scaled_and_coloured_one_by_one(self, faces):
        small = with_size(faces, 24, 3)
        assert small.pixels.shape == (6, 24, 24, 3)
        assert np.array_equal(
            small.pixels[4, ..., 0], cv2.resize(faces.pixels[4], (24, 24), interpolation=cv2.INTER_AREA)
        )
        assert np.array_equal(with_size(small, None, 1).pixels, small.pixels[..., 0])

    def test_oblong_faces_need_a_size(self):
        oblong = FaceSet(np.zeros((1, 8, 9), np.uint8), np.zeros(1, np.int16), np.array(["all"]), np.arange(1), FER2013)
        with pytest.raises(FaceSetError, match="9 × 8 px"):
            with_size(oblong, channels=3)
        assert with_size(oblong, 10).pixels.shape == (1, 10, 10)

    def test_labels_change_by_expression_and_missing_ones_are_left_out(self, faces):
        voted = with_label_set(faces, FERPLUS)
        back = with_label_set(voted, FER2013)
        assert back.labels.tolist() == [6, 0, -1, -1, -1, 5]  # contempt is not in FER2013
        assert with_label_set(back, AFFECTNET8).labels.tolist() == [0, 6, -1, -1, -1, 3]

    def test_sets_without_a_common_expression_are_refused(self, faces):
        with pytest.raises(FaceSetError, match="some of calm, not calm"):
            with_label_set(faces, LabelSet("mine", ("calm", "not calm")))


class TestFaceSet:
    def test_a_set_checks_itself(self, faces):
        with pytest.raises(FaceSetError, match="5 labels for 6 faces"):
            FaceSet(faces.pixels, faces.labels[:5], faces.splits, faces.rows, FER2013)
        with pytest.raises(FaceSetError, match="expected uint8"):
            FaceSet(faces.pixels.astype(np.float32), faces.labels, faces.splits, faces.rows, FER2013)
        with pytest.raises(FaceSetError, match="labels from 0 to 5; expected -1 to 1"):
            FaceSet(faces.pixels, faces.labels, faces.splits, faces.rows, LabelSet("two", ("a", "b")))
        with pytest.raises(FaceSetError, match="2 faces without a group among 6"):
            replace(faces, groups=np.array(["a", "", "b", "", "c", "c"]))

    def test_the_hash_knows_pixels_labels_rows_and_order(self, faces):
        hashes = {faces.sha256(), faces.where(np.arange(6)[::-1]).sha256(), faces.where(np.arange(5)).sha256()}
        assert len(hashes) == 3

    def test_an_unknown_split_is_answered_with_the_known_ones(self, faces):
        with pytest.raises(FaceSetError, match="one of PrivateTest, PublicTest, Training"):
            faces.split("Test")
