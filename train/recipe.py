"""A recipe: one system to train, as a TOML file in `train/recipes/` or anywhere."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from edge_runtime.tables import parse_table
from train.errors import RecipeError
from train.recipe_tables import AugmentOptions, Distillation, ModelTable, Schedule, Targets

__all__ = ["RECIPES", "Recipe", "list_recipes", "read_recipe"]

RECIPES = Path(__file__).parent / "recipes"


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
    distillation: Distillation | None = None
    seed: int = 1
    sha256: str = ""

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
        if self.augment.mixup and self.distillation is not None and self.distillation.views == "cached":
            raise ValueError('mixup needs views = "live": the teachers have no answers for mixtures of cached views')


def list_recipes() -> list[str]:
    """The names of the recipes that the project brings."""
    return sorted(path.stem for path in RECIPES.glob("*.toml"))


def read_recipe(name_or_path: str) -> Recipe:
    """A recipe by its name in `train/recipes/`, or by the path of a TOML file.

    Raises:
        RecipeError: no such recipe, not TOML, an unknown key or a wrong value.
    """
    path = RECIPES / f"{name_or_path}.toml"
    if not path.exists():
        path = Path(name_or_path)
    if not path.is_file():
        raise RecipeError(
            f"recipe {name_or_path!r}",
            f"one of {', '.join(list_recipes())}, or the path of a TOML file",
            "check the name",
        )
    data = path.read_bytes()
    try:
        table = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: {error}", "a TOML file", "correct that line") from error
    if "sha256" in table:
        raise RecipeError(f"{path.name}: unknown key 'sha256'", "a recipe's own keys", "remove it")
    return parse_table(Recipe, {**table, "sha256": hashlib.sha256(data).hexdigest()}, path.name, RecipeError)
