"""`python -m train fit` and `distill` with each recipe, for a few steps on made-up faces."""

import json
import re

import pytest

from tests.train.made import EAGERLY, FILES
from tests.train.nets import SMALL
from train.cli import main
from train.recipe import RECIPES, Recipe, list_recipes, read_recipe

pytestmark = EAGERLY

TRACED = ("simple_cnn", "mini_xception", "student_mobilenet_v2")
"""Whose steps become graphs, as in a real run. To trace those of all takes minutes, for the few steps that are wanted."""

NARROW = {"width", "filters", "blocks", "dense"}


def stands_for_its_architecture(name: str) -> bool:
    """The first recipe of each net is tried with that net. To try it once more with each of the others takes minutes."""
    architecture = read_recipe(name).model.architecture
    return name == next(other for other in list_recipes() if read_recipe(other).model.architecture == architecture)


def narrow(recipe: Recipe) -> str:
    """A recipe's net with few filters and blocks: test_models builds each net at every size."""
    model = recipe.model
    options = {
        **model.options,
        **{key: SMALL[model.architecture][key] for key in NARROW & set(SMALL[model.architecture])},
    }
    if options.get("dense"):
        options["dense"] = [16 for _ in options["dense"]] if isinstance(options["dense"], list) else 16
    return table_of(model.architecture, recipe, f"\n[model.options]\n{lines(options)}" if options else "")


def on_a_small_net(recipe: Recipe) -> str:
    """Another net, of the recipe's sizes, crop and precision."""
    sizes = {stage.size or recipe.model.size for stage in recipe.schedule.stages}
    # The one has a size of its own, the other has none.
    if sizes == {recipe.model.size}:
        return table_of("simple_cnn", recipe, f"\n[model.options]\n{lines(SMALL['simple_cnn'])}")
    return table_of("mini_xception", recipe, f"\n[model.options]\n{lines({'stem': [4, 4], 'modules': [8, 8]})}")


def table_of(architecture: str, recipe: Recipe, options: str = "") -> str:
    model = recipe.model
    small = {
        "architecture": architecture,
        "size": model.size,
        "channels": model.channels,
        "precision": model.precision,
    }
    if model.crop:
        small["crop"] = model.crop
    return f"[model]\n{lines(small)}{options}\n"


def lines(table: dict[str, object]) -> str:
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())


@pytest.mark.parametrize("name", list_recipes())
def test_every_recipe_runs_a_trial_on_made_up_faces(name, tmp_path, capsys, request):
    if name in TRACED:
        request.getfixturevalue("in_graphs")
    command, recipe = "fit", read_recipe(name)
    table = narrow(recipe) if stands_for_its_architecture(name) else on_a_small_net(recipe)
    text, tables = re.subn(
        r"^\[model\]\n(.*\n)*?(?=\[(?!model))", table, (RECIPES / f"{name}.toml").read_text(), flags=re.MULTILINE
    )
    assert tables == 1
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
