"""`python -m train list`: the recipes that come with the project."""

from __future__ import annotations

import argparse

from train.recipe import list_recipes, read_recipe
from train.terminal import table

__all__ = ["run"]


def run(_: argparse.Namespace) -> int:
    """Prints each recipe's name, label set, input and epochs, and below it its source and what it is to reach."""
    recipes = [read_recipe(name) for name in list_recipes()]
    rows = []
    for recipe in recipes:
        colour = "grey" if recipe.model.channels == 1 else "BGR"
        size = recipe.model.size
        rows.append((recipe.name, recipe.label_set, f"{size} px {colour}", f"{recipe.schedule.epochs} epochs"))
    for line, recipe in zip(table(rows).splitlines(), recipes, strict=True):
        print(f"{line}\n    source: {recipe.source}\n    target: {recipe.target}")
    return 0
