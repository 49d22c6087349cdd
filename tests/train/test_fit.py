"""Fitting: runs that are broken off, damaged, diverge, or get the wrong things."""

import json
import resource
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
import pytest

from edge_runtime.facesets import FaceSet
from tests.train.made import EAGERLY, pooled, tiny
from train.errors import CheckpointError, DataError, RecipeError
from train.evaluate import load_model, predict
from train.fit import Fitted, fit
from train.progress import Progress
from train.recipe import Recipe
from train.recipe_tables import Targets
from train.trainee import Trainee

pytestmark = EAGERLY

TIMES = ("seconds",)


class KilledError(Exception):
    """Stands for a power cut: nothing in the product catches it."""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory) -> Recipe:
    return tiny(tmp_path_factory.mktemp("recipe"))


def fit_in(folder, recipe, faces, report=lambda progress: None, say=lambda line: None) -> Fitted:
    return fit(recipe, faces.split("Training"), faces.split("PublicTest"), folder, report, say)


def without_times(history):
    return [{key: value for key, value in row.items() if key not in TIMES} for row in history]


@dataclass(frozen=True)
class Run:
    folder: Path
    fitted: Fitted
    seen: list[Progress]

    def copy(self, to: Path) -> Path:
        return Path(shutil.copytree(self.folder, to / "copy"))


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory, recipe, faces) -> Run:
    folder, seen = tmp_path_factory.mktemp("unbroken"), []
    return Run(folder, fit_in(folder, recipe, faces, seen.append), seen)


@pytest.fixture(scope="module")
def killed(tmp_path_factory, recipe, faces) -> Path:
    """The folder of a run that was cut off after its second epoch of three."""
    folder = tmp_path_factory.mktemp("killed")

    def cut(progress: Progress) -> None:
        if progress.epoch == 2:
            raise KilledError

    with pytest.raises(KilledError):
        fit_in(folder, recipe, faces, cut)
    return folder


def check_same(fitted: Fitted, unbroken: Run) -> None:
    """Dropout and every augmentation are on, so this holds only if their random states are kept too."""
    expected = unbroken.fitted
    for row, right in zip(without_times(fitted.history), without_times(expected.history), strict=True):
        assert row == pytest.approx(right, rel=1e-5)
    assert fitted.best_epoch == expected.best_epoch
    for weights, right in zip(fitted.model.get_weights(), expected.model.get_weights(), strict=True):
        np.testing.assert_allclose(weights, right, rtol=1e-4, atol=1e-6)


def test_a_killed_run_ends_with_the_history_and_weights_of_an_unbroken_one(tmp_path, recipe, faces, unbroken, killed):
    folder, said, seen = shutil.copytree(killed, tmp_path / "run"), [], []
    (folder / "checkpoints" / "epoch-0003.partial").write_bytes(b"cut off while it was written")
    fitted = fit_in(folder, recipe, faces, seen.append, said.append)
    assert said == ["resumed after epoch 2 of 3"]
    assert [progress.epoch for progress in seen] == [3]
    check_same(fitted, unbroken)


def test_a_damaged_newest_checkpoint_is_said_and_the_one_before_goes_on(tmp_path, recipe, faces, unbroken, killed):
    folder, said = shutil.copytree(killed, tmp_path / "run"), []
    newest = folder / "checkpoints" / "epoch-0002.npz"
    newest.write_bytes(newest.read_bytes()[:-100])
    fitted = fit_in(folder, recipe, faces, say=said.append)
    assert "epoch-0002.npz is damaged" in said[0]
    assert said[1] == "resumed after epoch 1 of 3"
    check_same(fitted, unbroken)


def test_a_full_disk_stops_the_run_and_leaves_the_checkpoints_before_it(tmp_path, recipe, faces, killed):
    folder = shutil.copytree(killed, tmp_path / "run")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(CheckpointError, match=r"epoch-0003\.npz.*goes on from the last good checkpoint"):
            fit_in(folder, recipe, faces)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    kept = {path.name: path.read_bytes() for path in (folder / "checkpoints").iterdir()}
    assert kept == {path.name: path.read_bytes() for path in (killed / "checkpoints").iterdir()}


def test_a_finished_run_trains_no_more_and_gives_the_same_model(tmp_path, recipe, faces, unbroken):
    said, seen = [], []
    again = fit_in(unbroken.copy(tmp_path), recipe, faces, seen.append, said.append)
    assert (said, seen) == ([], [])
    assert again.history == unbroken.fitted.history
    for weights, expected in zip(again.model.get_weights(), unbroken.fitted.model.get_weights(), strict=True):
        assert np.array_equal(weights, expected)


@dataclass(frozen=True)
class SecondBest:
    """A run in bfloat16 whose second epoch of three was told to be the best, and the weights after each epoch."""

    fitted: Fitted
    weights: list[list[np.ndarray]]


@pytest.fixture(scope="module")
def second_best(tmp_path_factory, recipe, faces) -> SecondBest:
    accuracies, weights = iter((0.2, 0.5, 0.1)), []

    def accuracy(trainee: Trainee, _: FaceSet) -> float:
        weights.append(trainee.weights())
        return next(accuracies)

    changed = replace(recipe, model=replace(recipe.model, precision="bfloat16"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainee, "accuracy", accuracy)
        return SecondBest(fit_in(tmp_path_factory.mktemp("second_best"), changed, faces), weights)


def test_the_model_has_the_weights_of_the_best_epoch_and_not_of_the_last(second_best):
    assert second_best.fitted.best_epoch == 2
    for found, best, last in zip(second_best.fitted.model.get_weights(), *second_best.weights[1:], strict=True):
        assert np.array_equal(found, best)
        assert not np.array_equal(best, last)


def test_the_best_epochs_accuracy_is_that_of_the_model(unbroken, faces):
    choosing, fitted = faces.split("PublicTest"), unbroken.fitted
    accuracy = (predict(fitted.model, choosing.pixels).argmax(axis=1) == choosing.labels).mean()
    assert accuracy == pytest.approx(fitted.history[fitted.best_epoch - 1]["chosen_accuracy"])


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_saved_model_gives_the_same_probabilities_in_float32(tmp_path, faces, unbroken, second_best, precision):
    model = (unbroken if precision == "float32" else second_best).fitted.model
    model.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    pixels = faces.split("PublicTest").pixels
    probabilities = predict(loaded, pixels)
    assert np.array_equal(probabilities, predict(model, pixels))
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(len(pixels)), abs=1e-6)
    assert {layer.compute_dtype for layer in loaded.layers} == {"float32"}
    assert {weight.dtype for weight in loaded.weights} == {"float32"}
    assert keras.config.dtype_policy().name == "float32"


def test_checkpoints_of_another_recipe_data_or_targets_are_refused(tmp_path, recipe, faces, unbroken):
    folder = unbroken.copy(tmp_path)
    with pytest.raises(CheckpointError, match=r"checkpoints of another recipe .*name a new run folder"):
        fit_in(folder, replace(recipe, sha256="another"), faces)
    with pytest.raises(CheckpointError, match="checkpoints of another training data"):
        fit_in(folder, recipe, replace(faces, pixels=255 - faces.pixels))
    with pytest.raises(CheckpointError, match="checkpoints of another targets"):
        fit_in(folder, replace(recipe, targets=Targets("mixed")), faces)


def test_a_checkpoint_without_the_hash_of_its_targets_is_taken(tmp_path, recipe, faces, unbroken):
    folder = unbroken.copy(tmp_path)
    for path in (folder / "checkpoints").iterdir():
        with np.load(path) as archive:
            members = dict(archive)
        facts = json.loads(str(members["facts"]))
        del facts["targets"]
        members["facts"] = np.array(json.dumps(facts))
        np.savez(path, **members)
    check_same(fit_in(folder, recipe, faces), unbroken)


def test_faces_that_cannot_be_fitted_are_refused_before_anything_is_written(tmp_path, recipe, faces):
    training, choosing = faces.split("Training"), faces.split("PublicTest")

    def refused(training: FaceSet, choosing: FaceSet, message: str) -> None:
        with pytest.raises(DataError, match=message):
            fit(recipe, training, choosing, tmp_path / "run", lambda progress: None, lambda line: None)

    unlabelled = replace(choosing, labels=np.full(len(choosing), -1, np.int16))
    refused(
        training.where(training.labels != 1), choosing, "no training faces for disgust; expected faces of each class"
    )
    refused(training.where(np.arange(15)), choosing, "15 training faces with a label; expected at least 16")
    refused(training, unlabelled, "0 choosing faces with a label")
    refused(replace(training, pixels=training.pixels[:, :20, :20]), choosing, "training faces of 20 × 20 px.*--size")
    refused(
        training, replace(choosing, pixels=choosing.pixels[..., None].repeat(3, -1)), "choosing faces.*with 3 channels"
    )
    assert not (tmp_path / "run").exists()


def test_progress_counts_epochs_pictures_and_the_time_left(unbroken):
    seen = unbroken.seen
    assert [(progress.epoch, progress.epochs) for progress in seen] == [(1, 3), (2, 3), (3, 3)]
    assert seen[-1].remaining_s == 0
    assert all(progress.remaining_s > 0 for progress in seen[:-1])
    assert all(progress.images_per_s > 0 for progress in seen)


@pytest.mark.usefixtures("in_graphs")
def test_an_unbroken_run_and_one_killed_between_its_stages_end_alike(tmp_path, faces):
    """A frozen stage, then another with its own optimizer, view and rate, and averaged weights."""
    stages = '[{ epochs = 1, frozen_to = "dense" }, { epochs = 2, rate = 0.1 }]'
    recipe = tiny(tmp_path, stages=stages)
    recipe = replace(recipe, schedule=replace(recipe.schedule, ema=0.9))

    def cut(progress: Progress) -> None:
        if progress.epoch == 1:
            raise KilledError

    whole = Run(tmp_path, fit_in(tmp_path / "whole", recipe, faces), [])
    with pytest.raises(KilledError):
        fit_in(tmp_path / "cut", recipe, faces, cut)
    check_same(fit_in(tmp_path / "cut", recipe, faces), whole)


def test_a_layer_that_does_not_exist_is_answered_with_those_that_do(tmp_path, faces):
    recipe = tiny(tmp_path, stages='[{ epochs = 1, frozen_to = "dens" }]')
    with pytest.raises(RecipeError, match=r"frozen_to = 'dens'; expected a layer of .*dense, "):
        fit_in(tmp_path / "run", recipe, faces)


def test_epochs_at_a_smaller_view_are_never_the_best(tmp_path, faces):
    recipe = pooled(tmp_path, '[{ epochs = 2, size = 16, view = "resize" }, { epochs = 1 }]')
    fitted = fit_in(tmp_path / "run", recipe, faces)
    assert [row["whole"] for row in fitted.history] == [False, False, True]
    assert fitted.best_epoch == 3


def test_a_net_of_the_middle_is_saved_with_its_crop(tmp_path, faces):
    recipe = pooled(tmp_path, "[{ epochs = 1 }]")
    recipe = replace(recipe, model=replace(recipe.model, crop=16))
    fitted = fit_in(tmp_path / "run", recipe, faces)
    assert fitted.model.input_shape == (None, 24, 24, 1)
    pixels = faces.split("PublicTest").pixels.copy()
    answers = predict(fitted.model, pixels)
    pixels[:, :4] = pixels[:, 20:] = pixels[:, :, :4] = pixels[:, :, 20:] = 0
    assert np.array_equal(answers, predict(fitted.model, pixels))
    pixels[:, 10] = 0
    assert not np.array_equal(answers, predict(fitted.model, pixels))
