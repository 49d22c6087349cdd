"""`python -m train fit` and `distill` with each recipe, for a few steps on made-up faces."""

import json
import re

import pytest

from tests.train.made import EAGERLY, FILES
from train.cli import main
from train.recipe import RECIPES, Recipe, list_recipes, read_recipe

pytestmark = EAGERLY

TRACED = ("simple_cnn", "mini_xception", "student_mobilenet_v2")
"""Whose steps become graphs, as in a real run. To trace those of all takes minutes, for the few steps that are wanted."""


def stands_for_its_architecture(name: str) -> bool:
    """The first recipe of each net is tried with that net. To try it once more with each of the others takes minutes."""
    architecture = read_recipe(name).model.architecture
    return name == next(other for other in list_recipes() if read_recipe(other).model.architecture == architecture)


def on_a_small_net(text: str, recipe: Recipe) -> str:
    """All of a recipe but its net: the sizes, the crop and the precision stay."""
    model = recipe.model
    sizes = {stage.size or model.size for stage in recipe.schedule.stages}
    # The one has a size of its own, the other has none.
    net = "simple_cnn" if sizes == {model.size} else "mini_xception"
    small = f'[model]\narchitecture = "{net}"\nsize = {model.size}\nprecision = "{model.precision}"\n'
    small += f"crop = {model.crop}\n" if model.crop else ""
    text, tables = re.subn(r"^\[model\]\n(.*\n)*?(?=\[(?!model))", f"{small}\n", text, flags=re.MULTILINE)
    assert tables == 1
    return text


@pytest.mark.parametrize("name", list_recipes())
def test_every_recipe_runs_a_trial_on_made_up_faces(name, tmp_path, capsys, request):
    if name in TRACED:
        request.getfixturevalue("in_graphs")
    command, recipe = "fit", read_recipe(name)
    text = (RECIPES / f"{name}.toml").read_text()
    if not stands_for_its_architecture(name):
        text = on_a_small_net(text, recipe)
    # Fewer blocks: large nets take long to build, and test_models builds each at every size.
    text = re.sub(r"blocks = \[\d+, \d+, \d+\]", "blocks = [1, 1, 1]", text)
    if 'architecture = "resnet50"' in text:
        text = text.replace("[model.options]\n", "[model.options]\nblocks = [1, 1, 1, 1]\n")
    if recipe.distillation is not None:
        command, text = "distill", re.sub(r"stages = \[.*, (\{.*\})\]", r"stages = [\1]", text)
    path = tmp_path / f"{name}.toml"
    path.write_text(text)
    name, recipe = str(path), read_recipe(str(path))
    assert main([command, "--recipe", name, "--smoke", "--out", str(tmp_path / "run")]) == 0
    printed = capsys.readouterr().out
    assert "epoch 1/2" in printed
    assert "epoch 2/2" in printed
    card = json.loads((tmp_path / "run" / "run.json").read_text())
    assert card["result"]["steps_per_epoch"] == 2
    assert card["recipe"]["sha256"] == f"smoke-{recipe.sha256}"
    assert FILES - {path.name for path in (tmp_path / "run").iterdir()} == {"recipe.toml"}
    assert ("distillation" in card) == (recipe.distillation is not None)
    sizes = [line.split(",")[5] for line in (tmp_path / "run" / "history.csv").read_text().splitlines()[1:]]
    stages = recipe.schedule.stages
    assert sizes == [str(stage.size or recipe.model.net_size) for stage in (stages[0], stages[-1])]
