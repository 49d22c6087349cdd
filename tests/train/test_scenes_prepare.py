"""`scenes prepare`: which faces are taught, how, and which are held out. The teacher is a fake: YuNet's file is nobody's test data."""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_runtime.detectors import Detection
from edge_runtime.errors import DetectorError, FaceSetError
from edge_runtime.framesets.marks import Marks
from edge_runtime.geometry import Box
from edge_runtime.labels import FERPLUS_VOTES
from train.errors import DataError
from train.scenes import prepare
from train.scenes.crops import teach_crops
from train.scenes.store import HELD_OUT, TRAINING, read_store
from train.scenes.teacher import DOUBTFUL, SURE, Taught

POINTS = np.array([(30, 40), (70, 40), (50, 55), (35, 75), (65, 75)], np.float32) / 100


class Fake:
    """Sees a face in the middle of every picture, the surer the brighter the picture is."""

    sha256 = "fake"

    def __init__(self, _path: Path | None = None) -> None:
        pass

    def one_face(self, image: np.ndarray) -> Taught | None:
        return self._seen(image, SURE)

    def known_face(self, image: np.ndarray) -> Taught | None:
        return self._seen(image, DOUBTFUL)

    def _seen(self, image: np.ndarray, least: float) -> Taught | None:
        assert image.shape[2] == 3
        if image.mean() / 255 < least:
            return None
        height, width = image.shape[:2]
        size = np.array([width, height] * 2, np.float32)
        return Taught(np.array([0.1, 0.0, 0.9, 1.0], np.float32) * size, POINTS * size[:2])

    def marks(self, _image: np.ndarray) -> Marks:
        return Marks.none()


def picture(level: int, side: int = 40, seed: int = 0) -> np.ndarray:
    drawn = np.random.default_rng(seed).integers(-20, 21, (side, side))
    return np.clip(level + drawn, 0, 255).astype(np.uint8)


BRIGHT, DIM, DARK = 230, 130, 40
"""Sure, doubtful, and not seen."""


def test_a_crop_that_the_teacher_does_not_see_has_the_usual_box_and_no_landmarks():
    pictures = [*(picture(BRIGHT, seed=number) for number in range(24)), picture(DIM), picture(DARK, side=80)]
    crops = teach_crops(pictures, Fake())
    assert (crops.sure, crops.doubtful, crops.usual) == (24, 1, 1)
    doubtful, unseen = crops.taught[-2:]
    np.testing.assert_allclose(doubtful.points, POINTS * 40)
    np.testing.assert_allclose(unseen.box, (8, 0, 72, 80), atol=0.01)
    assert np.isnan(unseen.points).all()


def test_a_crop_that_shows_nothing_is_left_out():
    black, pale = np.zeros((40, 40), np.uint8), np.full((40, 40), 240, np.uint8)
    crops = teach_crops([*(picture(BRIGHT, seed=number) for number in range(24)), black, pale], Fake())
    assert crops.taught[-2:] == [None, None]
    assert crops.usual == 0


def test_what_is_usual_is_not_guessed_from_a_few():
    crops = teach_crops([picture(BRIGHT), picture(DARK)], Fake())
    assert crops.taught[1] is None


def test_doubtful_is_less_than_sure():
    assert DOUBTFUL < DIM / 255 < SURE < BRIGHT / 255


@pytest.fixture
def folders(tmp_path, monkeypatch):
    monkeypatch.setattr(prepare, "Teacher", Fake)
    for name, count in (("faces", 30), ("places", 12)):
        (tmp_path / name).mkdir()
        for number in range(count):
            cv2.imwrite(str(tmp_path / name / f"{number:02}.png"), picture(BRIGHT, seed=number + 100 * len(name)))
    return tmp_path


def prepared(folder: Path, name: str, seed: int, division: Path | None = None, count: int = 100, **crops: Path | str):
    out = folder / name
    words = argparse.Namespace(
        faces=[folder / "faces"],
        crops=crops.get("crops"),
        crops_split="Training",
        crops_count=count,
        crops_missed_by=crops.get("missed_by"),
        votes=crops.get("votes"),
        backgrounds=[folder / "places"],
        teacher=Path("fake.onnx"),
        held_out=0.3,
        seed=seed,
        division=division,
        out=out,
    )
    assert prepare.run(words) == 0
    return read_store(out)


def test_pictures_of_an_earlier_division_stay_in_their_splits_when_others_join_them(folders):
    earlier = prepared(folders, "earlier.npz", 1)
    for name in ("faces", "places"):
        for number in range(10):  # in between, by name
            cv2.imwrite(str(folders / name / f"{number:02}a.png"), picture(BRIGHT, seed=number + 1000 * len(name)))
    later, other = prepared(folders, "later.npz", 2, folders / "earlier.npz"), prepared(folders, "other.npz", 2)

    def splits(store):
        return dict(zip(store.faces, store.face_splits, strict=True)) | dict(
            zip(store.places, store.place_splits, strict=True)
        )

    before = splits(earlier)
    assert {data: splits(later)[data] for data in before} == before
    assert {data: splits(other)[data] for data in before} != before
    joined = [split for data, split in splits(later).items() if data not in before]
    assert set(joined) == {TRAINING, HELD_OUT}


def written_crops(folder: Path, pictures: list[np.ndarray]) -> Path:
    lines = [f"0,{' '.join(map(str, each.ravel()))},Training" for each in pictures]
    path = folder / "fer2013.csv"
    path.write_text("\n".join(["emotion,pixels,Usage", *lines, ""]))
    return path


def png(image: np.ndarray) -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()


def test_crops_that_most_annotators_call_no_face_are_left_out(folders):
    rows = [picture(BRIGHT, side=48, seed=number) for number in range(3)]
    crops, votes = written_crops(folders, rows), folders / "fer2013new.csv"
    names = ("Usage", "Image name", *FERPLUS_VOTES)
    given = ((0, 0), (1, 4), (0, 10))  # of `unknown` and `NF`; the rest is neutral
    voted = [["Training", "", 10 - sum(last), *[0] * 7, *last] for last in given]
    votes.write_text("\n".join(",".join(map(str, row)) for row in (names, *voted)) + "\n")
    without, with_votes = (
        prepared(folders, "without.npz", 1, crops=crops),
        prepared(folders, "with.npz", 1, crops=crops, votes=votes),
    )
    assert (len(without.faces), len(with_votes.faces)) == (33, 32)
    assert set(without.faces) - set(with_votes.faces) == {png(rows[2])}


class FindsBright:
    """A detector that finds one face in the middle of a bright picture, and beside the crop in any other."""

    name = "bright"

    def detect(self, image: np.ndarray) -> list[Detection]:
        side = image.shape[0]
        middle = image[side // 2 - 8 : side // 2 + 8, side // 2 - 8 : side // 2 + 8]
        at = side / 2 if middle.mean() > 180 else side / 16
        return [Detection(Box(at - 5, at - 5, at + 5, at + 5), 0.9)]


def test_crops_that_a_detector_misses_come_before_all_others(folders, monkeypatch, capsys):
    monkeypatch.setattr(prepare, "open_detector", lambda _name: FindsBright())
    missed = [picture(DIM, side=48, seed=number) for number in range(7)]
    pictures = [picture(BRIGHT, side=48, seed=number) for number in range(60)]
    pictures[5:40:5] = missed
    crops = written_crops(folders, pictures)
    known = {png(each): each.mean() < 180 for each in pictures}

    def taken(count, **more):
        store = prepared(folders, "crops.npz", 1, crops=crops, count=count, **more)
        return [known[data] for data in store.faces if data in known]

    assert taken(5, missed_by="bright") == [True] * 5
    assert "bright misses 7 of 60 faces" in capsys.readouterr().out
    assert sorted(taken(10, missed_by="bright")) == [False] * 3 + [True] * 7
    assert sum(taken(10)) < 7


def test_a_teacher_that_is_none_is_said_before_a_data_set_is_looked_through(folders, monkeypatch):
    class Asked:
        def __init__(self, path: Path) -> None:
            raise DetectorError(f"{path}", "a YuNet file", "check the path")

    class NeverAsked:
        name = "never"

        def detect(self, _image: np.ndarray) -> list[Detection]:
            raise AssertionError("minutes were spent before the teacher was opened")

    monkeypatch.setattr(prepare, "Teacher", Asked)
    monkeypatch.setattr(prepare, "open_detector", lambda _name: NeverAsked())
    crops = written_crops(folders, [picture(BRIGHT, side=48)])
    with pytest.raises(DetectorError, match="YuNet"):
        prepared(folders, "out.npz", 1, crops=crops, missed_by="never")


def test_what_is_asked_wrongly_is_said_before_the_teacher_looks(folders, monkeypatch):
    class NeverAsked:
        def __init__(self, _path: Path) -> None:
            raise AssertionError("the teacher was opened")

    monkeypatch.setattr(prepare, "Teacher", NeverAsked)
    with pytest.raises(DataError, match=r"no\.npz"):
        prepared(folders, "out.npz", 1, folders / "no.npz")
    with pytest.raises(DataError, match="--votes without --crops"):
        prepared(folders, "out.npz", 1, votes=folders / "fer2013new.csv")
    with pytest.raises(DataError, match="--crops-missed-by without --crops"):
        prepared(folders, "out.npz", 1, missed_by="tflite")
    with pytest.raises(DetectorError, match="tfite"):
        prepared(folders, "out.npz", 1, crops=written_crops(folders, [picture(BRIGHT, side=48)]), missed_by="tfite")
    with pytest.raises(FaceSetError, match=r"no\.csv"):
        prepared(folders, "out.npz", 1, crops=folders / "no.csv")
    (folders / "places").rename(folders / "elsewhere")
    with pytest.raises(DataError, match="places, which is no folder"):
        prepared(folders, "out.npz", 1)
