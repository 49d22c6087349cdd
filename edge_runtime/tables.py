"""TOML files into frozen dataclasses: unknown keys and wrong types are refused, with the nearest right name.

The configuration file, the recipes of training and conversion and gates are read by it, each with an error of its own.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import math
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from edge_runtime.errors import ExplainedError

__all__ = ["TableFile", "list_tables", "parse_table", "read_table"]

T = TypeVar("T")


@dataclass(frozen=True)
class TableFile:
    """A TOML file as it was read.

    path: where; content: its bytes; table: what they say.
    """

    path: Path
    content: bytes
    table: dict[str, Any]

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def list_tables(folder: Path) -> list[str]:
    """The names of the TOML files in a folder that the project brings."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def read_table(name_or_path: str | Path, folder: Path | None, what: str, error: type[ExplainedError]) -> TableFile:
    """A TOML file by its name in `folder`, without the suffix, or by its path.

    Args:
        folder: of the files that the project brings; None where it brings none.
        what: it is, for messages: "recipe".
        error: what is raised.

    Raises:
        error: no such file, or no TOML.
    """
    known = [] if folder is None else list_tables(folder)
    path = Path(name_or_path)
    if folder is not None and str(name_or_path) in known:
        path = folder / f"{name_or_path}.toml"
    try:
        content = path.read_bytes()
    except OSError as missing:
        near = difflib.get_close_matches(str(name_or_path), known, n=1)
        raise error(
            f"{what} {str(name_or_path)!r}: {missing.strerror or missing}",
            f"one of {', '.join(known)}, or the path of a TOML file" if known else "the path of a TOML file",
            f"did you mean {near[0]!r}?" if near else "check the name",
        ) from missing
    try:
        return TableFile(path, content, tomllib.loads(content.decode()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as broken:
        raise error(f"{path}: {broken}", "a TOML file", "correct that line") from broken


def parse_table(cls: type[T], table: Mapping[str, Any], where: str, error: type[ExplainedError], inside: str = "") -> T:
    """Makes a `cls` from `table`.

    Fields may be bool, int, float, str, a dataclass, a tuple of one of these, or a dict of names to one of all these. An int is taken where a float is
    meant; a bool is never taken for a number.

    Args:
        cls: the dataclass.
        table: what TOML gave.
        where: the file, for messages: "simple_cnn.toml".
        error: what is raised.
        inside: the key of the table in its file, for messages: "schedule".

    Raises:
        error: an unknown or missing key, a wrong type, or a value that `cls` itself refuses (ValueError).
    """
    fields = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    hints = typing.get_type_hints(cls)
    for key in table:
        if key not in fields:
            near = difflib.get_close_matches(key, fields, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "remove it or use one of those"
            raise error(f"{where}: {_dotted(inside, key)} is no known key", f"one of {', '.join(fields)}", hint)
    values = {key: _parse(hints[key], value, where, error, _dotted(inside, key)) for key, value in table.items()}
    for name, field in fields.items():
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and name not in values:
            missing = _dotted(inside, name)
            raise error(f"{where}: no {missing}", f"the keys {', '.join(fields)}", f"add {name} = …")
    try:
        return cls(**values)
    except ValueError as refused:
        what = f"{inside}: {refused}" if inside else str(refused)
        raise error(f"{where}: {what}", "values in range that fit together", f"correct {where}") from refused


def _dotted(inside: str, key: str) -> str:
    return f"{inside}.{key}" if inside else key


def _parse(hint: Any, value: Any, where: str, error: type[ExplainedError], key: str) -> Any:
    if isinstance(hint, types.UnionType):
        hint = next(option for option in typing.get_args(hint) if option is not type(None))
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise error(f"{where}: {key} = {value!r}", "a list", "put it into [ ]")
        inner = typing.get_args(hint)[0]
        return tuple(_parse(inner, item, where, error, f"{key}[{index}]") for index, item in enumerate(value))
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, Mapping):
            raise error(f"{where}: {key} = {value!r}", "a table", f"write it as [{key}]")
        return parse_table(typing.cast(type[Any], hint), value, where, error, key)
    if typing.get_origin(hint) is dict:
        if not isinstance(value, Mapping):
            raise error(f"{where}: {key} = {value!r}", "a table", f"write it as [{key}]")
        inner = typing.get_args(hint)[1]
        if inner is Any:
            return dict(value)
        return {name: _parse(inner, item, where, error, _dotted(key, name)) for name, item in value.items()}
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise error(f"{where}: {key} = {value!r} ({type(value).__name__})", f"a {hint.__name__}", "correct its type")
    if isinstance(value, float) and not math.isfinite(value):
        raise error(f"{where}: {key} = {value}", "a finite number", "correct its value")
    return value
