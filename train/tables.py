"""TOML tables into frozen dataclasses: unknown keys and wrong types are refused, with the nearest right name."""

from __future__ import annotations

import dataclasses
import difflib
import math
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from train.errors import RecipeError

__all__ = ["parse_table"]

T = TypeVar("T")


def parse_table(cls: type[T], table: Mapping[str, Any], where: str, inside: str = "") -> T:
    """Makes a `cls` from `table`.

    Fields may be bool, int, float, str, a dataclass, or a tuple of one of these. An int is taken where a float is
    meant; a bool is never taken for a number.

    Args:
        cls: the dataclass.
        table: what TOML gave.
        where: the file, for messages: "simple_cnn.toml".
        inside: the key of the table in its file, for messages: "schedule".

    Raises:
        RecipeError: an unknown or missing key, a wrong type, or a value that `cls` itself refuses (ValueError).
    """
    fields = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    hints = typing.get_type_hints(cls)
    for key in table:
        if key not in fields:
            near = difflib.get_close_matches(key, fields, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "remove it or use one of those"
            raise RecipeError(f"{where}: {_dotted(inside, key)} is no known key", f"one of {', '.join(fields)}", hint)
    values = {key: _parse(hints[key], value, where, _dotted(inside, key)) for key, value in table.items()}
    for name, field in fields.items():
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and name not in values:
            missing = _dotted(inside, name)
            raise RecipeError(f"{where}: no {missing}", f"the keys {', '.join(fields)}", f"add {name} = …")
    try:
        return cls(**values)
    except ValueError as error:
        what = f"{inside}: {error}" if inside else str(error)
        raise RecipeError(f"{where}: {what}", "values that fit together", "correct the recipe") from error


def _dotted(inside: str, key: str) -> str:
    return f"{inside}.{key}" if inside else key


def _parse(hint: Any, value: Any, where: str, key: str) -> Any:
    if isinstance(hint, types.UnionType):
        hint = next(option for option in typing.get_args(hint) if option is not type(None))
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise RecipeError(f"{where}: {key} = {value!r}", "a list", "put it into [ ]")
        inner = typing.get_args(hint)[0]
        return tuple(_parse(inner, item, where, f"{key}[{index}]") for index, item in enumerate(value))
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, Mapping):
            raise RecipeError(f"{where}: {key} = {value!r}", "a table", f"write it as [{key}]")
        return parse_table(typing.cast(type, hint), value, where, key)
    if typing.get_origin(hint) is dict:
        if not isinstance(value, Mapping):
            raise RecipeError(f"{where}: {key} = {value!r}", "a table", f"write it as [{key}]")
        return dict(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise RecipeError(
            f"{where}: {key} = {value!r} ({type(value).__name__})", f"a {hint.__name__}", "correct its type"
        )
    if isinstance(value, float) and not math.isfinite(value):
        raise RecipeError(f"{where}: {key} = {value}", "a finite number", "correct its value")
    return value
