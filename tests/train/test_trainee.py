"""A net while it learns: what a stage freezes, and the average of its weights."""

from dataclasses import replace

import numpy as np

from tests.train.made import EAGERLY, pooled, tiny
from train.batches import Batches, Lessons
from train.recipe_tables import Stage
from train.trainee import Trainee

pytestmark = EAGERLY


def test_frozen_layers_keep_their_weights_and_the_others_learn(tmp_path, faces):
    recipe = tiny(tmp_path)
    trainee = Trainee(replace(recipe, schedule=replace(recipe.schedule, stages=(Stage(2, frozen_to="dense"),))), 7, 2)
    before = {weight.path: weight.numpy() for weight in trainee.logits.weights}
    trainee.begin(0, [])
    trainee.learn(Batches(Lessons.of(faces.split("Training"), recipe), recipe, 0), 0)
    changed = {
        path.split("/")[-2] for path, weight in before.items() if not np.array_equal(weight, by_path(trainee, path))
    }
    assert changed == {"dense", "logits"}


def by_path(trainee: Trainee, path: str) -> np.ndarray:
    return next(weight for weight in trainee.logits.weights if weight.path == path).numpy()


def test_averaged_weights_are_chosen_and_the_run_goes_on_from_its_own(tmp_path, faces):
    recipe = pooled(tmp_path, "[{ epochs = 1 }]")
    recipe = replace(recipe, schedule=replace(recipe.schedule, ema=0.9))
    trainee = Trainee(recipe, 7, 3)
    batches = Batches(Lessons.of(faces.split("Training"), recipe), recipe, 0)
    trainee.begin(0, [])
    trainee.learn(batches, 0)
    own = trainee.weights()
    with trainee.averaged(batches):
        averaged = trainee.weights()
    assert not np.allclose(averaged[0], own[0])  # a kernel
    assert not np.allclose(averaged[3], own[3])  # a batch mean, gathered anew
    for now, before in zip(trainee.weights(), own, strict=True):
        assert np.array_equal(now, before)
