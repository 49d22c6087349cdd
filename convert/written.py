"""A converted model and its card, as files beside each other."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from convert.calibration import Calibration
from convert.card import Card, card_path
from convert.recipe import Recipe
from convert.source import versions
from convert.stability import Stability
from convert.tflite import Conversion, packages
from edge_runtime.files import file_sha256, write_whole
from edge_runtime.members import CLASSIFIER

__all__ = ["write_conversion"]


def write_conversion(
    out: Path,
    source: Path,
    recipe: Recipe,
    made: Conversion,
    calibration: Calibration | None,
    illumination: str,
    stability: Stability | None = None,
    subject: str = CLASSIFIER,
) -> Card:
    """Writes `out` and its card, which is returned.

    Args:
        out: the .tflite file.
        source: the Keras model's file.
        recipe: that `made` was converted by.
        calibration: None where its kind needs none.
        illumination: that the model was trained with.
        stability: where it was measured.
        subject: what the model is.

    Raises:
        OutputError: a file cannot be written.
    """
    card = Card(
        recipe.kind,
        hashlib.sha256(made.content).hexdigest(),
        len(made.content),
        source.name,
        file_sha256(source),
        versions(*packages(recipe)),
        made.graph.operators,
        None if calibration is None else calibration.as_table(),
        illumination,
        recipe.io,
        _recipe_table(recipe),
        made.kept,
        asdict(made.trial),
        None if stability is None else asdict(stability),
        subject,
    )
    # An old card beside a new model would be refused by `pack`; a new one beside an old model, too.
    write_whole(out, made.content)
    write_whole(card_path(out), card.to_json())
    return card


def _recipe_table(recipe: Recipe) -> dict[str, Any]:
    table = {key: value for key, value in asdict(recipe).items() if key in ("name", "sha256", "count", "seed")}
    if not recipe.calibrated:
        table = {key: table[key] for key in ("name", "sha256")}
    kept = {"keep_layers": list(recipe.keep_layers), "keep_operators": list(recipe.keep_operators)}
    return {**table, **(kept if recipe.kind == "mixed" else {})}
