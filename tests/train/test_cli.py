"""The command `python -m train`, as a person meets it."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.facesets import write_prepared
from tests.support import ROOT
from tests.train.made import EAGERLY, FILES, tiny_faces, toml
from train.checkpoint import Checkpoints
from train.cli import main
from train.evaluate import load_model
from train.recipe import RECIPES, recipe_table

pytestmark = EAGERLY


def plain_environment() -> dict[str, str]:
    """The environment with nothing set that would quieten TensorFlow."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TF_")}


def train(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs the command in a process of its own."""
    command = [sys.executable, "-m", "train", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env=plain_environment(), timeout=120, check=False
    )


def line_of(capsys, *arguments: object) -> str:
    """The one line on stderr of a command that was used wrongly."""
    assert main([*map(str, arguments)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("train: ")
    return captured.err


def test_a_run_leaves_everything_that_was_promised(tiny_run):
    assert tiny_run.code == 0
    assert {path.name for path in tiny_run.folder.iterdir()} == FILES
    assert (tiny_run.folder / "recipe.toml").read_bytes() == tiny_run.recipe.read_bytes()
    card = json.loads((tiny_run.folder / "run.json").read_text())
    assert card["result"]["epochs"] == 2
    assert card["result"]["steps_per_epoch"] is None
    report = json.loads((tiny_run.folder / "classification_report.json").read_text())
    assert report["accuracy"] == card["result"]["accuracy"]


def test_a_finished_run_says_so_and_writes_only_its_reports_again(tiny_run, capsys):
    model = tiny_run.folder / "model.keras"
    before = model.read_bytes(), model.stat().st_mtime_ns, (tiny_run.folder / "run.json").read_bytes()
    (tiny_run.folder / "curves.png").unlink()
    assert main(tiny_run.command()) == 0
    captured = capsys.readouterr()
    assert "all 2 epochs are done; only its reports are written again" in captured.err
    assert "epoch 1/2" not in captured.out
    assert (model.read_bytes(), model.stat().st_mtime_ns, (tiny_run.folder / "run.json").read_bytes()) == before
    assert {path.name for path in tiny_run.folder.iterdir()} == FILES


def test_a_model_lost_after_the_last_epoch_is_made_from_the_checkpoint(tiny_run, tmp_path):
    model = tiny_run.folder / "model.keras"
    model.rename(tmp_path / "model.keras")
    assert main(tiny_run.command()) == 0
    for weights, expected in zip(
        load_model(model).get_weights(), load_model(tmp_path / "model.keras").get_weights(), strict=True
    ):
        assert np.array_equal(weights, expected)


def test_ctrl_c_leaves_with_130_says_how_to_go_on_and_the_terminal_is_clean(tmp_path):
    write_prepared(tiny_faces(), tmp_path / "faces.npz")
    recipe, run = toml(tmp_path / "tiny.toml", stages="[{ epochs = 300 }]"), tmp_path / "run"
    # A test run that was started in the background ignores Ctrl-C, and so would every child of it.
    listen = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    start = [sys.executable, "-c", f"{listen} from train.cli import main; sys.exit(main(sys.argv[1:]))"]
    command = [*start, "fit", "--recipe", recipe, "--data", tmp_path / "faces.npz", "--out", run]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=plain_environment(),
    ) as process:
        for line in process.stdout:
            if line.startswith("epoch   2/300"):
                process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert process.returncode == 130
    assert re.fullmatch(
        r"\ninterrupted: \d+ of 300 epochs are kept in .*/run; the same command goes on from there\n", said
    )
    assert sorted((run / "checkpoints").glob("*.npz"))
    assert (run / "recipe.toml").read_bytes() == recipe.read_bytes()


def test_a_loss_that_is_no_number_exits_1_with_one_line_and_keeps_the_last_good_checkpoint(tmp_path, capfd):
    write_prepared(tiny_faces(), tmp_path / "faces.npz")
    # A first epoch of one harmless step, and then steps that carry the weights out of the range of floats.
    recipe = toml(tmp_path / "tiny.toml", learning_rate="1e30", warmup_epochs="2", batch="56")
    run = tmp_path / "run"
    assert main(["fit", "--recipe", str(recipe), "--data", str(tmp_path / "faces.npz"), "--out", str(run)]) == 1
    said = capfd.readouterr().err
    assert re.fullmatch(r"train: loss (nan|inf) in epoch [23]; .*lower schedule.learning_rate.*\n", said)
    assert Checkpoints(run / "checkpoints", pytest.fail).newest().facts["history"][-1]["loss"] < 1e9
    assert not (run / "model.keras").exists()


def test_the_wrong_things_are_one_clear_line(tiny_run, tmp_path, capsys):
    recipe, data, out = tiny_run.recipe, tiny_run.data, tmp_path / "run"
    (tmp_path / "notes.txt").write_text("hello\n")

    def fit(*options: object) -> str:
        return line_of(capsys, "fit", "--out", out, *options)

    assert (
        f"recipe 'nope': No such file or directory; expected one of {', '.join(sorted(path.stem for path in RECIPES.glob('*.toml')))}"
        in fit("--recipe", "nope", "--data", data)
    )
    assert "fit without --data" in fit("--recipe", recipe)
    assert "none.csv: No such file" in fit("--recipe", recipe, "--data", tmp_path / "none.csv")
    assert "begins with 'hello'" in fit("--recipe", recipe, "--data", tmp_path / "notes.txt")
    assert "one of PublicTest, Training" in fit("--recipe", recipe, "--data", data, "--train-split", "train")
    assert "both 'Training'" in fit("--recipe", recipe, "--data", data, "--choose-split", "Training")
    assert "whose row numbers" in fit("--recipe", recipe, "--data", data, "--votes", tmp_path / "notes.txt")
    assert not out.exists()
    (tmp_path / "file").touch()
    assert "File exists" in line_of(capsys, "fit", "--recipe", recipe, "--data", data, "--out", tmp_path / "file")


def test_a_recipe_that_mixes_votes_asks_for_them_before_training(tmp_path, capsys):
    from dataclasses import replace

    write_prepared(replace(tiny_faces(), votes=None), tmp_path / "faces.npz")
    path = toml(tmp_path / "tiny.toml")
    path.write_text(path.read_text() + '[targets]\nkind = "mixed"\n')
    said = line_of(capsys, "fit", "--recipe", path, "--data", tmp_path / "faces.npz", "--out", tmp_path / "run")
    assert "name them: --votes fer2013new.csv" in said


def test_a_changed_recipe_does_not_go_on_with_the_old_run(tiny_run, tmp_path, capsys):
    recipe = toml(tmp_path / "tiny.toml", learning_rate="0.03")
    kept = (tiny_run.folder / "recipe.toml").read_bytes()
    assert main(["fit", "--recipe", str(recipe), "--data", str(tiny_run.data), "--out", str(tiny_run.folder)]) == 2
    assert "checkpoints of another recipe" in capsys.readouterr().err
    assert (tiny_run.folder / "recipe.toml").read_bytes() == kept


def test_list_names_every_recipe_with_its_target_and_the_terminal_is_clean():
    done = train("list")
    assert done.returncode == 0
    assert done.stderr == ""
    for path in RECIPES.glob("*.toml"):
        assert path.stem in done.stdout
        assert str(recipe_table(path.stem)["target"]) in done.stdout


@pytest.mark.parametrize(
    "arguments", [["--help"], ["fit", "--help"], ["evaluate", "--help"], ["fit"], ["nonsense"], []]
)
def test_help_and_wrong_use_wait_for_no_framework(arguments):
    probe = (
        "import sys\nfrom train.cli import main\n"
        f"try: main({arguments!r})\nexcept SystemExit as stop: code = stop.code\n"
        "heavy = {'keras', 'tensorflow', 'matplotlib', 'sklearn'} & set(sys.modules)\n"
        "assert not heavy, heavy\nraise SystemExit(code)"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == (0 if "--help" in arguments else 2), done.stderr
    assert "usage: python -m train" in done.stdout + done.stderr


def test_a_missing_framework_names_the_extras(monkeypatch, capsys):
    def missing(_: str) -> None:
        raise ModuleNotFoundError("No module named 'keras'", name="keras")

    monkeypatch.setattr("edge_runtime.running.importlib.import_module", missing)
    assert main(["list"]) == 2
    assert "pip install -e .[train]" in capsys.readouterr().err


def test_a_mistake_of_our_own_is_not_hidden_as_a_missing_package(monkeypatch):
    def missing(_: str) -> None:
        raise ModuleNotFoundError("No module named 'train.nothing'", name="train.nothing")

    monkeypatch.setattr("edge_runtime.running.importlib.import_module", missing)
    with pytest.raises(ModuleNotFoundError):
        main(["list"])


def test_what_others_say_while_the_framework_loads_is_passed_on(capfd, monkeypatch):
    from train.terminal import hushed

    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    with hushed():
        os.write(2, b"I0000 port.cc:153] oneDNN custom operations are on. You may\nsomething that matters\n")
    assert capfd.readouterr().err == "something that matters\n"
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")
    with hushed():
        os.write(2, b"oneDNN custom operations are on\n")
    assert capfd.readouterr().err == "oneDNN custom operations are on\n"


def test_a_folder_of_pictures_is_fitted_and_broken_ones_make_it_exit_2(tmp_path, capsys):
    import cv2

    faces = tiny_faces()
    folders = {"Training": "train", "PublicTest": "test"}
    for row, (face, label, split) in enumerate(zip(faces.pixels, faces.labels, faces.splits, strict=True)):
        folder = tmp_path / "faces" / folders[str(split)] / faces.label_set.names[label]
        folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / f"{row}.png"), cv2.resize(face, (30 + row % 3, 30 + row % 3)))
    Path(tmp_path / "faces" / "train" / "happy" / "broken.png").touch()
    recipe = toml(tmp_path / "tiny.toml", stages="[{ epochs = 1 }]")
    command = ["fit", "--recipe", str(recipe), "--data", str(tmp_path / "faces"), "--out", str(tmp_path / "run")]
    (tmp_path / "run").mkdir()
    assert main(command) == 2
    assert "one of test, train" in capsys.readouterr().err
    (tmp_path / "run" / "model.keras").write_text("left by an older run")
    assert main([*command, "--train-split", "train", "--choose-split", "test"]) == 2
    said = capsys.readouterr().err
    assert "pictures are scaled to 24 × 24 px, grey" in said
    assert "left out: train/happy/broken.png" in said
    assert {path.name for path in (tmp_path / "run").iterdir()} == FILES
    assert load_model(tmp_path / "run" / "model.keras").output_shape == (None, 7)
    assert json.loads((tmp_path / "run" / "run.json").read_text())["data"]["left_out"] == 1


def test_the_run_folder_is_named_after_the_recipe_where_none_is_given(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["fit", "--recipe", "simple_cnn", "--smoke"]) == 0
    assert (tmp_path / "runs" / "simple_cnn" / "model.keras").exists()
    capsys.readouterr()


def test_several_recipes_are_trained_one_after_the_other_into_folders_of_their_own(tmp_path, tiny_run, capsys):
    first = toml(tmp_path / "first.toml", name='"first"', stages="[{ epochs = 1 }]")
    second = toml(tmp_path / "second.toml", name='"second"', stages="[{ epochs = 1 }]")
    command = ["fit", "--data", str(tiny_run.data), "--out", str(tmp_path / "runs"), "--recipe", str(first)]
    assert main([*command, str(second)]) == 0
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {"first", "second"}
    assert all({file.name for file in run.iterdir()} == FILES for run in (tmp_path / "runs").iterdir())
    capsys.readouterr()
    assert main([*command, str(first)]) == 2
    assert "recipes called first, first" in capsys.readouterr().err


def test_a_run_whose_minutes_are_over_stops_after_its_epoch_and_goes_on_later(tmp_path, tiny_run, capsys):
    command = ["fit", "--recipe", str(tiny_run.recipe), "--data", str(tiny_run.data), "--out", str(tmp_path / "run")]
    assert main([*command, "--minutes", "0"]) == 130
    captured = capsys.readouterr()
    assert "the minutes are over: 1 of 2 epochs are kept" in captured.err
    assert "Traceback" not in captured.err
    assert main(command) == 0
    assert "resumed after epoch 1 of 2" in capsys.readouterr().err


def test_a_run_starts_from_the_weights_of_another_and_its_card_says_so(tmp_path, tiny_run, capsys):
    command = ["fit", "--recipe", str(tiny_run.recipe), "--data", str(tiny_run.data), "--out", str(tmp_path / "run")]
    assert main([*command, "--weights", str(tiny_run.folder)]) == 0
    assert "12 of 12" in capsys.readouterr().err
    card = json.loads((tmp_path / "run" / "run.json").read_text())
    assert card["model"]["weights"] != "none"


def test_a_temperature_stays_on_the_card_as_long_as_the_model_is_the_calibrated_one(tmp_path, tiny_run, capsys):
    folder = Path(shutil.copytree(tiny_run.folder, tmp_path / "run"))
    card, command = json.loads((folder / "run.json").read_text()), [*tiny_run.command()[:-1], str(folder)]
    model = (folder / "model.keras").read_bytes()
    calibration = {"temperature": 1.3, "model_sha256": hashlib.sha256(model).hexdigest()}
    (folder / "run.json").write_text(json.dumps({**card, "calibration": calibration}))
    assert main(command) == 0
    assert json.loads((folder / "run.json").read_text())["calibration"] == calibration
    assert (folder / "model.keras").read_bytes() == model
    (folder / "run.json").write_text(json.dumps({**card, "calibration": {**calibration, "model_sha256": "0" * 64}}))
    assert main(command) == 0
    assert json.loads((folder / "run.json").read_text()) == card
    capsys.readouterr()
