"""Recipes of conversion: every shipped one reads, and a wrong one is refused with the nearest right name."""

import hashlib

import pytest

from convert.errors import RecipeError
from convert.kinds import KINDS
from convert.recipe import RECIPES, list_recipes, read_recipe

MIXED = 'name = "mine"\nkind = "mixed"\npurpose = "a test"\nkeep_layers = ["logits", "block5_*"]\ncount = 64\n'


@pytest.mark.parametrize("name", list_recipes())
def test_every_shipped_recipe_reads_and_says_what_it_is_for(name):
    recipe = read_recipe(name)
    assert recipe.name == name
    assert recipe.purpose
    assert recipe.sha256 == hashlib.sha256((RECIPES / f"{name}.toml").read_bytes()).hexdigest()


def test_every_kind_has_a_recipe_of_its_name():
    assert {read_recipe(kind).kind for kind in KINDS} == set(KINDS)


def write(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return str(path)


def test_recipe_anywhere_is_read_by_its_path(tmp_path):
    recipe = read_recipe(write(tmp_path, MIXED))
    assert (recipe.kind, recipe.keep_layers, recipe.count) == ("mixed", ("logits", "block5_*"), 64)


@pytest.mark.parametrize(
    ("line", "changed", "said"),
    [
        ("keep_layers", "keep_layer", r"keep_layer is no known key.*did you mean 'keep_layers'\?"),
        ('kind = "mixed"', 'kind = "mixd"', r"kind 'mixd'.*did you mean 'mixed'\?"),
        ('kind = "mixed"', 'kind = "int8"', "keep_layers or keep_operators for the kind int8"),
        ('["logits", "block5_*"]', "[]", "the kind mixed without keep_layers and keep_operators"),
        ('["logits", "block5_*"]', '"logits"', "keep_layers = 'logits'; expected a list"),
        ("count = 64", 'io = "int8"', "io 'int8' for the kind mixed"),
        ("count = 64", 'io = "int4"', "io 'int4'"),
        ("count = 64", 'dense = "convolution"', "dense 'convolution' for the kind mixed"),
        ("count = 64", 'dense = "row"', "dense 'row'"),
        ("count = 64", 'count = "64"', "count = '64' "),
        ("count = 64", 'sha256 = "x"', "sha256 is no known key"),
        ('name = "mine"', "", "no name"),
        ("count = 64", "count =", "expected a TOML file"),
    ],
)
def test_wrong_recipe_is_refused_in_one_line_by_key(tmp_path, line, changed, said):
    assert line in MIXED
    with pytest.raises(RecipeError, match=said) as caught:
        read_recipe(write(tmp_path, MIXED.replace(line, changed)))
    assert "\n" not in str(caught.value)


def test_recipe_that_is_not_there_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(RecipeError, match=r"recipe 'in8'.*did you mean 'int8'\?"):
        read_recipe("in8")
    with pytest.raises(RecipeError, match="Is a directory"):
        read_recipe(str(tmp_path))
