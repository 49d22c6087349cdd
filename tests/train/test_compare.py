"""Runs side by side: what is not comparable is marked, and differences are tested on the same faces."""

import json
import shutil

import numpy as np
import pytest

from train.cli import main
from train.errors import DataError
from train.paired import paired


def answers(both, only_first, only_second, neither):
    first = np.repeat([True, True, False, False], [both, only_first, only_second, neither])
    second = np.repeat([True, False, True, False], [both, only_first, only_second, neither])
    return first, second


@pytest.fixture
def copy_of(tmp_path, tiny_run):
    """A copy of the tiny run under another name, with some values of its card changed: `copy_of("b", data={…})`."""

    def make(name, **changes):
        folder = tmp_path / name
        shutil.copytree(tiny_run.folder, folder, ignore=shutil.ignore_patterns("checkpoints", "run.html"))
        card = json.loads((folder / "run.json").read_bytes())
        for part, values in changes.items():
            card[part].update(values)
        (folder / "run.json").write_text(json.dumps(card))
        return folder

    return make


def test_mcnemars_exact_test_counts_only_the_differing_faces():
    """9 against 1 of 10 differing faces: 2 × (1 + 10) / 2^10."""
    for both, neither in ((0, 0), (40, 50), (1000, 3)):
        assert paired(*answers(both, 1, 9, neither)).p_value == pytest.approx(22 / 1024)


def test_the_interval_is_newcombes():
    """Newcombe 1998, table II, method 10: 36, 12, 2, 0 of 50 are a difference of 0.2 from 0.0569 to 0.3404."""
    found = paired(*answers(36, 2, 12, 0))
    assert found.difference == pytest.approx(0.2)
    assert (found.low, found.high) == (pytest.approx(0.0569, abs=5e-5), pytest.approx(0.3404, abs=5e-5))


def test_turning_the_two_round_turns_the_difference_round():
    one, two = paired(*answers(50, 5, 14, 31)), paired(*reversed(answers(50, 5, 14, 31)))
    assert (one.difference, one.low, one.high) == pytest.approx((-two.difference, -two.high, -two.low))
    assert one.p_value == two.p_value
    assert one.low < one.difference < one.high


def test_the_same_answers_are_no_difference():
    found = paired(*answers(30, 0, 0, 20))
    assert (found.difference, found.p_value) == (0, 1)
    assert found.low < 0 < found.high


def test_answers_of_different_faces_cannot_be_paired():
    with pytest.raises(DataError):
        paired(np.ones(3, bool), np.ones(4, bool))
    with pytest.raises(DataError):
        paired(np.ones(0, bool), np.ones(0, bool))


def test_table_has_a_row_a_run(copy_of, capsys):
    result = {"accuracy": 0.6612, "interval": [0.645, 0.677], "wall_s": 7500.0, "parameters": 2_345_607}
    assert main(["compare", str(copy_of("one")), str(copy_of("two", result=result))]) == 0
    head, one, two = capsys.readouterr().out.splitlines()
    assert head.split()[:4] == ["run", "recipe", "parameters", "epochs"]
    assert one.split()[:2] == ["one", "tiny"]
    for words in ("66.12 %", "64.5 to 67.7 %", "2 h 05 min", "2.35 M", "PublicTest"):
        assert words in two
    assert "*" not in one + two


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"data": {"choosing_sha256": "ff" * 32}}, "other faces: ffffffffffff"),
        ({"data": {"choose_split": "PrivateTest"}}, "another split: PrivateTest"),
        ({"model": {"label_set": "ferplus"}}, "other labels: ferplus"),
        ({"result": {"steps_per_epoch": 2}}, "a trial of 2 steps an epoch"),
        ({"model": {"size": 96}, "data": {"choosing_sha256": "ff" * 32}}, "hashes cannot say"),
    ],
)
def test_a_run_that_is_not_comparable_is_marked(copy_of, capsys, changes, words):
    assert main(["compare", str(copy_of("one")), str(copy_of("two", **changes)), str(copy_of("three"))]) == 0
    _, one, two, three, why, warning = capsys.readouterr().out.splitlines()
    assert two.startswith("two *")
    assert "*" not in one + three
    assert words in why
    assert "not to be compared with one" in warning


def test_json_says_the_same(copy_of, capsys):
    folders = [str(copy_of("one")), str(copy_of("two", data={"choosing_sha256": "ff" * 32}))]
    assert main(["compare", *folders, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [run["run"] for run in found["runs"]] == ["one", "two"]
    assert [len(run["differs_from_first"]) for run in found["runs"]] == [0, 1]
    assert found["paired"] == []


def test_models_answer_the_same_faces_and_a_page_shows_it(copy_of, tiny_run, tmp_path, capsys):
    one, two = copy_of("one"), copy_of("two")
    other = copy_of("other", model={"label_set": "basic7"})
    page = tmp_path / "page.html"
    command = ["compare", str(one), str(two), str(other), "--data", str(tiny_run.data), "--out", str(page)]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "two against one: +0.00 points" in out
    assert "other against one: not compared: it answers in the labels basic7" in out
    html = page.read_text()
    assert html.count("<svg") == 2
    assert "two against one: +0.00 points" in html
    assert not any(str(place) in html for place in (tmp_path, tiny_run.folder))
    assert "://" not in html


def test_folders_of_one_name_are_told_apart(copy_of, tmp_path, capsys):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert main(["compare", str(copy_of("a/run")), str(copy_of("b/run"))]) == 0
    _, one, two = capsys.readouterr().out.splitlines()
    assert (one.split()[0], two.split()[0]) == ("a/run", "b/run")


def test_wrong_uses_are_explained_in_one_line(copy_of, tiny_run, tmp_path, capsys):
    one = str(copy_of("one"))
    (tmp_path / "begun" / "checkpoints").mkdir(parents=True)
    for words, command in (
        ("not finished", [one, str(tmp_path / "begun")]),
        ("which is no folder", [one, str(tmp_path / "nothing")]),
        ("no run.json", [one, str(tmp_path)]),
        ("the same run folder twice", [one, one]),
        ("ends in .html", [one, "--out", str(tmp_path / "x.pdf")]),
        ("--data with one run", [one, "--data", str(tiny_run.data)]),
    ):
        assert main(["compare", *command]) == 2
        error = capsys.readouterr().err
        assert words in error
        assert error.count("\n") == 1
