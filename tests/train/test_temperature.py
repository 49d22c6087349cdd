"""`python -m train calibrate`: one temperature, found, folded in and noted."""

import hashlib
import json
import shutil
from dataclasses import replace

import keras
import numpy as np
import pytest

from edge_runtime.facesets import open_faces, write_prepared
from edge_runtime.reliability import measure_reliability
from tests.train.made import tiny_faces
from train.cli import main
from train.errors import DataError, ModelError
from train.evaluate import load_model
from train.run_card import read_card
from train.temperature import find_temperature, fold_temperature, logits_of
from train.views import predict


def drawn(temperature, count=20_000, classes=4):
    """Logits, and labels drawn from softmax(logits / temperature)."""
    random = np.random.default_rng(3)
    logits = random.normal(0, 3, (count, classes)).astype(np.float32)
    return logits, (logits / temperature + random.gumbel(size=logits.shape)).argmax(axis=1).astype(np.int16)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_that_labels_were_drawn_with_is_found(temperature):
    assert find_temperature(*drawn(temperature)) == pytest.approx(temperature, rel=0.04)


def test_a_temperature_takes_most_of_the_calibration_error_away():
    logits, labels = drawn(2.5)

    def error(scaled):
        odds = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        return measure_reliability(odds / odds.sum(axis=1, keepdims=True), labels).expected_error

    assert error(logits / find_temperature(logits, labels)) < 0.2 * error(logits)


def test_labels_that_settle_no_temperature_are_refused():
    logits, _ = drawn(1.0, 50)
    with pytest.raises(DataError, match=r"100\.0 % of them answered rightly"):
        find_temperature(logits, logits.argmax(axis=1))
    with pytest.raises(DataError, match="settle no temperature"):
        find_temperature(logits, logits.argmin(axis=1))
    with pytest.raises(DataError, match="not numbers"):
        find_temperature(np.full((4, 3), np.nan), np.zeros(4, np.int16))


def test_folded_weights_give_the_divided_logits_and_the_same_decisions():
    inputs = keras.Input((5,))
    logits = keras.layers.Dense(3, name="logits", bias_initializer="normal")(inputs)
    model = keras.Model(inputs, keras.layers.Softmax(name="probabilities")(logits))
    rows = np.random.default_rng(1).normal(size=(200, 5)).astype(np.float32)
    before, decided = np.asarray(logits_of(model)(rows)), np.asarray(model(rows)).argmax(axis=1)
    fold_temperature(model, 1.7)
    assert np.asarray(logits_of(model)(rows)) == pytest.approx(before / 1.7, abs=1e-5)
    assert np.array_equal(np.asarray(model(rows)).argmax(axis=1), decided)


def test_a_model_that_does_not_end_in_logits_and_softmax_is_refused():
    inputs = keras.Input((5,))
    for outputs in (
        keras.layers.Dense(3, activation="softmax", name="logits")(inputs),
        keras.layers.Softmax()(keras.layers.ReLU()(keras.layers.Dense(3, name="logits")(inputs))),
        keras.layers.Softmax()(keras.layers.Dense(3, name="scores")(inputs)),
    ):
        with pytest.raises(ModelError, match="a dense layer 'logits' without an activation, and a softmax"):
            logits_of(keras.Model(inputs, outputs))


SURER = 0.4


def labelled_by(model, seed=1):
    """Faces with labels drawn from what `model` says of them: it is exactly as sure as it is right."""
    faces = tiny_faces(a_class=30, seed=seed)
    odds = np.asarray(predict(logits_of(model), faces.pixels))
    labels = (odds + np.random.default_rng(seed).gumbel(size=odds.shape)).argmax(axis=1)
    return replace(faces, labels=labels.astype(np.int16))


@pytest.fixture
def run(tiny_run, tmp_path):
    """A copy of the tiny run whose model is surer of itself than right, and faces that show it."""
    folder = tmp_path / "run"
    shutil.copytree(tiny_run.folder, folder, ignore=shutil.ignore_patterns("checkpoints"))
    model = load_model(folder / "model.keras")
    spread = predict(logits_of(model), tiny_faces().pixels).std(axis=1).mean()
    fold_temperature(model, float(spread) / 2)
    write_prepared(labelled_by(model), tmp_path / "faces.npz")
    write_prepared(labelled_by(model, seed=9), tmp_path / "others.npz")
    fold_temperature(model, SURER)
    model.save(folder / "model.keras")
    return folder


def calibrate(run, *options, data="faces.npz") -> int:
    return main(["calibrate", str(run), "--data", str(run.parent / data), *options])


def test_calibrate_keeps_every_decision_and_notes_what_it_did(run, capsys):
    faces = open_faces(run.parent / "faces.npz")
    before = predict(load_model(run / "model.keras"), faces.pixels)
    assert calibrate(run) == 0
    printed = capsys.readouterr().out
    after = predict(load_model(run / "model.keras"), faces.pixels)
    assert np.array_equal(before.argmax(axis=1), after.argmax(axis=1))
    table = read_card(run / "run.json")["calibration"]
    assert f"temperature {table['temperature']:.4f}" in printed
    assert table["temperature"] == pytest.approx(1 / SURER, rel=0.25)
    assert (table["split"], table["faces"]) == ("PublicTest", 210)
    assert table["model_sha256"] == hashlib.sha256((run / "model.keras").read_bytes()).hexdigest()
    for name in ("expected_calibration_error", "negative_log_likelihood"):
        assert table["after"][name] < table["before"][name]
    chosen = faces.split("PublicTest")
    reliability = measure_reliability(predict(load_model(run / "model.keras"), chosen.pixels), chosen.labels)
    assert table["after"]["expected_calibration_error"] == pytest.approx(reliability.expected_error, abs=1e-6)


def test_a_second_call_changes_nothing(run, capsys):
    assert calibrate(run) == 0
    before = (run / "model.keras").read_bytes(), (run / "run.json").read_bytes()
    capsys.readouterr()
    assert calibrate(run) == 0
    assert "nothing was changed" in capsys.readouterr().out
    assert ((run / "model.keras").read_bytes(), (run / "run.json").read_bytes()) == before


def test_temperatures_multiply_and_a_model_made_anew_begins_again(run):
    assert calibrate(run) == 0
    first = read_card(run / "run.json")["calibration"]["temperature"]
    assert calibrate(run, data="others.npz") == 0
    second = read_card(run / "run.json")["calibration"]["temperature"]
    assert second != first
    assert second == pytest.approx(1 / SURER, rel=0.25)
    model = load_model(run / "model.keras")
    fold_temperature(model, 0.5)
    model.save(run / "model.keras")  # not by calibrate, so the card's temperature is not this model's
    assert calibrate(run, data="others.npz") == 0
    assert read_card(run / "run.json")["calibration"]["temperature"] == pytest.approx(2, rel=0.01)


def test_a_disk_that_refuses_leaves_the_model_as_it_was(run, monkeypatch, capsys):
    before = (run / "model.keras").read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("train.temperature.write_json", full)
    assert calibrate(run) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert (run / "model.keras").read_bytes() == before
    assert not list(run.glob("*.partial*"))
    assert "calibration" not in json.loads((run / "run.json").read_text())


def test_the_faces_that_were_fitted_and_runs_without_a_card_are_refused(run, capsys):
    assert calibrate(run, "--split", "Training") == 2
    assert "which the model was fitted to" in capsys.readouterr().err
    (run / "run.json").unlink()
    assert calibrate(run) == 2
    assert "a finished run folder" in capsys.readouterr().err
