"""Augmentation: what it does to a picture, seen in the picture."""

import cv2
import keras
import numpy as np
import pytest

from train.augment import Augment
from train.recipe_tables import AugmentOptions

EVERYTHING = AugmentOptions(rotation_deg=30, scale=0.3, shift=0.2, flip=True, brightness=80, contrast=0.5, erase=0.9)


def apply(options: AugmentOptions, images: np.ndarray, size: int, training: bool = True, seed: int = 1) -> np.ndarray:
    return np.asarray(Augment(options, size, seed)(images, training=training))


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (16, 24, 24, 1), dtype=np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [24, 20])
def test_range_shape_and_type_are_kept_whatever_is_distorted(size, channels):
    images = np.random.default_rng(2).integers(0, 256, (8, 24, 24, channels), dtype=np.uint8)
    distorted = apply(EVERYTHING, images, size)
    assert distorted.shape == (8, size, size, channels)
    assert distorted.dtype == np.float32
    assert distorted.min() >= 0
    assert distorted.max() <= 255
    assert np.isfinite(distorted).all()


def test_without_training_it_is_the_middle_and_nothing_else(noise):
    assert np.array_equal(apply(EVERYTHING, noise, 24, training=False), noise)
    assert np.array_equal(apply(EVERYTHING, noise, 20, training=False), noise[:, 2:22, 2:22])


def test_no_options_change_no_pixel(noise):
    assert np.array_equal(apply(AugmentOptions(), noise, 24), noise)


def test_flip_mirrors_about_half_of_the_pictures_and_changes_no_pixel(noise):
    images = np.tile(noise, (8, 1, 1, 1))
    flipped = apply(AugmentOptions(flip=True), images, 24)
    mirrored = np.abs(flipped - images[:, :, ::-1]).max(axis=(1, 2, 3)) < 0.01
    kept = np.abs(flipped - images).max(axis=(1, 2, 3)) < 0.01
    assert np.all(mirrored ^ kept)
    assert 0.3 < mirrored.mean() < 0.7


class Fixed(Augment):
    """The same layer with its draws given: angle (radians), zoom, right, down, mirror (below 0.5: yes)."""

    def __init__(self, options: AugmentOptions, size: int, draws: list[float]) -> None:
        super().__init__(options, size, 1)
        self.draws = list(draws)

    def _uniform(self, count, low, high):
        return keras.ops.full((count,), self.draws.pop(0), dtype="float32")


def centres(images: np.ndarray) -> list[complex]:
    """The middle of the one dot in each picture, as x + iy from the picture's middle."""
    found = []
    for image in images[..., 0].astype(float):
        rows, columns = np.mgrid[: image.shape[0], : image.shape[1]] - (np.array(image.shape) - 1)[:, None, None] / 2
        found.append(complex((image * columns).sum(), (image * rows).sum()) / image.sum())
    return found


@pytest.fixture(scope="module")
def three_dots() -> np.ndarray:
    images = np.zeros((3, 64, 64, 1), np.uint8)
    for image, (x, y) in zip(images, ((20, 18), (44, 24), (30, 46)), strict=True):
        image[y - 3 : y + 4, x - 3 : x + 4] = 255
    return images


ALL = AugmentOptions(rotation_deg=90, scale=0.5, shift=0.5, flip=True)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("angle_deg", [0, 20, -35])
@pytest.mark.parametrize("zoom", [1.0, 1.25])
def test_a_face_is_turned_scaled_and_mirrored_but_never_sheared(three_dots, mirrored, angle_deg, zoom):
    draws = [np.radians(angle_deg), zoom, 0.0, 0.0, 0.0 if mirrored else 1.0]
    moved = centres(np.asarray(Fixed(ALL, 64, draws)(three_dots, training=True)))
    before = centres(three_dots)
    # One rotation and one scale carry each dot (or its mirror image) to its new place, the middle fixed.
    before = [complex(-dot.real, dot.imag) for dot in before] if mirrored else before
    factors = [after / dot for after, dot in zip(moved, before, strict=True)]
    assert np.abs(factors) == pytest.approx([1 / zoom] * 3, rel=0.02)
    turns = np.degrees(np.angle(factors))
    assert turns == pytest.approx([turns[0]] * 3, abs=1)
    assert abs(turns[0]) == pytest.approx(abs(angle_deg), abs=1)


def test_a_shift_moves_by_a_share_of_the_size(three_dots):
    right, down = 0.125, -0.0625  # 8 and -4 pixels of 64; the picture moves the other way
    moved = centres(np.asarray(Fixed(ALL, 64, [0.0, 1.0, right, down, 1.0])(three_dots, training=True)))
    for after, dot in zip(moved, centres(three_dots), strict=True):
        assert after - dot == pytest.approx(complex(-8, 4), abs=0.05)


def test_pictures_are_distorted_differently_and_the_same_seed_repeats_itself(noise):
    images = np.repeat(noise[:1], 8, axis=0)
    first, again, other = (apply(EVERYTHING, images, 24, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert len({picture.tobytes() for picture in first}) == 8


def test_erasing_paints_one_rectangle_of_one_level(noise):
    images = np.full((64, 40, 40, 1), 300 / 7, np.float32)
    erased = apply(AugmentOptions(erase=1.0), images, 40)
    for picture in erased[..., 0]:
        rows, columns = np.nonzero(picture != images[0, 0, 0, 0])
        box = picture[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert np.unique(box).size == 1
        assert 0.01 < box.size / picture.size < 0.13


@pytest.mark.parametrize("options", [{"scale": 1.0}, {"erase": 1.1}, {"rotation_deg": -1.0}, {"contrast": 2.0}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match=r"negative|shares below 1|at most 1"):
        AugmentOptions(**options)


def test_a_distortion_of_probability_a_half_leaves_half_of_the_pictures_alone(noise):
    images = np.tile(noise, (8, 1, 1, 1))
    turned = apply(AugmentOptions(rotation_deg=20, probability=0.5), images, 24)
    kept = np.abs(turned - images).max(axis=(1, 2, 3)) < 0.01
    assert 0.3 < kept.mean() < 0.7


def test_a_smaller_view_is_the_whole_picture_made_smaller():
    ramp = np.tile(np.linspace(0, 240, 48, dtype=np.float32), (48, 1))[None, ..., None]
    layer = Augment(AugmentOptions(), 32, 1)
    layer.view = "resize"
    small = np.asarray(layer(ramp, training=True))[0, ..., 0]
    assert small == pytest.approx(cv2.resize(ramp[0, ..., 0], (32, 32), interpolation=cv2.INTER_LINEAR), abs=0.01)
