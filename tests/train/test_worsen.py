"""A poor camera's pictures: what they look like, and who gets to see them."""

from dataclasses import replace

import cv2
import keras
import numpy as np
import pytest

from tests.train.made import SIZE
from tests.train.taught import student, teacher
from train.recipe_tables import AugmentOptions
from train.student import Student, Teaching
from train.worsen import Worsen


def worsened(pictures: np.ndarray, training: bool = True, **options: float) -> np.ndarray:
    return np.asarray(Worsen(AugmentOptions(**options), seed=3)(pictures, training=training))


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (64, 48, 48, 1), dtype=np.uint8)


def test_without_training_or_options_no_pixel_is_changed(pictures):
    assert np.array_equal(worsened(pictures, training=False, blur=1.0, dim=1.0), pictures)
    assert np.array_equal(worsened(pictures), pictures)


@pytest.mark.parametrize("kind", ["blur", "dim"])
def test_about_as_many_pictures_are_worsened_as_were_asked_for(pictures, kind):
    changed = (worsened(pictures, **{kind: 0.5}) != pictures).any(axis=(1, 2, 3))
    assert 0.3 < changed.mean() < 0.7


@pytest.mark.parametrize("channels", [1, 3])
def test_range_shape_and_whole_grey_levels_are_kept(channels):
    pictures = np.random.default_rng(2).integers(0, 256, (8, 40, 40, channels), dtype=np.uint8)
    spoiled = worsened(pictures, blur=1.0, dim=1.0)
    assert spoiled.shape == pictures.shape
    assert spoiled.dtype == np.float32
    assert np.array_equal(spoiled, spoiled.astype(np.uint8))


def test_a_blurred_picture_lies_between_itself_and_the_gaussian_of_a_lens_out_of_focus(pictures):
    soft = np.stack([cv2.GaussianBlur(one, (0, 0), 0.03 * 48, borderType=cv2.BORDER_REPLICATE) for one in pictures])
    apart, way = worsened(pictures, blur=1.0) - pictures, soft[..., None].astype(np.float32) - pictures
    shares = (apart * way).sum(axis=(1, 2, 3)) / (way**2).sum(axis=(1, 2, 3))
    assert shares.min() > 0.25
    assert shares.max() < 1.02
    assert np.abs(apart - shares[:, None, None, None] * way).mean() < 1.0


def test_a_dimmed_picture_is_its_darker_self_and_noise(pictures):
    dimmed = worsened(pictures, dim=1.0)
    light = (dimmed * pictures).sum(axis=(1, 2, 3)) / (pictures.astype(np.float32) ** 2).sum(axis=(1, 2, 3))
    noise = (dimmed - light[:, None, None, None] * pictures).std(axis=(1, 2, 3))
    assert 0.14 < light.min() < 0.3
    assert 0.45 < light.max() < 0.61
    assert noise.max() < 6
    assert noise.std() > 0.3


def test_a_student_sees_it_and_its_teacher_answers_for_the_picture_as_it_was(tmp_path):
    answers = {}
    for dim in (0.0, 1.0):
        recipe = replace(student(tmp_path), augment=AugmentOptions(dim=dim))
        taught = Student(recipe, 7, 1, Teaching([teacher()]), tmp_path, print)
        inputs = {"pixels": np.full((4, SIZE, SIZE, 1), 200, np.uint8)}
        answers[dim] = np.asarray(taught.model.teacher(inputs, training=True))
        pupil = taught.model.student
        seen = keras.Model(pupil.input, pupil.get_layer(taught.worsen.name).output)
        assert (np.asarray(seen(inputs, training=True)).mean() < 130) == (dim == 1.0)
    assert np.array_equal(answers[0.0], answers[1.0])
