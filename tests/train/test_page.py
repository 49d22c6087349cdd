"""The page of a run: everything that is known about it, in one file that asks for nothing."""

import csv
import dataclasses
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.facesets import FaceSet
from edge_runtime.labels import FER2013
from edge_runtime.reliability import measure_reliability
from tests.train.made import TINY, tiny_faces
from train.cli import main
from train.errors import DataError
from train.page import write_page
from train.scores import score

CARD = {
    "format": 1,
    "recipe": {"name": "<script>alert(1)</script>", "sha256": "ab" * 32, "seed": 1},
    "model": {
        "architecture": "simple_cnn",
        "size": 24,
        "channels": 1,
        "precision": "float32",
        "label_set": "fer2013",
        "labels": list(FER2013.names),
    },
    "data": {
        "sha256": "cd" * 32,
        "train_split": "Training",
        "training": dict.fromkeys(FER2013.names, 8),
        "choosing_sha256": "ef" * 32,
        "choose_split": "PublicTest",
        "choosing": dict.fromkeys(FER2013.names, 8),
        "left_out": 3,
    },
    "result": {
        "epochs": 4,
        "best_epoch": 3,
        "wall_s": 7500.0,
        "accuracy": 0.5,
        "interval": [0.4, 0.6],
        "repeated_from_training": 6,
        "accuracy_without_repeated": 0.48,
        "parameters": 123456,
        "steps_per_epoch": None,
    },
    "code": {"commit": "12" * 20, "dirty": True},
    "versions": {"fer_edge": "0.1", "python": "3.11", "keras": "3.15", "backend": "tensorflow 2", "numpy": "2"},
    "hardware": {"processor": "a processor", "cores": 2, "gpus": []},
}
HISTORY = [
    {
        "epoch": epoch,
        "loss": 2 / epoch,
        "accuracy": 0.1 * epoch,
        "chosen_accuracy": 0.4,
        "learning_rate": 0.1,
        "size": size,
        "whole": size == 24,
        "seconds": 1.75,
    }
    for epoch, size in ((1, 16), (2, 16), (3, 24), (4, 24))
]


class Attributes(HTMLParser):
    """Every attribute of every element, and each element's name."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found += [(tag, name, value or "") for name, value in attrs] or [(tag, "", "")]


@dataclasses.dataclass
class Answered:
    faces: FaceSet
    probabilities: np.ndarray

    def write(self, folder, card=CARD, history=HISTORY, **more):
        scores = score(self.probabilities, self.faces.labels, self.faces.label_set)
        path = write_page(folder, card, history, scores, self.faces, self.probabilities, **more)
        return path, path.read_text()


@pytest.fixture
def answered() -> Answered:
    """56 faces of PublicTest with answers at random, about half of them right."""
    faces = tiny_faces().split("PublicTest")
    rng = np.random.default_rng(5)
    logits = rng.normal(size=(len(faces), 7))
    logits[np.arange(len(faces)), faces.labels] += 1.5
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return Answered(faces, probabilities.astype(np.float32))


def changed(part: str, **values) -> dict:
    return {**CARD, part: {**CARD[part], **values}}


def test_page_asks_for_nothing_outside(tmp_path, answered):
    _, html = answered.write(tmp_path)
    links = [
        value for _, name, value in Attributes(html).found if name in ("src", "href", "xlink:href", "srcset", "action")
    ]
    assert len(links) == 24
    assert all(value.startswith(("data:image/png;base64,", "#")) for value in links)
    assert not re.search(r"https?://|url\(|@import", html)
    assert not {"script", "iframe", "link", "object", "embed"} & {tag for tag, _, _ in Attributes(html).found}


def test_the_recipes_words_are_text(tmp_path, answered):
    (tmp_path / "recipe.toml").write_text(TINY.replace('"made up"', '"<b>made</b> up"'))
    _, html = answered.write(tmp_path)
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<b>made" not in html
    assert "After &lt;b&gt;made&lt;/b&gt; up" in html
    assert "rotation_deg = 10" in html


def test_page_shows_what_is_known(tmp_path, answered):
    (tmp_path / "recipe.toml").write_text(TINY.replace('"to run"', '"63 % ± 1.5 on PublicTest"'))
    scores = score(answered.probabilities, answered.faces.labels, FER2013)
    reliability = measure_reliability(answered.probabilities, answered.faces.labels)
    path, html = answered.write(tmp_path, reliability=reliability)
    assert path == tmp_path / "run.html"
    assert f'<p class="figure">{100 * scores.accuracy:.1f}<' in html
    assert f"95 % interval {scores.interval}" in html
    assert "target 63 %" in html
    assert "48.0 %" in html  # without repeated faces
    assert "6 are pixel for pixel also in Training" in html
    assert f"{100 * reliability.expected_error:.2f} %" in html
    for words in ("123\u202f456", "2 h 05 min", "cd" * 32, "ef" * 32, "12" * 20, "a processor", "24 px", "32 /s"):
        assert words in html
    for name in FER2013.names:
        assert f"</span>{name}" in html


def test_confusion_has_shares_and_counts_where_they_belong(tmp_path, answered):
    _, html = answered.write(tmp_path)
    counts = score(answered.probabilities, answered.faces.labels, FER2013).confusion()
    matrix = html.partition('class="matrix"')[2].partition("</table>")[0]
    titles = re.findall(r'title="(\d+) of (\d+) faces"', matrix)
    assert [int(count) for count, _ in titles] == counts.flatten().tolist()
    assert {int(total) for _, total in titles} == {8}


def test_page_is_small_and_names_no_place_of_the_machine(tmp_path, answered):
    path, html = answered.write(tmp_path)
    assert path.stat().st_size < 600_000
    assert not any(str(place) in html for place in (tmp_path, Path.cwd(), Path.home(), Path(__file__).parent))


def test_mistakes_are_shown_surest_first_with_both_names(tmp_path, answered):
    _, html = answered.write(tmp_path, shown=3)
    sure, answers = answered.probabilities.max(axis=1), answered.probabilities.argmax(axis=1)
    wrong = [at for at in np.argsort(-sure) if answers[at] != answered.faces.labels[at]][:3]
    names = FER2013.names
    expected = [
        f"A face labelled {names[answered.faces.labels[at]]}, answered {names[answers[at]]}, {100 * sure[at]:.0f} % sure"
        for at in wrong
    ]
    assert re.findall(r'alt="([^"]*)"', html)[:3] == expected
    assert html.count("<img") == 6


def test_no_faces_where_none_are_wanted(tmp_path, answered):
    _, html = answered.write(tmp_path, shown=0)
    assert "<img" not in html
    assert "Mistakes" not in html


def test_a_model_without_mistakes_and_one_without_right_answers_have_pages(tmp_path, answered):
    hot = np.eye(7, dtype=np.float32)
    _, perfect = Answered(answered.faces, hot[answered.faces.labels]).write(tmp_path)
    assert "Mistakes" not in perfect
    _, hopeless = Answered(answered.faces, hot[(answered.faces.labels + 1) % 7]).write(tmp_path)
    assert "Right answers" not in hopeless


def test_another_split_has_its_own_page_and_not_the_cards_figures(tmp_path, answered):
    faces = dataclasses.replace(answered.faces, splits=np.full(len(answered.faces), "PrivateTest"))
    path, html = Answered(faces, answered.probabilities).write(tmp_path)
    assert path.name == "run-PrivateTest.html"
    assert "48.0 %" not in html
    assert "not compared with the training faces" in html


def test_a_trial_says_that_it_is_one(tmp_path, answered):
    _, html = answered.write(tmp_path, changed("result", steps_per_epoch=2))
    assert "A trial of 2 steps an epoch" in html
    assert "A trial" not in answered.write(tmp_path)[1]


def test_headings_tables_and_charts_can_be_read_aloud(tmp_path, answered):
    _, html = answered.write(tmp_path, reliability=measure_reliability(answered.probabilities, answered.faces.labels))
    assert html.count("<h1>") == 1
    assert [int(level) for level in re.findall(r"<h(\d)>", html)][:2] == [1, 2]
    assert html.count("<th") == html.count('scope="col"') + html.count('scope="row"') + html.count("<thead>")
    assert html.count("<svg") == html.count('role="img" aria-label=') - html.count('class="scale"')
    assert all(value for _, name, value in Attributes(html).found if name == "alt")


def test_faces_scores_and_probabilities_must_belong_together(tmp_path, answered):
    scores = score(answered.probabilities, answered.faces.labels, FER2013)
    with pytest.raises(DataError, match="all three of the same labelled faces"):
        write_page(tmp_path, CARD, HISTORY, scores, answered.faces, answered.probabilities[:-1])
    other = answered.faces.where(np.arange(len(answered.faces))[::-1])
    with pytest.raises(DataError, match="all three of the same labelled faces"):
        write_page(tmp_path, CARD, HISTORY, scores, other, answered.probabilities)
    assert list(tmp_path.iterdir()) == []


def test_command_writes_the_page_of_a_finished_run(tiny_run, capsys):
    assert main(["page", str(tiny_run.folder), "--data", str(tiny_run.data), "--faces", "2"]) == 0
    html = (tiny_run.folder / "run.html").read_text()
    result = json.loads((tiny_run.folder / "run.json").read_bytes())["result"]
    assert f'<p class="figure">{100 * result["accuracy"]:.1f}<' in html
    assert "stages = [{ epochs = 2 }]" in html
    assert str(tiny_run.folder) not in html
    assert capsys.readouterr().out == f"{tiny_run.folder / 'run.html'}\n"


@pytest.mark.parametrize(
    ("there", "words"),
    [((), "no run.json"), (("checkpoints",), "not finished"), (None, "which is no folder")],
)
def test_a_folder_that_is_no_finished_run_is_explained(tmp_path, tiny_run, capsys, there, words):
    folder = tmp_path / "run"
    for name in there if there is not None else ():
        (folder / name).mkdir(parents=True)
    if there == ():
        folder.mkdir()
    assert main(["page", str(folder), "--data", str(tiny_run.data)]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_a_damaged_history_is_explained(tmp_path, tiny_run, capsys):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "run.json").write_bytes((tiny_run.folder / "run.json").read_bytes())
    for text in ("", "epoch,loss\n1,2\n", "epoch,loss\n1,x\n"):
        (folder / "history.csv").write_text(text)
        assert main(["page", str(folder), "--data", str(tiny_run.data)]) == 2
        assert "history.csv" in capsys.readouterr().err


def test_history_is_read_as_it_was_written(tiny_run):
    from train.finished import read_run

    with open(tiny_run.folder / "history.csv", newline="") as file:
        losses = [float(row["loss"]) for row in csv.DictReader(file)]
    run = read_run(tiny_run.folder)
    assert [row["loss"] for row in run.history] == losses
    assert {row["whole"] for row in run.history} == {1.0}
    assert run.macro_f1 is not None
