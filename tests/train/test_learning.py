"""The learning rate over a run."""

import keras
import numpy as np
import pytest

from train.learning import CosineRate, epoch_rate, make_optimizer
from train.recipe_tables import Schedule, Stage


def schedule(**changes) -> Schedule:
    return Schedule(**{"stages": (Stage(10),), "learning_rate": 0.1, **changes})


def rate(of: CosineRate, step: int) -> float:
    return float(keras.ops.convert_to_numpy(of(step)))


def test_a_cosine_rises_from_a_tenth_and_falls_to_nothing():
    cosine = CosineRate(schedule(warmup_epochs=2), steps=10)
    assert rate(cosine, 0) == pytest.approx(0.01)
    assert rate(cosine, 10) == pytest.approx(0.055)
    assert rate(cosine, 20) == pytest.approx(0.1)
    assert rate(cosine, 60) == pytest.approx(0.05)
    assert rate(cosine, 100) == pytest.approx(0, abs=1e-8)


def test_a_stage_multiplies_the_rate_also_for_an_optimizer_that_starts_with_it():
    staged = schedule(stages=(Stage(4), Stage(6, rate=0.1)))
    whole, plain = CosineRate(staged, steps=5), CosineRate(schedule(), steps=5)
    assert rate(whole, 19) == pytest.approx(rate(plain, 19))
    assert rate(whole, 20) == pytest.approx(rate(plain, 20) / 10)
    assert rate(CosineRate(staged, steps=5, first=20), 3) == pytest.approx(rate(whole, 23))


def rows(*accuracies: float) -> list[dict[str, float]]:
    return [{"chosen_accuracy": accuracy} for accuracy in accuracies]


def test_a_plateau_lowers_the_rate_after_its_patience_and_only_then():
    plan = schedule(decay="plateau", plateau_factor=0.5, plateau_patience=2)
    stage = plan.stages[0]
    assert epoch_rate(plan, stage, []) == pytest.approx(0.1)
    assert epoch_rate(plan, stage, rows(0.5, 0.5)) == pytest.approx(0.1)
    assert epoch_rate(plan, stage, rows(0.5, 0.5, 0.4)) == pytest.approx(0.05)
    assert epoch_rate(plan, stage, rows(0.5, 0.5, 0.4, 0.6, 0.6)) == pytest.approx(0.05)
    assert epoch_rate(plan, stage, rows(0.5, 0.5, 0.4, 0.4, 0.4)) == pytest.approx(0.025)


def test_weight_decay_shrinks_kernels_alone():
    kernel, bias = keras.Variable(np.ones(3), name="kernel"), keras.Variable(np.ones(3), name="bias")
    optimizer = make_optimizer(schedule(decay="constant", weight_decay=0.1, momentum=0.0), [kernel, bias], 1)
    optimizer.apply([np.zeros(3, np.float32)] * 2)
    assert np.asarray(kernel) == pytest.approx(0.99)
    assert np.asarray(bias) == pytest.approx(1)
