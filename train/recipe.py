"""A recipe: one system to train, as a TOML file in `train/recipes/` or anywhere."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_runtime.tables import parse_table
from train.errors import RecipeError
from train.recipe_tables import AugmentOptions, ModelTable, Schedule, Targets

__all__ = ["CLASSIFIER", "RECIPES", "Recipe", "kind_of", "list_recipes", "read_recipe", "read_table", "where_of"]

RECIPES = Path(__file__).parent / "recipes"
CLASSIFIER = "classifier"
"""What a recipe without a key `kind` trains."""


@dataclass(frozen=True)
class Recipe:
    """One system: where it comes from, what it keeps and changes of its source, and how it is trained."""

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


def list_recipes(kind: str = CLASSIFIER) -> list[str]:
    """The names of the recipes of one kind that the project brings."""
    return sorted(path.stem for path in RECIPES.glob("*.toml") if kind_of(path.stem) == kind)


def kind_of(name_or_path: str) -> str:
    """What a recipe trains: its key `kind`, or "classifier" where it has none. Raises RecipeError as `read_table` does."""
    return str(read_table(name_or_path).get("kind", CLASSIFIER))


def read_recipe(name_or_path: str) -> Recipe:
    """A classifier's recipe by its name in `train/recipes/`, or by the path of a TOML file.

    Raises:
        RecipeError: no such recipe, not TOML, an unknown key or a wrong value, or a recipe of another kind.
    """
    table = read_table(name_or_path)
    if table.get("kind", CLASSIFIER) != CLASSIFIER:
        raise RecipeError(
            f"recipe {name_or_path!r} of kind {table['kind']!r}",
            "a classifier's",
            f"name one of {', '.join(list_recipes())}, or use `fit`, which takes both",
        )
    return parse_table(Recipe, table, where_of(name_or_path).name, RecipeError)


def where_of(name_or_path: str) -> Path:
    """The file of a recipe. Raises RecipeError where there is none."""
    path = RECIPES / f"{name_or_path}.toml"
    if not path.exists():
        path = Path(name_or_path)
    if not path.is_file():
        known = ", ".join(sorted(path.stem for path in RECIPES.glob("*.toml")))
        raise RecipeError(f"recipe {name_or_path!r}", f"one of {known}, or the path of a TOML file", "check the name")
    return path


def read_table(name_or_path: str) -> dict[str, Any]:
    """A recipe's file as it is, with its own hash as `sha256`.

    Raises:
        RecipeError: no such file, or not TOML.
    """
    path = where_of(name_or_path)
    data = path.read_bytes()
    try:
        table = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: {error}", "a TOML file", "correct that line") from error
    if "sha256" in table:
        raise RecipeError(f"{path.name}: unknown key 'sha256'", "a recipe's own keys", "remove it")
    return {**table, "sha256": hashlib.sha256(data).hexdigest()}
