"""The batches of an epoch."""

from dataclasses import replace

import numpy as np
import pytest

from edge_runtime.facesets import FaceSet
from tests.train.made import tiny, tiny_faces
from train.batches import Batches, Lessons
from train.recipe import Recipe


@pytest.fixture(scope="module")
def recipe(tmp_path_factory) -> Recipe:
    return tiny(tmp_path_factory.mktemp("recipe"), batch="4")


@pytest.fixture(scope="module")
def faces() -> FaceSet:
    """Forty faces whose pixels are their number, thirty-six of them of one class."""
    some = tiny_faces().where(np.arange(40))
    labels = np.zeros(40, np.int16)
    labels[:4] = 1
    pixels = np.broadcast_to(np.arange(40, dtype=np.uint8)[:, None, None], some.pixels.shape).copy()
    return replace(some, pixels=pixels, labels=labels)


def numbers(faces: FaceSet, recipe: Recipe, epoch: int = 0) -> list[int]:
    batches = Batches(Lessons.of(faces, recipe), recipe, epoch)
    return [int(face) for index in range(len(batches)) for face in batches[index][0][:, 0, 0, 0]]


def test_every_face_comes_once_an_epoch_in_an_order_that_follows_from_seed_and_epoch(recipe, faces):
    assert sorted(numbers(faces, recipe)) == list(range(40))
    assert numbers(faces, recipe, 3) == numbers(faces, recipe, 3)
    assert numbers(faces, recipe, 3) != numbers(faces, recipe, 4)
    assert numbers(faces, recipe, 3) != numbers(faces, replace(recipe, seed=99), 3)


def test_balanced_sampling_shows_a_rare_class_as_often_as_a_common_one(recipe, faces):
    balanced = replace(recipe, schedule=replace(recipe.schedule, sampling="balanced"))
    seen = [number for epoch in range(20) for number in numbers(faces, balanced, epoch)]
    assert np.mean([number < 4 for number in seen]) == pytest.approx(0.5, abs=0.06)


def test_balanced_weights_let_each_class_count_alike(recipe, faces):
    lessons = Lessons.of(faces, replace(recipe, targets=replace(recipe.targets, class_weights="balanced")))
    assert lessons.weights[:4].sum() == pytest.approx(lessons.weights[4:].sum())
    assert lessons.weights.mean() == pytest.approx(1)
    assert Lessons.of(faces, recipe).weights.tolist() == [1] * 40


def test_mixup_mixes_pixels_and_targets_by_the_same_share(recipe, faces):
    mixing = replace(recipe, augment=replace(recipe.augment, mixup=1.0))
    dark_or_bright = replace(
        faces, pixels=np.where(faces.labels[:, None, None] == 1, 200, 0).repeat(24, 1).repeat(24, 2).astype(np.uint8)
    )
    batches = Batches(Lessons.of(dark_or_bright, mixing), mixing, 0)
    shares = []
    for index in range(len(batches)):
        pixels, targets, _ = batches[index]
        assert pixels[:, 0, 0, 0] / 200 == pytest.approx(targets[:, 1], abs=0.005)
        assert targets.sum(axis=1) == pytest.approx(1)
        shares += targets[:, 1].tolist()
    assert any(0.05 < share < 0.95 for share in shares)


def test_probability_targets_are_drawn_anew_each_epoch_from_the_votes(recipe, faces):
    votes = np.zeros((40, 10), np.uint8)
    votes[:, 0], votes[:, 1] = 7, 3  # neutral and happiness
    voted = replace(faces, votes=votes)
    drawing = replace(recipe, targets=replace(recipe.targets, kind="probability"))
    lessons = Lessons.of(voted, drawing)
    epochs = np.stack([Batches(lessons, drawing, epoch).targets for epoch in range(30)])
    assert set(np.unique(epochs)) == {0.0, 1.0}
    happy = faces.label_set.index("happy")
    assert epochs[..., happy].mean() == pytest.approx(0.3, abs=0.05)
    assert 0 < epochs[:, 0, happy].mean() < 1
