"""A recipe: how one model is converted, as a TOML file in `convert/recipes/` or anywhere."""

from __future__ import annotations

import difflib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from convert.calibration import DEFAULT_COUNT
from convert.errors import RecipeError
from convert.kinds import IO, KINDS
from edge_runtime.tables import list_tables, parse_table, read_table

__all__ = ["DENSE", "RECIPES", "Recipe", "list_recipes", "read_recipe"]

RECIPES = Path(__file__).parent / "recipes"
DENSE = ("dense", "convolution")


@dataclass(frozen=True)
class Recipe:
    """How a model is converted.

    Attributes:
        name: of the recipe; a shipped one has its file's name.
        kind: one of KINDS.
        purpose: when to take it, in a line.
        io: what an int8 model reads and answers in, "uint8" or "int8"; the other kinds read uint8.
        keep_layers: Keras layers that a mixed model keeps in float32; shell patterns such as "block5_*" are taken.
        keep_operators: TFLite operators that it keeps in float32, such as "SOFTMAX".
        dense: how an int8 model's dense layers are written, one of DENSE; "convolution" gives the same integers, and is
            what the Edge TPU's compiler is known to map.
        count, seed: of the calibration faces.
        sha256: of the file.
    """

    name: str
    kind: str
    purpose: str
    io: str = "uint8"
    keep_layers: tuple[str, ...] = ()
    keep_operators: tuple[str, ...] = ()
    dense: str = "dense"
    count: int = DEFAULT_COUNT
    seed: int = 1
    sha256: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            near = difflib.get_close_matches(self.kind, KINDS, n=1)
            hint = f", did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"kind {self.kind!r}, but only {', '.join(KINDS)} are known{hint}")
        if self.io not in IO:
            raise ValueError(f"io {self.io!r}, but only {', '.join(IO)} are known")
        if self.io != "uint8" and self.kind != "int8":
            raise ValueError(f"io {self.io!r} for the kind {self.kind}: only int8 has a choice")
        if self.dense not in DENSE:
            raise ValueError(f"dense {self.dense!r}, but only {', '.join(DENSE)} are known")
        if self.dense != DENSE[0] and self.kind != "int8":
            raise ValueError(f"dense {self.dense!r} for the kind {self.kind}: only int8 has a choice")
        kept = bool(self.keep_layers or self.keep_operators)
        if kept and not KINDS[self.kind].selective:
            raise ValueError(f"keep_layers or keep_operators for the kind {self.kind}: only mixed keeps any in float32")
        if not kept and KINDS[self.kind].selective:
            raise ValueError(f"the kind {self.kind} without keep_layers and keep_operators: nothing to keep in float32")

    @property
    def calibrated(self) -> bool:
        return KINDS[self.kind].calibrated

    def to_toml(self) -> str:
        """The recipe's file, without `sha256` and what is as by default; `read_recipe` reads it back."""
        values = {key: value for key, value in asdict(self).items() if key != "sha256"}
        always = ("name", "kind", "purpose", *(("count", "seed") if self.calibrated else ()))
        defaults = {field.name: field.default for field in fields(self)}
        # A JSON string or list of strings is one of TOML, too.
        lines = [
            f"{key} = {json.dumps(value, ensure_ascii=False)}"
            for key, value in values.items()
            if key in always or value != defaults[key]
        ]
        return "\n".join(lines) + "\n"


def list_recipes() -> list[str]:
    """The names of the recipes that the project brings."""
    return list_tables(RECIPES)


def read_recipe(name_or_path: str) -> Recipe:
    """A recipe by its name in `convert/recipes/`, or by the path of a TOML file.

    Raises:
        RecipeError: no such recipe, not TOML, an unknown key or a wrong value.
    """
    file = read_table(name_or_path, RECIPES, "recipe", RecipeError)
    if "sha256" in file.table:
        raise RecipeError(f"{file.path.name}: sha256 is no known key", "a recipe's own keys", "remove it")
    return parse_table(Recipe, {**file.table, "sha256": file.sha256}, file.path.name, RecipeError)
