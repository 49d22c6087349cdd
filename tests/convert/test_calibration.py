"""Calibration faces come from the training split, evenly from all classes, and are the same for the same seed."""

from dataclasses import replace

import numpy as np
import pytest

from convert.calibration import (
    calibrated_on,
    choose_calibration,
    read_calibration_faces,
    read_evaluation_faces,
    read_training_faces,
)
from convert.errors import CalibrationError
from edge_runtime.errors import FaceSetError, UsageError
from edge_runtime.facesets import write_prepared
from edge_runtime.illumination import normalize_all
from tests.convert.made import made_up_faces, write_fer2013


def choose(faces, **options):
    return choose_calibration(faces, "made up", **{"size": 48, "channels": 1, "count": 64, **options})


@pytest.mark.parametrize("split", ["PublicTest", "PrivateTest", "test", "Test", "validation", "val", "all", "", "x"])
def test_faces_of_another_split_are_refused(tmp_path, split):
    faces = made_up_faces(split=split)
    prepared = tmp_path / "faces.npz"
    write_prepared(faces, prepared)
    with pytest.raises(CalibrationError, match=rf"split '{split}'.*training faces only"):
        read_training_faces(prepared, split)
    with pytest.raises(CalibrationError, match=rf"split '{split}'.*training faces only"):
        choose(faces)


def test_another_split_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(CalibrationError, match="training faces only"):
        read_training_faces(tmp_path / "no such file", "PublicTest")


@pytest.mark.parametrize("split", ["Training", "train"])
def test_training_split_is_read_by_either_name(tmp_path, split):
    prepared = tmp_path / "faces.npz"
    write_prepared(made_up_faces(split=split), prepared)
    assert len(read_training_faces(prepared, split)) == 84


def test_only_the_training_rows_of_fer2013_are_read(tmp_path):
    training, testing = made_up_faces(), made_up_faces(split="PublicTest")
    both = replace(
        training,
        **{
            name: np.concatenate([getattr(testing, name), getattr(training, name)])
            for name in ("pixels", "labels", "splits", "rows")
        },
    )
    chosen = choose(read_training_faces(write_fer2013(tmp_path / "fer2013.csv", both)))
    assert chosen.split == "Training"
    assert min(chosen.rows) >= len(testing)


def test_missing_training_split_is_refused_with_the_splits_that_there_are(tmp_path):
    path = write_fer2013(tmp_path / "fer2013.csv", made_up_faces(split="PublicTest"))
    with pytest.raises(FaceSetError, match="PublicTest"):
        read_training_faces(path)


def test_same_seed_gives_the_same_faces_and_another_seed_others():
    faces = made_up_faces()
    first, second, other = choose(faces, seed=3), choose(faces, seed=3), choose(faces, seed=4)
    assert np.array_equal(first.pixels, second.pixels)
    assert first.as_table() == second.as_table()
    assert first.rows != other.rows
    assert first.sha256 != other.sha256


def test_classes_have_equal_shares_and_fill_up_for_a_rare_one():
    faces = made_up_faces(a_class=30)
    rare = np.flatnonzero(faces.labels == 1)[5:]
    faces = faces.where(np.setdiff1d(np.arange(len(faces)), rare))
    chosen = choose(faces, count=77)
    label_of = dict(zip(faces.rows.tolist(), faces.labels.tolist(), strict=True))
    counts = np.bincount([label_of[row] for row in chosen.rows], minlength=7)
    assert counts[1] == 5
    assert counts.sum() == 77
    assert set(np.delete(counts, 1)) == {12}


def test_rows_name_the_faces_in_their_order():
    faces = made_up_faces()
    chosen = choose(faces)
    at = {int(row): index for index, row in enumerate(faces.rows)}
    picked = faces.pixels[[at[row] for row in chosen.rows]][..., None]
    assert np.count_nonzero(picked != chosen.pixels) <= 2


def test_range_of_the_pixels_is_always_all_of_uint8():
    faces = made_up_faces()
    dull = replace(faces, pixels=(40 + faces.pixels // 2).astype(np.uint8))
    chosen = choose(dull)
    assert (chosen.pixels.min(), chosen.pixels.max()) == (0, 255)
    assert 40 <= chosen.darkest < chosen.brightest <= 167
    assert np.count_nonzero((chosen.pixels == 0) | (chosen.pixels == 255)) == 2


@pytest.mark.parametrize(("size", "channels"), [(32, 1), (48, 3), (64, 3)])
def test_faces_take_the_size_and_channels_of_the_model(size, channels):
    assert choose(made_up_faces(), size=size, channels=channels).pixels.shape == (64, size, size, channels)


def test_faces_of_one_grey_level_and_faces_without_a_label_are_passed_over():
    faces = made_up_faces()
    faces.pixels[:7] = 9
    faces.labels[7:14] = -1
    assert set(choose(faces, count=70).rows) == set(range(114, 184))
    with pytest.raises(CalibrationError, match="70 usable faces of 84"):
        choose(faces, count=71)


def test_constant_empty_and_too_few_faces_are_refused():
    faces = made_up_faces()
    with pytest.raises(CalibrationError, match="0 usable faces of 84"):
        choose(replace(faces, pixels=np.full_like(faces.pixels, 7)))
    with pytest.raises(CalibrationError, match="0 usable faces of 0"):
        choose(faces.where(np.zeros(len(faces), bool)))
    with pytest.raises(CalibrationError, match=r"84 usable faces.*at least 500"):
        choose(faces, count=500)
    for count in (-1, 0, 31):
        with pytest.raises(CalibrationError, match=f"count {count}"):
            choose(faces, count=count)


def test_class_without_a_face_is_refused_by_name():
    faces = made_up_faces(a_class=20)
    with pytest.raises(CalibrationError, match="no usable face of 'fear'"):
        choose(faces.where(faces.labels != 2))


def test_calibration_faces_are_normalised_as_the_board_does_it():
    plain, lit = choose(made_up_faces()), choose(made_up_faces(), illumination="isotropic_diffusion")
    assert lit.rows == plain.rows
    assert lit.sha256 != plain.sha256
    chosen = np.isin(np.arange(100, 184), plain.rows)
    by_hand = normalize_all(made_up_faces().pixels[chosen], "isotropic_diffusion")
    # One pixel is set to 0 and one to 255, so that the input's range is all of uint8.
    assert (lit.pixels[..., 0] != by_hand).sum() <= 2
    assert (lit.darkest, lit.brightest) == (by_hand.min(), by_hand.max())
    assert lit.as_table()["illumination"] == "isotropic_diffusion"
    assert "illumination" not in plain.as_table()
    with pytest.raises(UsageError, match="did you mean 'dct'"):
        choose(made_up_faces(), illumination="dtc")


def joined(*sets):
    return replace(
        sets[0],
        **{
            name: np.concatenate([getattr(faces, name) for faces in sets])
            for name in ("pixels", "labels", "splits", "rows")
        },
    )


def test_training_faces_that_stand_in_another_split_are_passed_over_and_counted(tmp_path):
    """As FER2013's are: 351 of its 28,709 training faces are PublicTest faces, pixel for pixel."""
    training = made_up_faces()
    copies = replace(training.where(np.arange(0, 4)), splits=np.full(4, "PublicTest"))
    path = write_fer2013(tmp_path / "fer2013.csv", joined(training, copies))
    faces, others = read_calibration_faces(path)
    assert (len(faces), len(others)) == (84, 4)
    chosen = choose(faces, count=80, others=others)
    assert set(chosen.rows) == set(range(4, 84))
    assert (chosen.as_table()["passed_over"], chosen.as_table()["compared"]) == (4, 4)
    with pytest.raises(CalibrationError, match=r"80 usable faces of 84.*in no evaluation split"):
        choose(faces, count=81, others=others)


def test_training_split_that_leaks_into_another_is_refused():
    training = made_up_faces()
    with pytest.raises(
        CalibrationError, match=r"5 of 84 training faces are in its other splits too; expected at most 5%"
    ):
        choose(training, others=training.where(np.arange(5)))


@pytest.mark.parametrize(("channels", "size"), [(1, 48), (3, 48), (1, 32)])
def test_face_of_the_evaluation_data_is_refused_whatever_its_split_is_called(channels, size):
    """By what the model would read: a grey face stored in three channels is the same face."""
    training, others = made_up_faces(), made_up_faces(a_class=2, channels=1)
    judged = joined(replace(others, pixels=255 - others.pixels), training.where(np.array([17])))
    if channels == 3:
        judged = replace(judged, pixels=np.repeat(judged.pixels[..., None], 3, axis=-1))
    with pytest.raises(CalibrationError, match=r"1 of 84 calibration faces are evaluation faces, the first in row 117"):
        choose(training, evaluation=judged, size=size)
    clean = judged.where(np.arange(len(judged) - 1))
    assert choose(training, evaluation=clean, size=size).compared == len(clean)


def test_evaluation_faces_are_all_but_those_for_training_or_one_split(tmp_path):
    both = joined(made_up_faces(a_class=2), made_up_faces(a_class=1, split="PublicTest"))
    path = write_fer2013(tmp_path / "fer2013.csv", both)
    assert len(read_evaluation_faces(path)) == 7
    assert len(read_evaluation_faces(path, "Training")) == 14
    only = write_fer2013(tmp_path / "only.csv", made_up_faces(a_class=2))
    assert len(read_evaluation_faces(only)) == 14
    assert len(read_calibration_faces(only)[1]) == 0


def test_calibration_without_other_faces_says_nothing_of_a_comparison():
    assert "compared" not in choose(made_up_faces()).as_table()


def test_faces_that_calibrated_are_known_again_by_their_rows_and_their_pixels():
    faces = made_up_faces(size=40)
    table = choose_calibration(faces, "made up", 48, 1, count=40, illumination="clahe").as_table()
    assert calibrated_on(table, faces, 48, 1)
    shuffled = faces.where(np.random.default_rng(1).permutation(len(faces)))
    assert calibrated_on(table, shuffled, 48, 1), "the order of the judged faces does not matter"
    row = int(table["rows"].split()[7])
    assert not calibrated_on(table, faces.where(faces.rows != row), 48, 1), "one of them is not there"
    faces.pixels[faces.rows == row] ^= 1
    assert not calibrated_on(table, faces, 48, 1), "another face of the same number"
    assert not calibrated_on({"count": 40}, faces, 48, 1), "a table that does not say enough"
