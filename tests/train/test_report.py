"""The files of a run folder that people read."""

import csv
import json
import subprocess
import sys

import cv2
import numpy as np
import pytest

from edge_runtime.errors import OutputError
from edge_runtime.labels import FER2013
from edge_runtime.reliability import measure_reliability
from train.figures import draw_confusion, draw_curves, draw_reliability
from train.files import whole_path, write_json
from train.report import write_history, write_reliability, write_scores
from train.scores import Scores

HISTORY = [
    {
        "epoch": epoch,
        "loss": 2 / epoch,
        "accuracy": 0.3,
        "chosen_accuracy": 0.4,
        "learning_rate": 0.1,
        "size": size,
        "seconds": 1.0,
    }
    for epoch, size in ((1, 40), (2, 40), (3, 48))
]


@pytest.fixture
def scores() -> Scores:
    return Scores(FER2013, np.arange(14) % 7, np.arange(14) % 5)


def test_history_is_a_row_an_epoch(tmp_path):
    write_history(HISTORY, "PublicTest", tmp_path)
    with open(tmp_path / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert float(rows[1]["loss"]) == 1.0


def test_report_is_written_for_people_and_for_programs(tmp_path, scores):
    write_scores(scores, ["first line"], "a title", tmp_path)
    text = (tmp_path / "classification_report.txt").read_text()
    assert text.startswith("a title\nfirst line\n")
    assert all(word in text for word in ("precision", "recall", "f1-score", "support", "macro avg", "weighted avg"))
    assert json.loads((tmp_path / "classification_report.json").read_text())["faces"] == 14


@pytest.mark.usefixtures("drawn_well")
@pytest.mark.parametrize("epochs", [1, 3])
def test_figures_are_pictures_with_something_on_them(tmp_path, scores, epochs):
    draw_curves(HISTORY[:epochs], "PublicTest", tmp_path / "curves.png")
    draw_confusion(scores, "a title", tmp_path / "confusion.png")
    sure = np.random.default_rng(1).dirichlet(np.ones(7), 200)
    draw_reliability(measure_reliability(sure, sure.argmax(axis=1) % 5), "a title", tmp_path / "reliability.png")
    for name in ("curves.png", "confusion.png", "reliability.png"):
        picture = cv2.imread(str(tmp_path / name))
        assert min(picture.shape[:2]) > 400
        assert picture.min() < 60
        assert (picture == 255).mean() > 0.2


def test_reliability_is_written_bin_by_bin(tmp_path):
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4]])
    write_reliability(measure_reliability(probabilities, np.array([0, 1])), "a title", tmp_path)
    facts = json.loads((tmp_path / "reliability.json").read_text())
    assert (facts["faces"], len(facts["bins"])) == (2, 15)
    assert sum(each["faces"] for each in facts["bins"]) == 2
    assert (tmp_path / "reliability.png").exists()


def test_drawing_leaves_matplotlib_as_it_was():
    """No pyplot, and the same settings: whoever draws in the same process is not disturbed."""
    probe = (
        "import matplotlib, sys, pathlib, tempfile; before = matplotlib.rcParams.copy(); "
        "from train.figures import draw_curves; "
        f"draw_curves({HISTORY!r}, 'x', pathlib.Path(tempfile.mkdtemp()) / 'c.png'); "
        "assert dict.__eq__(matplotlib.rcParams, before); assert 'matplotlib.pyplot' not in sys.modules; print('same')"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("same\n", "")


def test_a_file_whose_writing_fails_leaves_what_was_there(tmp_path):
    path = tmp_path / "figure.png"
    path.write_text("the one before")

    def write_and_fail(error: BaseException) -> None:
        with whole_path(path) as partial:
            partial.write_text("half")
            raise error

    with pytest.raises(OutputError, match=r"figure\.png: No space left on device"):
        write_and_fail(OSError(28, "No space left on device"))
    with pytest.raises(KeyboardInterrupt):
        write_and_fail(KeyboardInterrupt())
    assert [entry.name for entry in tmp_path.iterdir()] == ["figure.png"]
    assert path.read_text() == "the one before"


def test_json_has_no_nan(tmp_path):
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "x.json", {"accuracy": float("nan")})
    assert list(tmp_path.iterdir()) == []
