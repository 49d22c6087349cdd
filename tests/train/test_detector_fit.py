"""A detector learns, goes on where it was cut off, and leaves what was promised."""

import json
from dataclasses import replace

import cv2
import keras
import numpy as np
import pytest

from edge_runtime.framesets.judgement import judge
from tests.train.made import EAGERLY
from train.cli import main
from train.detection.fit import fit, held_out_scenes
from train.detection.fit_command import smoke_recipe
from train.detection.lessons import Lessons
from train.detection.recipe import DetectorSchedule, read_detector_recipe
from train.detection.saved import SavedDetector, carry_detector, load_detector
from train.detection.trainee import Trainee
from train.errors import CheckpointError, ModelError
from train.models.face_detector import build, with_scores
from train.models.face_detector_options import Options
from train.scenes.made_up import made_up_store
from train.scenes.options import SceneOptions
from train.scenes.source import composed
from train.scenes.store import HELD_OUT, TRAINING, write_store
from train.training_copy import training_copy

pytestmark = EAGERLY

FILES = {
    *("model.keras", "history.csv", "curves.png", "precision.png", "curve.json", "scenes.png", "found.png"),
    *("run.json", "checkpoints"),
}
TINY = Options(width=0.5, repeats=(1, 1, 1, 1), expansion=2, head=16)


class KilledError(Exception):
    """Stands for a power cut."""


@pytest.fixture(scope="module")
def recipe():
    short = smoke_recipe(read_detector_recipe("face_detector"))
    return replace(short, model=replace(short.model, options=TINY))


@pytest.fixture(scope="module")
def sources(recipe):
    store = made_up_store()
    return [composed(store, split, recipe.scenes, recipe.size, 1) for split in (TRAINING, HELD_OUT)]


def fit_in(folder, recipe, sources, report=lambda progress: None, say=lambda line: None, data="data"):
    judged = held_out_scenes(sources[1], recipe.judging.scenes)
    return fit(recipe, sources[0], judged, folder, report, say, data)


def test_a_killed_run_ends_as_an_unbroken_one_and_other_data_is_refused(tmp_path, recipe, sources):
    unbroken = fit_in(tmp_path / "whole", recipe, sources)

    def cut(progress) -> None:
        raise KilledError

    said: list[str] = []
    with pytest.raises(KilledError):
        fit_in(tmp_path / "cut", recipe, sources, cut)
    resumed = fit_in(tmp_path / "cut", recipe, sources, say=said.append)
    assert said == ["resumed after epoch 1 of 2"]
    assert [row["loss"] for row in resumed.history] == pytest.approx(
        [row["loss"] for row in unbroken.history], rel=1e-4
    )
    for ours, right in zip(resumed.model.get_weights(), unbroken.model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, right, rtol=1e-3, atol=1e-5)
    with pytest.raises(CheckpointError, match="another scenes"):
        fit_in(tmp_path / "cut", recipe, sources, data="other data")


@pytest.mark.usefixtures("in_graphs")
def test_a_few_scenes_learned_by_heart_are_found_again(recipe):
    """Assignment, loss and decoding must agree for this."""
    options = SceneOptions(
        empty=0, crowd=2, distractors=0, occlusion=0, blur=0, noise=0, jpeg=0, coarse=0, smallest_px=20
    )
    learn = replace(
        recipe,
        schedule=DetectorSchedule(epochs=1, scenes=480, batch=8, learning_rate=5e-3, warmup_epochs=0, weight_decay=0),
        scenes=options,
    )
    keras.utils.set_random_seed(1)
    source = composed(made_up_store(), TRAINING, options, learn.size, 1)
    scenes = [source.scene(1, 0, number) for number in range(8)]

    class Same:
        sha256 = ""

        def scene(self, *seed):
            return scenes[seed[-1] % 8]

    trainee = Trainee(learn, 60)
    before = judge(trainee.find(scenes), [scene.marks for scene in scenes]).average_precision
    loss = trainee.learn(Lessons(Same(), learn, 0, 60), 0)
    after = judge(trainee.find(scenes), [scene.marks for scene in scenes])
    assert before < 0.1
    assert loss < 4
    assert after.average_precision > 0.6


@pytest.mark.usefixtures("drawn_well")
def test_the_command_runs_a_trial_and_leaves_everything_promised(tmp_path, capsys):
    assert main(["fit", "--recipe", "face_detector", "--smoke", "--out", str(tmp_path / "run")]) == 0
    printed = capsys.readouterr().out
    assert "epoch 2/2" in printed
    assert "average precision" in printed
    assert {path.name for path in (tmp_path / "run").iterdir()} == FILES
    card = json.loads((tmp_path / "run" / "run.json").read_text())
    assert card["kind"] == "face_detector"
    assert card["recipe"]["sha256"].startswith("smoke-")
    assert card["model"]["strides"] == [8, 16, 32]
    assert load_detector(tmp_path / "run").input_shape == (None, 64, 96, 1)
    found = SavedDetector(tmp_path / "run").find(np.zeros((50, 300, 3), np.uint8))
    assert found.boxes.shape[1:] == (4,)
    store = made_up_store()
    write_store(store, tmp_path / "scenes.npz")
    mined = str(tmp_path / "hard.npz")
    mine = [
        "scenes",
        "mine",
        str(tmp_path / "scenes.npz"),
        "--detector",
        str(tmp_path / "run"),
        "--threshold",
        "0.0001",
    ]
    assert main([*mine, "--most", "7", "--out", mined]) == 0
    assert "7 places where it fired" in capsys.readouterr().out
    shown = str(tmp_path / "sheet.png")
    show = ["scenes", "show", str(tmp_path / "scenes.npz"), "--rows", "1", "--columns", "2", "--out", shown]
    assert main([*show, "--negatives", mined]) == 0
    assert "2 training scenes" in capsys.readouterr().out
    assert main(["scenes", "show", "--rows", "1", "--columns", "1", "--width", "100", "--out", shown]) == 0
    assert cv2.imread(shown).shape == (80, 100, 3)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["fit", "--recipe", "face_detector"], "fit without --data"),
        (["fit", "--recipe", "face_detector", "vgg", "--smoke"], "one alone"),
        (["fit", "--recipe", "face_detector", "--smoke", "--votes", "votes.csv"], "leave --votes out"),
        (["fit", "--recipe", "face_detector", "--data", "none.npz"], "No such file"),
        (["fit", "--recipe", "vgg", "--smoke", "--negatives", "hard.npz"], "leave --negatives out"),
        (["crossvalidate", "--recipe", "face_detector", "--smoke", "--out", "x"], "of kind 'face_detector'"),
        (["scenes", "show", "none.npz", "--out", "sheet.jpg"], "ends in .png"),
        (
            ["scenes", "prepare", "--faces", "none", "--backgrounds", ".", "--teacher", "no.onnx", "--out", "x.npz"],
            "none, which is no folder",
        ),
        (
            ["scenes", "prepare", "--faces", ".", "--backgrounds", ".", "--teacher", "no.onnx", "--out", "x.npz"],
            "no file",
        ),
    ],
)
def test_the_wrong_things_are_one_clear_line(tmp_path, monkeypatch, capsys, arguments, reason):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert reason in said


def test_a_next_round_begins_with_the_net_of_the_round_before(tmp_path):
    """Its net is the one that learns, which normalizes by another kernel; the saved one has scores behind its logits."""
    keras.utils.set_random_seed(7)
    before = build(TINY, (96, 64), 1)
    random = np.random.default_rng(7)
    before.set_weights([random.uniform(0.1, 0.5, weight.shape) for weight in before.get_weights()])
    saved = with_scores(before)
    saved.save(tmp_path / "model.keras")
    net = training_copy(build(TINY, (128, 96), 1))
    assert carry_detector(net, str(tmp_path)).endswith(f"carried over from {tmp_path}")
    for layer in before.layers:
        for ours, right in zip(net.get_layer(layer.name).get_weights(), layer.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, right)
    for options, channels, reason in (
        (replace(TINY, head=24), 1, r"layer 'side32' with weights \[\(1, 1, 56, 8\)\]"),
        (replace(TINY, repeats=(1, 2, 1, 1)), 1, "weights no such layer"),
        (TINY, 3, "layer 'stem' with weights"),
    ):
        with pytest.raises(ModelError, match=reason):
            carry_detector(build(options, (96, 64), channels), str(tmp_path))


def test_weights_of_another_net_are_refused(tmp_path, recipe, sources):
    keras.Sequential([keras.Input((8,)), keras.layers.Dense(2)]).save(tmp_path / "other.keras")
    changed = replace(recipe, model=replace(recipe.model, weights=str(tmp_path / "other.keras")))
    with pytest.raises(ModelError, match="as a detector has"):
        fit_in(tmp_path / "run", changed, sources)
