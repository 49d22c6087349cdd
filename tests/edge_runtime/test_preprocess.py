import platform

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_runtime.geometry import Box
from edge_runtime.preprocess import Framing, crop_face, fit_face

ARM = platform.machine() not in ("x86_64", "AMD64")


def ramp(width=64, height=48):
    """A frame in which every pixel differs: blue counts columns, green rows, red both."""
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    return np.stack([columns, rows, columns + rows], axis=2).astype(np.uint8)


def test_crop_of_the_models_size_is_the_frames_own_pixels():
    frame = ramp()
    crop = crop_face(frame, Box(8, 4, 40, 36), 32, 3)
    assert np.array_equal(crop, frame[4:36, 8:40])


def test_grey_crop_weighs_the_colours_as_bgr():
    blue, red = np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8, 3), np.uint8)
    blue[..., 0], red[..., 2] = 255, 255
    whole = Box(0, 0, 8, 8)
    assert crop_face(blue, whole, 8, 1)[0, 0, 0] == 29
    assert crop_face(red, whole, 8, 1)[0, 0, 0] == 76


def test_parts_outside_the_frame_repeat_its_border():
    frame = ramp()
    crop = crop_face(frame, Box(-8, -8, 8, 8), 16, 3)
    assert np.array_equal(crop[8:, 8:], frame[:8, :8])
    assert (crop[:8, :8] == frame[0, 0]).all()
    assert np.array_equal(crop[:8, 8:], np.repeat(frame[:1, :8], 8, axis=0))


def test_shrinking_averages_over_the_area_so_that_fine_stripes_turn_grey():
    stripes = np.zeros((192, 192), np.uint8)
    stripes[:, ::4] = 255  # linear interpolation would look between them and see black
    assert set(fit_face(stripes, 48, 1).ravel()) == {64}


def test_ready_cropped_face_of_the_right_size_stays_as_it_is():
    face = np.random.default_rng(1).integers(0, 256, (48, 48), dtype=np.uint8)
    assert np.array_equal(fit_face(face, 48, 1)[..., 0], face)
    assert np.array_equal(fit_face(face, 48, 3), np.repeat(face[..., None], 3, axis=2))


def test_a_face_placed_in_a_picture_and_cut_out_again_is_the_same_face():
    face = np.random.default_rng(2).integers(0, 256, (48, 48), dtype=np.uint8)
    frame = np.zeros((100, 120), np.uint8)
    frame[20:68, 30:78] = face
    assert np.array_equal(crop_face(frame, Box(30, 20, 78, 68), 48, 1)[..., 0], face)


@settings(max_examples=150, deadline=None)
@given(st.tuples(*[st.floats(-300, 300)] * 2), st.floats(0.01, 500), st.sampled_from([1, 3]), st.sampled_from([16, 48]))
def test_any_square_gives_a_crop_of_the_models_shape(corner, side, channels, size):
    crop = crop_face(ramp(), Box(corner[0], corner[1], corner[0] + side, corner[1] + side), size, channels)
    assert crop.shape == (size, size, channels)
    assert crop.dtype == np.uint8


def test_framing_gives_a_square_about_the_boxes_centre():
    square = Framing("height", 1.5, right=0.1, down=-0.1).square(Box(0, 0, 10, 20))
    assert square.width == pytest.approx(30)
    assert square.height == pytest.approx(30)
    assert square.center == pytest.approx((8, 7))


@pytest.mark.parametrize(("side", "scale"), [("diagonal", 1.0), ("width", 0.0), ("width", 20.0)])
def test_senseless_framing_is_refused(side, scale):
    with pytest.raises(ValueError, match="expected a side"):
        Framing(side, scale)


@pytest.mark.parametrize("shape", [(20, 20), (33, 47), (60, 30), (48, 12)])
def test_a_grey_face_grows_as_each_channel_of_a_colour_one_does(shape):
    """OpenCV's own kernel for one channel is another on ARM; the way through several is the same everywhere."""
    face = np.random.default_rng(6).integers(0, 256, shape, dtype=np.uint8)
    grown = fit_face(face, 48, 1)
    assert np.array_equal(grown[..., 0], cv2.resize(face, (48, 48), interpolation=cv2.INTER_LINEAR)) or ARM
    assert np.array_equal(np.repeat(grown, 3, axis=2), fit_face(np.repeat(face[..., None], 3, axis=2), 48, 3))
