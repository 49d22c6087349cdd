"""A converted model that is broken altogether is refused before a file is written, and said to be broken how."""

import numpy as np
import pytest

from convert.errors import TrialError
from convert.quiet import quiet_tensorflow
from convert.trial import judge, keras_answers, made_up_pictures, tflite_answers
from tests.convert.made import tiny_model

ORIGINAL = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.5, 0.5]], np.float32)


def test_equal_answers_pass_and_are_counted():
    trial = judge(ORIGINAL, ORIGINAL, "it", 1e-4)
    assert (trial.count, trial.largest, trial.agreement) == (4, 0, 1)


def test_difference_beyond_the_tolerance_is_refused_and_within_it_is_told():
    near = ORIGINAL + np.float32(0.9e-4)
    assert judge(ORIGINAL, near, "it", 1e-4).largest == pytest.approx(0.9e-4, rel=0.01)
    with pytest.raises(
        TrialError, match=r"it: a probability differs by 0\.00011 from the original's; expected at most"
    ):
        judge(ORIGINAL, ORIGINAL + np.float32(1.1e-4), "it", 1e-4)
    assert judge(ORIGINAL, ORIGINAL[:, ::-1], "it").agreement == 0.25


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_answers_that_are_no_numbers_are_refused(value):
    broken = ORIGINAL.copy()
    broken[1, 0] = value
    with pytest.raises(TrialError, match="NaN or infinite answers for 1 of 4"):
        judge(ORIGINAL, broken, "it")


def test_constant_answers_are_refused_unless_the_original_is_as_dull():
    constant = np.repeat(ORIGINAL[:1], 4, axis=0)
    with pytest.raises(TrialError, match="the same answer for all of 4"):
        judge(ORIGINAL, constant, "it")
    judge(constant + np.linspace(0, 0.01, 4, dtype=np.float32)[:, None], constant, "it")


def test_another_count_of_classes_is_refused():
    with pytest.raises(TrialError, match=r"answers of shape \(4, 1\); expected \(4, 2\)"):
        judge(ORIGINAL, ORIGINAL[:, :1], "it")


def test_pictures_are_the_same_each_time_and_of_every_brightness():
    pictures = made_up_pictures(32, 3)
    assert np.array_equal(pictures, made_up_pictures(32, 3))
    assert (pictures.shape, pictures.dtype) == ((32, 32, 32, 3), np.uint8)
    assert pictures.min() < 30
    assert pictures.max() > 225


def test_original_and_converted_model_are_asked_the_same(float32, keras_model):
    pictures = made_up_pictures(48, 1)
    judge(keras_answers(keras_model, pictures), tflite_answers(float32, pictures, "it"), "it", 1e-4)
    with quiet_tensorflow():
        other = tiny_model(seed=5)
    with pytest.raises(TrialError, match="a probability differs"):
        judge(keras_answers(other, pictures), tflite_answers(float32, pictures, "it"), "it", 1e-4)
