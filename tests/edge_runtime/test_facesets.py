"""Ready-cropped faces: csv, votes, folders and prepared files. Everything here is made up and small."""

import json
import random
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_runtime.errors import FaceSetError, OutputError
from edge_runtime.facesets import (
    FaceSet,
    majority_labels,
    open_faces,
    prepared,
    read_fer2013,
    read_folder,
    read_prepared,
    read_votes,
    with_label_set,
    with_size,
    with_votes,
    write_prepared,
)
from edge_runtime.labels import AFFECTNET8, FER2013, FERPLUS, FERPLUS_VOTES, LabelSet

SIDE = 48
VOTES_HEADER = ",".join(("Usage", "Image name", *FERPLUS_VOTES))


def pixels_of(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE), dtype=np.uint8)


def words(pixels: np.ndarray) -> str:
    return " ".join(map(str, pixels.ravel()))


def csv_of(path: Path, rows: list[str], header: str = "emotion,pixels,Usage") -> Path:
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


@pytest.fixture
def six_rows() -> list[str]:
    usages = ["Training", "Training", "PublicTest", "PrivateTest", "Training", "PublicTest"]
    return [f"{row % 7},{words(pixels_of(row))},{usage}" for row, usage in enumerate(usages)]


@pytest.fixture
def fer2013_csv(tmp_path, six_rows) -> Path:
    return csv_of(tmp_path / "fer2013.csv", six_rows)


@pytest.fixture
def votes_csv(tmp_path) -> Path:
    rows = ["Training,a,6,2,1,0,0,0,0,0,1,0", "Training,b,0,0,0,0,4,4,2,0,0,0", "PublicTest,c,0,1,0,0,0,0,0,0,9,0"]
    rows += ["PrivateTest,,0,0,0,0,0,0,0,0,0,10", "Training,e,0,0,0,0,0,0,0,10,0,0", "PublicTest,f,1,0,9,0,0,0,0,0,0,0"]
    return csv_of(tmp_path / "fer2013new.csv", rows, VOTES_HEADER)


@pytest.fixture
def faces(fer2013_csv, votes_csv) -> FaceSet:
    return open_faces(fer2013_csv, votes_csv)


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


def picture(path: Path, seed: int = 0, size: int = 20) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.random.default_rng(seed).integers(0, 256, (size, size), dtype=np.uint8)
    cv2.imwrite(str(path), image)
    return path


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


class TestPrepared:
    def test_faces_come_back_as_they_were(self, faces, tmp_path):
        write_prepared(faces, tmp_path / "f.npz")
        back = open_faces(tmp_path / "f.npz")
        assert back.sha256() == faces.sha256()
        assert np.array_equal(back.votes, faces.votes)
        assert back.splits.tolist() == faces.splits.tolist()
        assert open_faces(tmp_path / "f.npz", split="PublicTest").rows.tolist() == [2, 5]

    def test_a_label_set_of_ones_own_and_no_votes_come_back(self, tmp_path):
        mine = LabelSet("mine", ("calm", "not calm"))
        faces = FaceSet(
            np.zeros((2, 8, 8, 3), np.uint8), np.array([1, -1], np.int16), np.array(["a", "b"]), np.arange(2), mine
        )
        write_prepared(faces, tmp_path / "f.npz")
        assert read_prepared(tmp_path / "f.npz").label_set == mine
        assert read_prepared(tmp_path / "f.npz").votes is None

    def test_groups_come_back_and_faces_without_them_stay_readable_for_earlier_releases(self, faces, tmp_path):
        def version(path: Path) -> int:
            with np.load(path) as archive:
                return json.loads(str(archive["facts"]))["version"]

        groups = np.array(["F01", "F02", "F01", "M10", "M10", "F02"])
        write_prepared(replace(faces, groups=groups), tmp_path / "grouped.npz")
        back = read_prepared(tmp_path / "grouped.npz")
        assert back.groups.tolist() == groups.tolist()
        assert back.split("PublicTest").groups.tolist() == ["F01", "F02"]
        assert version(tmp_path / "grouped.npz") == 2
        write_prepared(faces, tmp_path / "f.npz")
        assert version(tmp_path / "f.npz") == 1
        assert read_prepared(tmp_path / "f.npz").groups is None

    def test_changed_groups_are_refused(self, faces, tmp_path):
        path = tmp_path / "f.npz"
        write_prepared(replace(faces, groups=np.array(list("aabbcc"))), path)
        with np.load(path) as archive:
            members = dict(archive)
        members["groups"] = members["groups"][::-1]
        np.savez(path, **members)
        with pytest.raises(FaceSetError, match="do not match its own sha256"):
            read_prepared(path)
        np.savez(path, **{name: array for name, array in members.items() if name != "groups"})
        with pytest.raises(FaceSetError, match="no groups"):
            read_prepared(path)

    def test_no_flipped_bit_changes_a_face_or_label(self, faces, tmp_path):
        path = tmp_path / "f.npz"
        write_prepared(faces.where(np.arange(2)), path)
        data, whole = path.read_bytes(), read_prepared(path)
        chance = random.Random(1)
        refused = 0
        # Half of them where the zip's own tables are: there a flip breaks the reader in most ways.
        for at in [chance.randrange(len(data)) for _ in range(300)] + [
            len(data) - 1 - chance.randrange(900) for _ in range(300)
        ]:
            damaged = bytearray(data)
            damaged[at] ^= 1 << chance.randrange(8)
            path.write_bytes(damaged)
            try:
                read = read_prepared(path)
            except FaceSetError:
                refused += 1
                continue
            assert read.sha256() == whole.sha256()
            assert np.array_equal(read.votes, whole.votes)
            assert read.splits.tolist() == whole.splits.tolist()
        assert refused > 400

    def test_a_header_that_is_no_python_is_damage_too(self, faces, tmp_path):
        path = tmp_path / "f.npz"
        for found, written in ((b"(6, 48, 48)", b"(6, 48, 48 "), (b"{'descr'", b"('descr'"), (b"'|u1'", b"'|u1\n")):
            write_prepared(faces, path)
            assert found in path.read_bytes()
            path.write_bytes(path.read_bytes().replace(found, written))
            with pytest.raises(FaceSetError, match=r"an undamaged \.npz"):
                read_prepared(path)

    @pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
    def test_a_file_cut_short_is_refused(self, faces, tmp_path, share):
        path = tmp_path / "f.npz"
        write_prepared(faces, path)
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
        with pytest.raises(FaceSetError):
            open_faces(path)

    def rewrite(self, path: Path, **changes) -> None:
        """Changes members of a prepared file, with a hash that is right again."""
        with np.load(path) as archive:
            members = dict(archive)
        facts = json.loads(str(members.pop("facts"))) | {
            key: value for key, value in changes.items() if key not in members
        }
        members |= {key: value for key, value in changes.items() if key in members}
        facts["sha256"] = prepared._sha256(facts, members)
        np.savez(path, facts=np.array(json.dumps(facts)), **members)

    def test_changed_pixels_are_refused_even_where_the_zip_agrees(self, faces, tmp_path):
        path = tmp_path / "f.npz"
        write_prepared(faces, path)
        with np.load(path) as archive:
            members = dict(archive)
        members["labels"] = members["labels"][::-1]
        np.savez(path, **members)
        with pytest.raises(FaceSetError, match="do not match its own sha256"):
            read_prepared(path)

    def test_a_newer_version_asks_for_an_upgrade(self, faces, tmp_path):
        write_prepared(faces, tmp_path / "f.npz")
        self.rewrite(tmp_path / "f.npz", version=3)
        with pytest.raises(FaceSetError, match="version 3 of prepared faces; expected at most 2; upgrade"):
            read_prepared(tmp_path / "f.npz")

    def test_labels_in_another_order_than_their_sets_are_refused(self, faces, tmp_path):
        write_prepared(faces, tmp_path / "f.npz")
        self.rewrite(tmp_path / "f.npz", label_set="affectnet8")
        with pytest.raises(FaceSetError, match="label set 'affectnet8' with"):
            read_prepared(tmp_path / "f.npz")

    def test_pickles_and_other_archives_are_refused(self, tmp_path):
        np.savez(tmp_path / "objects.npz", facts=np.array([{}], dtype=object))
        np.savez(tmp_path / "other.npz", weights=np.zeros(3))
        for name in ("objects.npz", "other.npz"):
            with pytest.raises(FaceSetError):
                open_faces(tmp_path / name)

    def test_what_cannot_be_written_leaves_what_was_there(self, faces, tmp_path):
        with pytest.raises(OutputError, match="No such file or directory"):
            write_prepared(faces, tmp_path / "no" / "f.npz")
        (tmp_path / "f.npz").mkdir()
        with pytest.raises(OutputError):
            write_prepared(faces, tmp_path / "f.npz")
        assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []


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
