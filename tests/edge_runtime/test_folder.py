"""A folder of labelled pictures as a data set."""

import cv2
import numpy as np
import pytest

from edge_runtime.errors import FaceSetError
from edge_runtime.facesets import (
    open_faces,
    read_folder,
)
from edge_runtime.labels import AFFECTNET8, FERPLUS
from tests.edge_runtime.made_faces import picture


class TestFolder:
    def test_kaggles_form_keeps_the_names_of_its_splits(self, tmp_path):
        for split, label in (("train", "angry"), ("train", "happy"), ("test", "happy")):
            picture(tmp_path / "f" / split / label / "a.png", seed=len(label))
        faces = open_faces(tmp_path / "f")
        assert faces.split_names() == ["test", "train"]
        assert sorted(zip(faces.splits.tolist(), faces.labels.tolist(), strict=True)) == [
            ("test", 3),
            ("train", 0),
            ("train", 3),
        ]
        assert faces.pixels.shape == (3, 20, 20)

    def test_a_split_read_alone_has_the_same_faces_and_numbers(self, tmp_path):
        for index, (split, label) in enumerate((("train", "angry"), ("train", "happy"), ("test", "happy"))):
            picture(tmp_path / split / label / "a.png", index)
        for split in ("test", "train"):
            assert open_faces(tmp_path, split=split).sha256() == open_faces(tmp_path).split(split).sha256()
        with pytest.raises(FaceSetError, match="one of test, train"):
            open_faces(tmp_path, split="PublicTest")

    def test_a_folder_of_labels_is_one_split_and_every_spelling_is_a_label(self, tmp_path):
        for name in ("Happiness", "ANGER", "sad"):
            picture(tmp_path / name / "a.jpg")
        faces = read_folder(tmp_path)
        assert faces.split_names() == ["all"]
        assert sorted(faces.labels.tolist()) == [0, 3, 4]
        assert read_folder(tmp_path, AFFECTNET8).label_set == AFFECTNET8

    def test_grey_pictures_stay_as_they_are_and_colour_is_bgr(self, tmp_path):
        pixels = cv2.imread(str(picture(tmp_path / "happy" / "a.png")), cv2.IMREAD_GRAYSCALE)
        blue = np.zeros((20, 20, 3), np.uint8)
        blue[..., 0] = 255
        cv2.imwrite(str(tmp_path / "happy" / "b.png"), blue)
        assert np.array_equal(read_folder(tmp_path).pixels[0], pixels)
        assert np.array_equal(read_folder(tmp_path, channels=3).pixels[1], blue)

    def test_broken_pictures_are_named_and_left_out(self, tmp_path):
        picture(tmp_path / "happy" / "good.png")
        (tmp_path / "happy" / "empty.png").touch()
        data = (tmp_path / "happy" / "good.png").read_bytes()
        (tmp_path / "happy" / "short.png").write_bytes(data[: len(data) // 2])
        (tmp_path / "happy" / "notes.txt").write_text("no picture, and not called like one")
        (tmp_path / "happy" / ".hidden.png").touch()
        faces = read_folder(tmp_path)
        assert len(faces) == 1
        assert [problem.where for problem in faces.problems] == ["happy/empty.png", "happy/short.png"]
        assert all(problem.what for problem in faces.problems)

    def test_an_unknown_label_is_an_error_that_lists_the_labels(self, tmp_path):
        picture(tmp_path / "happy" / "a.png")
        picture(tmp_path / "contempt" / "a.png")
        with pytest.raises(FaceSetError, match=r"'contempt' is no label of 'fer2013'.*angry, disgust, fear"):
            open_faces(tmp_path)
        assert len(open_faces(tmp_path, label_set=FERPLUS)) == 2

    def test_two_folders_of_one_label_are_an_error(self, tmp_path):
        picture(tmp_path / "happy" / "a.png")
        picture(tmp_path / "happiness" / "a.png")
        with pytest.raises(FaceSetError, match="are one label"):
            read_folder(tmp_path)

    def test_several_sizes_need_one_to_scale_to(self, tmp_path):
        picture(tmp_path / "happy" / "a.png", size=20)
        picture(tmp_path / "happy" / "b.png", size=30)
        with pytest.raises(FaceSetError, match=r"happy/b.png: 30 px where the faces before have 20"):
            open_faces(tmp_path)
        assert open_faces(tmp_path, size=24).pixels.shape == (2, 24, 24)
        assert open_faces(tmp_path, size=24, channels=3).pixels.shape == (2, 24, 24, 3)

    def test_folders_without_faces_are_refused(self, tmp_path):
        with pytest.raises(FaceSetError, match="no folders in it"):
            open_faces(tmp_path)
        (tmp_path / "happy").mkdir()
        with pytest.raises(FaceSetError, match="no usable picture"):
            open_faces(tmp_path)

    def test_votes_for_a_folder_are_refused(self, tmp_path, votes_csv):
        picture(tmp_path / "f" / "happy" / "a.png")
        with pytest.raises(FaceSetError, match="whose row numbers the votes go by"):
            open_faces(tmp_path / "f", votes_csv)
