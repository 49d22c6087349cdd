import keras
import numpy as np
import pytest

from train.errors import DataError
from train.refit import find_refit, fold_refit


def drawn(shifts, scale, count=20_000):
    """Logits, and labels drawn from softmax(scale × logits + shifts)."""
    random = np.random.default_rng(3)
    logits = random.normal(0, 1.5, (count, len(shifts))).astype(np.float32)
    noise = random.gumbel(size=logits.shape)
    return logits, (scale * logits + np.array(shifts) + noise).argmax(axis=1).astype(np.int16)


def test_refit_finds_the_scale_and_shifts_that_the_labels_were_drawn_with():
    shifts = [0.8, -0.5, -0.3]
    refit = find_refit(*drawn(shifts, 1.4))
    assert refit.scale == pytest.approx(1.4, abs=0.06)
    assert refit.shifts == pytest.approx(shifts, abs=0.06)


def test_logits_that_fit_already_are_left_as_they_are():
    refit = find_refit(*drawn([0.0, 0.0, 0.0, 0.0], 1.0))
    assert refit.scale == pytest.approx(1, abs=0.05)
    assert refit.shifts == pytest.approx(np.zeros(4), abs=0.05)


def test_a_bias_towards_one_class_is_undone_and_accuracy_rises():
    logits, labels = drawn([0.0, 0.0, 0.0], 1.0)
    biased = logits + np.array([0, 0, 2.0], np.float32)
    refit = find_refit(biased, labels)
    before = (biased.argmax(axis=1) == labels).mean()
    after = ((refit.scale * biased + refit.shifts).argmax(axis=1) == labels).mean()
    assert after > before + 0.05


def test_folded_weights_give_the_refitted_logits():
    inputs = keras.Input((5,))
    model = keras.Model(inputs, keras.layers.Dense(3, name="logits")(inputs))
    pixels = np.random.default_rng(1).normal(size=(64, 5)).astype(np.float32)
    before = np.asarray(model(pixels))
    refit = find_refit(before, (np.arange(64) % 3).astype(np.int16))
    fold_refit(model, refit)
    assert np.asarray(model(pixels)) == pytest.approx(refit.scale * before + refit.shifts, abs=1e-5)


def test_logits_that_are_not_finite_are_refused():
    with pytest.raises(DataError, match="refit"), np.errstate(all="ignore"):
        find_refit(np.full((8, 3), np.nan, np.float32), np.zeros(8, np.int16))
