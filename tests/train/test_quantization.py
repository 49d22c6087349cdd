"""Fine-tuning under int8's rounding: a model that gets better as int8, and what a run of it leaves."""

import json
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from edge_runtime.facesets import FaceSet, write_prepared
from tests.train.made import TINY, tiny, tiny_faces
from train.batches import Batches, Lessons
from train.cli import main
from train.errors import RecipeError
from train.evaluate import load_model
from train.fit import Fitted, fit
from train.quantization import fake_quantized
from train.recipe import Recipe, read_recipe
from train.recipe_tables import Quantization
from train.trainee import Trainee
from train.views import predict

FACTOR = 50.0
"""By how much one channel is larger than the others, which are then left with some five of its 256 values."""


@pytest.fixture(scope="module")
def faces() -> FaceSet:
    return tiny_faces(a_class=16)


def small(folder: Path, **changes: str) -> Recipe:
    """A net with batch normalization and a pooled head, which learns the made-up faces in seconds; no distortions."""
    distortions = ("rotation_deg", "scale", "shift", "brightness", "contrast", "erase", "weight_decay")
    plain = {**dict.fromkeys(distortions, "0"), "flip": "false", "optimizer": '"adam"', "architecture": '"vgg"'}
    options = '{ filters = [8, 16, 16], head = "pool", convolutions = 1, dropout = 0.0 }'
    return tiny(folder, options=options, **{**plain, **changes})


def rounding(recipe: Recipe, weights: Path | str = "none") -> Recipe:
    return replace(recipe, quantization=Quantization("int8"), model=replace(recipe.model, weights=str(weights)))


def fit_in(folder: Path, recipe: Recipe, faces: FaceSet, report=lambda progress: None) -> Fitted:
    return fit(recipe, faces.split("Training"), faces.split("PublicTest"), folder, report, lambda line: None)


def accuracy(model: keras.Model, faces: FaceSet) -> float:
    return float((predict(model, faces.pixels).argmax(axis=1) == faces.labels).mean())


@pytest.fixture(scope="module")
def ruined(tmp_path_factory, faces) -> Path:
    """A trained model whose answers are the same in float, but of which rounding leaves little: one channel is large."""
    folder = tmp_path_factory.mktemp("ruined")
    model = fit_in(folder / "float", small(folder, stages="[{ epochs = 15 }]", learning_rate="0.01"), faces).model
    norm, after = model.get_layer("block0_0_norm"), model.get_layer("block1_0")
    gamma, beta, *averages = norm.get_weights()
    (kernel,) = after.get_weights()
    gamma[0], beta[0], kernel[:, :, 0] = FACTOR * gamma[0], FACTOR * beta[0], kernel[:, :, 0] / FACTOR
    norm.set_weights([gamma, beta, *averages])
    after.set_weights([kernel])
    model.save(folder / "model.keras")
    return folder / "model.keras"


def test_fine_tuning_mends_a_model_that_rounding_ruins_and_its_best_epoch_is_chosen_as_rounded(tmp_path, faces, ruined):
    choosing, before = faces.split("PublicTest"), load_model(ruined)
    was = accuracy(fake_quantized(before), choosing)
    assert accuracy(before, choosing) > was + 0.2
    recipe = rounding(small(tmp_path, stages="[{ epochs = 8 }]", learning_rate="0.001"), ruined)
    fitted = fit_in(tmp_path / "run", recipe, faces)
    now = accuracy(fake_quantized(fitted.model), choosing)
    assert now > was + 0.15
    assert now == pytest.approx(fitted.history[fitted.best_epoch - 1]["chosen_accuracy"])


def test_the_averages_of_batch_normalization_stay_and_all_else_learns(tmp_path, faces):
    recipe = rounding(small(tmp_path))
    trainee = Trainee(recipe, 7, 3)
    before = {weight.path: weight.numpy() for weight in trainee.logits.weights}
    trainee.begin(0, [])
    batches = Batches(Lessons.of(faces.split("Training"), recipe), recipe, 0)
    trainee.learn(batches, 0)
    with trainee.averaged(batches):
        pass
    stayed = {weight.name for weight in trainee.logits.weights if np.array_equal(before[weight.path], weight.numpy())}
    assert stayed == {"moving_mean", "moving_variance"}


class KilledError(Exception):
    """Stands for a power cut."""


def test_a_killed_fine_tuning_ends_like_an_unbroken_one(tmp_path, faces):
    recipe = rounding(small(tmp_path, stages="[{ epochs = 2 }]"))

    def cut(progress) -> None:
        raise KilledError

    with pytest.raises(KilledError):
        fit_in(tmp_path / "cut", recipe, faces, cut)
    again, whole = fit_in(tmp_path / "cut", recipe, faces), fit_in(tmp_path / "whole", recipe, faces)
    assert [row["loss"] for row in again.history] == pytest.approx([row["loss"] for row in whole.history], rel=1e-5)
    for found, expected in zip(again.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_the_command_leaves_a_plain_model_and_a_card_that_says_how_it_was_chosen(tmp_path, faces, capsys, ruined):
    write_prepared(faces, tmp_path / "faces.npz")
    small(tmp_path, stages="[{ epochs = 1 }]")
    path = tmp_path / "tiny.toml"
    path.write_text(path.read_text() + '\n[targets]\nrefit = true\n\n[quantization]\nkind = "int8"\n')
    words = ["fit", "--recipe", path, "--data", tmp_path / "faces.npz", "--out", tmp_path / "run", "--weights", ruined]
    assert main([*map(str, words)]) == 0
    model = load_model(tmp_path / "run" / "model.keras")
    assert {type(layer).__module__.partition(".")[0] for layer in model.layers} == {"keras"}
    rounded = accuracy(fake_quantized(model), faces.split("PublicTest"))
    card = json.loads((tmp_path / "run" / "run.json").read_text())
    assert card["model"]["quantization"] == "int8"
    assert card["result"]["rounded_accuracy"] == pytest.approx(rounded)
    assert f"with int8's rounding, as which the best epoch was chosen: {100 * rounded:.2f} %" in capsys.readouterr().out
    page = (tmp_path / "run" / "run.html").read_text()
    assert f"{100 * rounded:.1f} %" in page
    assert "judged on PublicTest, with int8’s rounding" in page


@pytest.mark.parametrize(
    ("table", "precision", "message"),
    [
        ("bits = 8", "float32", r"quantization.bits is no known key; expected one of kind"),
        ('kind = "int4"', "float32", "kind 'int4', but only none, int8 are known"),
        ('kind = "int8"', "bfloat16", "quantization with precision 'bfloat16'.*set model.precision = \"float32\""),
    ],
)
def test_a_wrong_quantization_is_answered_with_the_right_ones(tmp_path, table, precision, message):
    text = TINY.replace('"simple_cnn"', f'"simple_cnn"\nprecision = "{precision}"')
    (tmp_path / "tiny.toml").write_text(f"{text}\n[quantization]\n{table}\n")
    with pytest.raises(RecipeError, match=message):
        read_recipe(str(tmp_path / "tiny.toml"))


def test_a_start_from_nothing_is_said(tmp_path, faces):
    said = []
    recipe = rounding(small(tmp_path, stages="[{ epochs = 1 }]"))
    fit(
        recipe, faces.split("Training"), faces.split("PublicTest"), tmp_path / "run", lambda progress: None, said.append
    )
    assert any("give it a finished run with --weights" in line for line in said)
