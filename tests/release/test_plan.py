"""The release file: what it may say, and the commands that follow from it."""

from pathlib import Path

import pytest

from release.errors import ReleaseError
from release.plan import kind_of, read_plan
from release.steps import steps

PLAN = """
name = "mine"
label_set = "fer2013"
licence = "Apache-2.0"
data = "faces.npz"
out = "out"

[student]
recipe = "mobilenet_v2"
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("faces.npz").touch()
    Path("votes.csv").touch()
    Path("taught").mkdir()
    Path("taught/run.json").touch()
    return tmp_path


def plan(text=PLAN):
    Path("release.toml").write_text(text)
    return read_plan(Path("release.toml"))


def commands(text):
    return [str(step) for step in steps(plan(text), "int8")]


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("line", "changed", "said"),
    [
        ('out = "out"', 'outt = "out"', r"outt is no known key.*did you mean 'out'\?"),
        ('out = "out"', "out = 3", "out = 3"),
        ('label_set = "fer2013"', 'label_set = "fer2014"', "fer2014"),
        ('label_set = "fer2013"', 'label_set = "ferplus"', "label_set ferplus without votes"),
        ('data = "faces.npz"', 'data = "other.npz"', "data = 'other.npz', no such file"),
        ('name = "mine"', 'name = "../mine"', "letters and digits"),
        ("[student]", '[[teachers]]\nrun = "gone"\n[student]', r"teachers\[0\].run = 'gone', no run.json"),
        ("[student]", '[[teachers]]\nrun = "taught"\nrecipe = "vgg"\n[student]', "either a recipe or a run"),
        ("[student]", '[student]\nunlabelled = "faces.npz"', "unlabelled faces without a teacher"),
        ("[student]", '[student]\nweights = "gone"', "student.weights = 'gone', no such run or model"),
        ("[student]", "[conversion]\nleast_accuracy = 69\n[student]", "a share from 0 to 1"),
    ],
)
def test_wrong_release_file_is_answered_with_key_and_mend(line, changed, said):
    assert line in PLAN
    with pytest.raises(ReleaseError, match=said):
        plan(PLAN.replace(line, changed))


@pytest.mark.usefixtures("here")
def test_missing_release_file_and_conversion_recipe_are_said():
    with pytest.raises(ReleaseError, match="expected the path of a TOML file"):
        read_plan(Path("none.toml"))
    with pytest.raises(ReleaseError, match=r"conversion recipe 'int9'.*did you mean 'int8'\?"):
        kind_of(plan(PLAN + '\n[conversion]\nrecipe = "int9"'))


@pytest.mark.usefixtures("here")
def test_each_step_reads_what_an_earlier_one_wrote():
    text = PLAN.replace(
        "[student]", '[[teachers]]\nrecipe = "vgg"\nweights = "taught"\n\n[[teachers]]\nrun = "taught"\n\n[student]'
    ).replace('recipe = "mobilenet_v2"', 'recipe = "mobilenet_v2"\nweights = "imagenet"')
    found = commands(text)
    assert kind_of(plan(text)) == "int8"
    assert [command.split()[2:4] for command in found] == [
        ["train", "fit"],
        ["train", "distill"],
        ["train", "calibrate"],
        ["convert", "tflite"],
        ["convert", "tflite"],
        ["convert", "parity"],
        ["convert", "pack"],
        ["edge_runtime", "record"],
        ["convert", "pack"],
        ["edge_runtime", "record"],
        ["convert", "pack"],
        ["edge_runtime", "selftest"],
    ]
    assert "--recipe vgg --data faces.npz" in found[0]
    assert "--weights taught --out out/teachers/vgg" in found[0]
    assert "--teacher out/teachers/vgg --teacher taught --out out/student" in found[1]
    assert "--weights imagenet" in found[1]
    assert found[2].startswith("python -m train calibrate out/student ")
    assert "--candidate out/converted.tflite" in found[5]
    assert "--gate default" in found[5]
    assert "--record float32=out/float32.npz --record int8=out/int8.npz" in found[10]
    assert found[11].endswith("--bundle out/mine")


@pytest.mark.usefixtures("here")
def test_votes_judge_only_a_model_of_their_labels():
    both = PLAN.replace('out = "out"', 'out = "out"\nvotes = "votes.csv"')
    fit, *judging = commands(both)
    assert "--votes votes.csv" in fit
    assert not any("votes.csv" in command for command in judging)
    fit, *judging = commands(both.replace('label_set = "fer2013"', 'label_set = "ferplus"'))
    assert sum("votes.csv" in command for command in judging) == 4  # temperature, gate, and both records
