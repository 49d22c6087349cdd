"""FER2013's csv and FER+'s votes, in small made-up copies."""

import numpy as np
import pytest

from edge_runtime.errors import FaceSetError
from edge_runtime.facesets import (
    majority_labels,
    open_faces,
    read_fer2013,
    read_votes,
    with_votes,
)
from edge_runtime.labels import FER2013, FERPLUS
from tests.edge_runtime.made_faces import SIDE, VOTES_HEADER, csv_of, pixels_of, words


class TestFer2013:
    def test_every_pixel_label_split_and_row_is_as_written(self, fer2013_csv):
        faces = read_fer2013(fer2013_csv)
        assert faces.pixels.dtype == np.uint8
        assert np.array_equal(faces.pixels, np.stack([pixels_of(row) for row in range(6)]))
        assert faces.labels.tolist() == [0, 1, 2, 3, 4, 5]
        assert faces.rows.tolist() == [0, 1, 2, 3, 4, 5]
        assert faces.splits.tolist()[2:4] == ["PublicTest", "PrivateTest"]
        assert faces.label_set == FER2013
        assert faces.problems == ()

    def test_every_grey_level_is_read(self, tmp_path):
        levels = np.resize(np.arange(256, dtype=np.uint8), (SIDE, SIDE))
        faces = read_fer2013(csv_of(tmp_path / "f.csv", [f"3,{words(levels)},Training"]))
        assert np.array_equal(faces.pixels[0], levels)

    def test_the_newer_release_has_spaces_and_another_order_of_columns(self, tmp_path):
        path = csv_of(tmp_path / "icml_face_data.csv", [f"3,Training,{words(pixels_of(1))}"], "emotion, Usage, pixels")
        faces = read_fer2013(path)
        assert np.array_equal(faces.pixels[0], pixels_of(1))
        assert faces.splits.tolist() == ["Training"]

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param(lambda text: text.replace("\n", "\r\n"), id="windows line ends"),
            pytest.param(lambda text: "\ufeff" + text, id="byte order mark"),
            pytest.param(lambda text: text.replace("\n", "\n\n") + "\n\n", id="empty lines"),
            pytest.param(lambda text: text.replace(" ", "  "), id="two spaces"),
            pytest.param(lambda text: text.replace("0,", '"0",').replace(",Training", ',"Training"'), id="quotes"),
            pytest.param(lambda text: text.rstrip("\n"), id="no last line end"),
        ],
    )
    def test_spellings_of_the_same_file_give_the_same_faces(self, fer2013_csv, change, tmp_path):
        other = tmp_path / "other.csv"
        other.write_bytes(change(fer2013_csv.read_text()).encode())
        assert read_fer2013(other).sha256() == read_fer2013(fer2013_csv).sha256()
        assert read_fer2013(other).problems == ()

    def test_one_split_is_read_alone_with_its_own_row_numbers(self, fer2013_csv):
        faces = read_fer2013(fer2013_csv, "PublicTest")
        assert faces.rows.tolist() == [2, 5]
        assert faces.split_names() == ["PublicTest"]

    @pytest.mark.parametrize(
        ("row", "reason"),
        [
            ('"', "1 columns instead of 3"),  # an open quote swallows its line
            ("3", "1 columns instead of 3"),
            (f"3,{words(pixels_of(0))}", "2 columns instead of 3"),
            ("3,1 2 3,Training", "3 pixels instead of 2304"),
            (f"3,{words(pixels_of(0))} 9,Training", "2305 pixels instead of 2304"),
            ("3,,Training", "0 pixels instead of 2304"),
            (f"3,{'1 ' * 2303}x,Training", "pixel 'x' is not a number"),
            (f"3,{'1 ' * 2303}1.5,Training", "pixel '1.5' is not a number"),
            (f"3,{'1 ' * 2303}256,Training", "pixel 256 instead of 0 to 255"),
            (f"3,{'1 ' * 2303}1000,Training", "pixel 1000 instead of 0 to 255"),
            (f"3,{'1 ' * 2302} 1,Training", "2303 pixels instead of 2304"),
            (f"3,{'1 ' * 2303}-1,Training", "pixel -1 instead of 0 to 255"),
            (f"3,{'1 ' * 2303}{'9' * 400},Training", f"pixel {'9' * 20} instead of 0 to 255"),
            (f"3,{'1 ' * 2303}²,Training", "pixel '²' is not a number"),
            (f"3,{'1 ' * 2303}1\0,Training", "pixel '1\\x00' is not a number"),
            (f"7,{words(pixels_of(0))},Training", "emotion '7' instead of 0 to 6"),
            (f"-1,{words(pixels_of(0))},Training", "emotion '-1' instead of 0 to 6"),
            (f"happy,{words(pixels_of(0))},Training", "emotion 'happy' instead of 0 to 6"),
            (f",{words(pixels_of(0))},Training", "emotion '' instead of 0 to 6"),
        ],
    )
    def test_each_kind_of_broken_row_is_named_and_the_rest_is_read(self, tmp_path, six_rows, row, reason):
        faces = read_fer2013(csv_of(tmp_path / "fer2013.csv", [*six_rows[:2], row, *six_rows[2:]]))
        assert [str(problem) for problem in faces.problems] == [f"fer2013.csv row 2: {reason}"]
        assert faces.rows.tolist() == [0, 1, 3, 4, 5, 6]

    def test_missing_file_other_file_and_unknown_split_are_refused(self, tmp_path, fer2013_csv):
        with pytest.raises(FaceSetError, match="No such file"):
            read_fer2013(tmp_path / "none.csv")
        with pytest.raises(FaceSetError, match="expected a FER2013 csv with emotion, pixels and Usage"):
            read_fer2013(csv_of(tmp_path / "x.csv", ["1,2"], "a,b"))
        with pytest.raises(FaceSetError, match="splits PrivateTest, PublicTest, Training"):
            read_fer2013(fer2013_csv, "Test")
        with pytest.raises(FaceSetError, match=r"1 broken rows .first: fer2013.csv row 0"):
            read_fer2013(csv_of(fer2013_csv, ["3,1 2,Training"]))


class TestVotes:
    def test_votes_are_matched_by_row(self, faces, votes_csv):
        votes = read_votes(votes_csv)
        assert np.array_equal(faces.votes, votes)
        assert np.array_equal(with_votes(faces.split("PublicTest"), votes, "v").votes, votes[[2, 5]])

    def test_majority_leaves_out_unknown_and_no_face_and_breaks_ties_by_order(self, votes_csv):
        assert majority_labels(read_votes(votes_csv)).tolist() == [0, 4, -1, -1, 7, 2]

    def test_ferplus_labels_come_from_the_votes(self, fer2013_csv, votes_csv):
        faces = open_faces(fer2013_csv, votes_csv, label_set=FERPLUS)
        assert faces.label_set == FERPLUS
        assert faces.labels.tolist() == [0, 4, -1, -1, 7, 2]

    def test_ferplus_labels_without_votes_are_refused(self, fer2013_csv):
        with pytest.raises(FaceSetError, match=r"faces without FER. votes"):
            open_faces(fer2013_csv, label_set=FERPLUS)

    def test_too_few_votes_are_refused(self, fer2013_csv, votes_csv):
        csv_of(votes_csv, ["Training,a,6,2,1,0,0,0,0,0,1,0"], VOTES_HEADER)
        with pytest.raises(FaceSetError, match="1 rows of votes"):
            open_faces(fer2013_csv, votes_csv)

    @pytest.mark.parametrize("vote", ["x", "11", "-1", ""])
    def test_a_vote_that_is_none_is_refused_with_its_row(self, votes_csv, vote):
        csv_of(votes_csv, [f"Training,a,6,2,1,0,0,0,0,0,1,{vote}"], VOTES_HEADER)
        with pytest.raises(FaceSetError, match="row 0"):
            read_votes(votes_csv)

    def test_votes_in_place_of_faces_are_recognised(self, votes_csv):
        with pytest.raises(FaceSetError, match="which hold no pictures"):
            open_faces(votes_csv)
