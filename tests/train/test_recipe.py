"""Recipes: what is refused, and how it is said."""

import hashlib

import pytest

from edge_runtime.labels import label_set
from tests.train.made import TINY, tiny, toml
from train.errors import RecipeError
from train.models import ARCHITECTURES, build_logits
from train.recipe import RECIPES, list_recipes, read_recipe


@pytest.mark.parametrize("name", list_recipes())
def test_every_shipped_recipe_reads_and_says_where_it_comes_from(name):
    recipe = read_recipe(name)
    assert recipe.name == name
    assert recipe.source
    assert recipe.target
    assert recipe.model.architecture in ARCHITECTURES
    assert label_set(recipe.label_set)
    assert recipe.sha256 == hashlib.sha256((RECIPES / f"{name}.toml").read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("line", "changed", "message"),
    [
        (
            "learning_rate = 0.02",
            "learning_rte = 0.02",
            r"tiny.toml: schedule.learning_rte is no known key.*did you mean 'learning_rate'\?",
        ),
        ("seed = 3", "sede = 3", r"tiny.toml: sede is no known key.*did you mean 'seed'\?"),
        ("[augment]", "[augmnt]", r"tiny.toml: augmnt is no known key.*did you mean 'augment'\?"),
        (
            "{ epochs = 3 }",
            "{ epoch = 3 }",
            r"tiny.toml: schedule.stages\[0\].epoch is no known key.*did you mean 'epochs'\?",
        ),
        ("seed = 3", "xyzzy = 3", "xyzzy is no known key.*remove it or use one of those"),
        ("batch = 16", 'batch = "16"', r"schedule.batch = '16' \(str\); expected a int"),
        ("batch = 16", "batch = true", r"schedule.batch = True \(bool\); expected a int"),
        ("flip = true", "flip = 1", r"augment.flip = 1 \(int\); expected a bool"),
        ("learning_rate = 0.02", "learning_rate = nan", "schedule.learning_rate = nan; expected a finite number"),
        ("scale = 0.1", "scale = inf", "augment.scale = inf; expected a finite number"),
        ("scale = 0.1", "scale = -0.1", "tiny.toml: augment: scale -0.1 is negative"),
        ("stages = [{ epochs = 3 }]", "stages = 3", "schedule.stages = 3; expected a list"),
        ("stages = [{ epochs = 3 }]", "stages = []", "tiny.toml: schedule: a schedule needs stages"),
        ("{ epochs = 3 }", "{ epochs = 0 }", "a stage of 0 epochs"),
        ("{ epochs = 3 }", "{ epochs = 3, size = 40 }", "a stage at 40 px for a net of 24 px"),
        ('optimizer = "sgd"', 'optimizer = "adamw"', "optimizer 'adamw', but only sgd, adam"),
        ('decay = "cosine"', 'decay = "step"', "decay 'step', but only cosine, plateau, constant"),
        ("size = 24", "size = 8", "size 8, but only 16 to 512"),
        ("{ epochs = 3 }", '{ epochs = 3, view = "zoom" }', "view 'zoom', but only crop, resize"),
        ("{ epochs = 3 }", '{ epochs = 3, size = 16, view = "resize" }', "a last stage at 16 px, but the saved net"),
        ("{ epochs = 3 }", "{ epochs = 3, rate = 0 }", "a stage with rate 0"),
        ("size = 24", "size = 24\ncrop = 24", "crop 24 of 24 px"),
        ("size = 24", 'size = 24\nillumination = "retinex"', "illumination 'retinex', but only none, "),
        ("batch = 16", "batch = 16\nema = 1.0", "ema 1.0, a share"),
        ("batch = 16", "batch = 16\nplateau_factor = 1.5", "plateau_factor is a share"),
        ("batch = 16", 'batch = 16\nsampling = "all"', "sampling 'all', but only shuffled, balanced"),
        ("[augment]", '[targets]\nkind = "votes"\n[augment]', "kind 'votes', but only labels, mixed, majority"),
        ("[augment]", '[targets]\nclass_weights = "balanced"\n[augment]\nmixup = 0.2', "without mixup"),
        ("[augment]", "[augment]\nprobability = 1.5", "at most 1"),
        ('label_set = "fer2013"', "", "no label_set; expected the keys"),
        ('architecture = "simple_cnn"', "", r"tiny.toml: no model.architecture"),
        ("batch = 16", "batch = ", "expected a TOML file"),
        ("seed = 3", 'sha256 = "x"', "sha256 is no known key"),
    ],
)
def test_a_wrong_recipe_is_answered_with_file_key_and_mend(tmp_path, line, changed, message):
    assert line in TINY
    path = tmp_path / "tiny.toml"
    path.write_text(TINY.replace(line, changed, 1))
    with pytest.raises(RecipeError, match=message) as caught:
        read_recipe(str(path))
    assert "\n" not in str(caught.value)


def test_an_unknown_recipe_is_answered_with_the_known_ones():
    with pytest.raises(RecipeError, match=", ".join(list_recipes())):
        read_recipe("nope")


def test_unknown_architectures_and_options_are_answered_with_the_known_ones(tmp_path):
    recipe = tiny(tmp_path, architecture='"vgh"')
    with pytest.raises(RecipeError, match=r"architecture 'vgh'; expected one of .*simple_cnn"):
        build_logits(recipe.model.architecture, recipe.model.options, 7, 24, 1)
    with pytest.raises(RecipeError, match=r"model.options: dens is no known key.*did you mean 'dense'\?"):
        build_logits("simple_cnn", {"dens": 8}, 7, 24, 1)


def test_stages_follow_one_another(tmp_path):
    recipe = tiny(tmp_path, stages="[{ epochs = 2, size = 20 }, { epochs = 1 }]")
    assert recipe.schedule.epochs == 3
    assert [recipe.schedule.stage_at(epoch).size for epoch in range(3)] == [20, 20, 0]


def test_a_comment_makes_it_another_recipe(tmp_path):
    first = read_recipe(str(toml(tmp_path / "a.toml")))
    (tmp_path / "a.toml").write_text(TINY + "# one more line\n")
    assert read_recipe(str(tmp_path / "a.toml")).sha256 != first.sha256
