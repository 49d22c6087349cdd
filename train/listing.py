"""`python -m train list`: the recipes that come with the project."""

from __future__ import annotations

import argparse

from train.detection.recipe import DETECTOR, DetectorRecipe, read_detector_recipe
from train.recipe import Recipe, list_recipes, read_recipe
from train.terminal import table

__all__ = ["run"]


def run(_: argparse.Namespace) -> int:
    """Prints each recipe's name, what it answers, input and epochs, and below it its source and what it is to reach."""
    recipes: list[Recipe | DetectorRecipe] = [read_recipe(name) for name in list_recipes()]
    recipes += [read_detector_recipe(name) for name in list_recipes(DETECTOR)]
    rows = []
    for recipe in recipes:
        colour = "grey" if recipe.model.channels == 1 else "BGR"
        if isinstance(recipe, Recipe):
            answer, size = recipe.label_set, f"{recipe.model.size} px"
        else:
            answer, size = "faces", f"{recipe.model.width} × {recipe.model.height} px"
        rows.append((recipe.name, answer, f"{size} {colour}", f"{recipe.schedule.epochs} epochs"))
    for line, recipe in zip(table(rows).splitlines(), recipes, strict=True):
        print(f"{line}\n    source: {recipe.source}\n    target: {recipe.target}")
    return 0
