"""A recipe: one system to train, as a TOML file in `train/recipes/` or anywhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_runtime.tables import TableFile, list_tables, parse_table, read_table
from train.errors import RecipeError
from train.recipe_tables import AugmentOptions, Distillation, ModelTable, Quantization, Schedule, Targets

__all__ = [
    "CLASSIFIER",
    "RECIPES",
    "Recipe",
    "check_kind",
    "kind_of",
    "list_recipes",
    "read_recipe",
    "recipe_file",
    "recipe_table",
    "student_name",
]

RECIPES = Path(__file__).parent / "recipes"
CLASSIFIER = "classifier"
"""What a recipe without a key `kind` trains."""


@dataclass(frozen=True)
class Recipe:
    """One system: where it comes from, what it keeps and changes of its source, and how it is trained.

    A recipe with a `distillation` is a student's, for `python -m train distill`; one without is for `fit`.
    """

    name: str
    source: str
    keeps: str
    changes: str
    target: str
    label_set: str
    model: ModelTable
    schedule: Schedule
    targets: Targets = field(default_factory=Targets)
    augment: AugmentOptions = field(default_factory=AugmentOptions)
    quantization: Quantization = field(default_factory=Quantization)
    distillation: Distillation | None = None
    seed: int = 1
    sha256: str = ""
    kind: str = CLASSIFIER

    def __post_init__(self) -> None:
        for stage in self.schedule.stages:
            if stage.size > self.model.net_size:
                raise ValueError(f"a stage at {stage.size} px for a net of {self.model.net_size} px")
            if stage.view == "resize" and stage.size and self.model.crop:
                raise ValueError("stages with view resize and model.crop: only one of both")
        last = self.schedule.stages[-1]
        if last.view == "resize" and last.size not in (0, self.model.net_size):
            raise ValueError(f"a last stage at {last.size} px, but the saved net reads {self.model.net_size} px")
        if (self.augment.mixup or self.targets.kind == "probability") and self.targets.class_weights != "none":
            raise ValueError("class_weights need faces of one fixed class each: without mixup and probability")
        if self.quantization.rounds and self.model.precision != "float32":
            raise ValueError(
                f"quantization with precision {self.model.precision!r}, whose own steps are as coarse as those of int8:"
                ' set model.precision = "float32"'
            )
        if self.augment.mixup and self.distillation is not None and self.distillation.views == "cached":
            raise ValueError('mixup needs views = "live": the teachers have no answers for mixtures of cached views')


def list_recipes(kind: str = CLASSIFIER) -> list[str]:
    """The names of the recipes of one kind that the project brings."""
    return [name for name in list_tables(RECIPES) if kind_of(name) == kind]


def recipe_file(name_or_path: str) -> TableFile:
    """The file of a recipe by its name in `train/recipes/`, or by its path. Raises RecipeError."""
    return read_table(name_or_path, RECIPES, "recipe", RecipeError)


def recipe_table(name_or_path: str) -> dict[str, Any]:
    """A recipe's file as it is, with its own hash as `sha256`. Raises RecipeError."""
    file = recipe_file(name_or_path)
    if "sha256" in file.table:
        raise RecipeError(f"{file.path.name}: sha256 is no known key", "a recipe's own keys", "remove it")
    return {**file.table, "sha256": file.sha256}


def kind_of(name_or_path: str) -> str:
    """What a recipe trains: its key `kind`, or "classifier" where it has none. Raises RecipeError."""
    return str(recipe_table(name_or_path).get("kind", CLASSIFIER))


def read_recipe(name_or_path: str) -> Recipe:
    """A classifier's recipe by its name in `train/recipes/`, or by the path of a TOML file.

    Raises:
        RecipeError: no such recipe, not TOML, an unknown key or a wrong value, or a recipe of another kind.
    """
    table = recipe_table(name_or_path)
    if table.get("kind", CLASSIFIER) != CLASSIFIER:
        raise RecipeError(
            f"recipe {name_or_path!r} of kind {table['kind']!r}",
            "a classifier's",
            f"name one of {', '.join(list_recipes())}, or use `fit`, which takes both",
        )
    return parse_table(Recipe, table, recipe_file(name_or_path).path.name, RecipeError)


def check_kind(recipe: Recipe, taught: bool) -> None:
    """Raises RecipeError where a student's recipe is fitted without `taught`, or another one with it."""
    if taught == (recipe.distillation is not None):
        return
    student = f"{recipe.name}, a student's recipe (it has a table distillation)"
    raise RecipeError(
        f"the recipe {recipe.name}, which has no table distillation" if taught else student,
        "a student's recipe" if taught else "a recipe without that table",
        "add [distillation], or train it with `python -m train fit`"
        if taught
        else f"train it with `python -m train distill --recipe {recipe.name} --teacher RUN`",
    )


def student_name(recipe: Recipe, *, without_teacher: bool) -> str:
    """What a student's run is called, where its folder has no name of its own."""
    return f"{recipe.name}_without_teacher" if without_teacher else recipe.name
