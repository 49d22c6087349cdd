"""What `edgetpu_compiler` prints and writes into its log, as data. Versions 2 to 16 have the same table."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from convert.errors import EdgeTpuError

__all__ = ["MAPPED", "STRANDED", "UNSUPPORTED", "CompilerLog", "Row", "parse_log"]

MAPPED = "Mapped to Edge TPU"
STRANDED = "More than one subgraph is not supported"
UNSUPPORTED = "Operation not supported"

_VERSION = re.compile(r"Edge TPU Compiler version (\S+)")
_HEAD = re.compile(r"^\s*Operator\s+Count\s+Status\s*$")
_ROW = re.compile(r"^\s*(\S+)\s+(\d+)\s+(\S.*?)\s*$")
_REFUSALS = (
    re.compile(r"^Compilation failed: (.*)"),
    re.compile(r"^ERROR: (.*)"),
    re.compile(r"^(Model not quantized|Model could not be parsed)"),
    re.compile(r"^(Internal compiler error)"),
    re.compile(r"^(Invalid model: .*)"),
    re.compile(r"^(Compilation failed!)"),
)
"""Texts of compilers that give no model, the most telling first."""


@dataclass(frozen=True)
class Row:
    """A row of the compiler's table: so many operators of a name with the same status."""

    operator: str
    count: int
    status: str

    @property
    def mapped(self) -> bool:
        return self.status == MAPPED


@dataclass(frozen=True)
class CompilerLog:
    """What the compiler said.

    Attributes:
        version: its own, such as "16.0.384591198".
        rows: the table, empty where it refuses the model.
        refused: why it refuses the model, empty where it compiles it.
    """

    version: str
    rows: tuple[Row, ...]
    refused: str

    @property
    def whole(self) -> bool:
        """All operators run on the Edge TPU."""
        return not self.refused and all(row.mapped for row in self.rows)


def parse_log(text: str, where: str) -> CompilerLog:
    """Reads the output of `edgetpu_compiler -s`, or the `_edgetpu.log` that it writes.

    Args:
        where: for messages.

    Raises:
        EdgeTpuError: neither a table nor a known refusal is in it.
    """
    lines = text.splitlines()
    version = _VERSION.search(text)
    heads = [index for index, line in enumerate(lines) if _HEAD.match(line)]
    rows = _rows(lines[heads[-1] + 1 :]) if heads else ()
    refused = "" if rows else _refusal(lines)
    if version is None or not (rows or refused):
        raise EdgeTpuError(
            f"{where}: no table of operators and no refusal in {len(lines)} lines of the Edge TPU compiler",
            "the output of `edgetpu_compiler -s`, version 2 to 16",
            "run edgetpu_compiler yourself and look at what it says",
        )
    return CompilerLog(version.group(1), rows, refused)


def _rows(lines: Iterable[str]) -> tuple[Row, ...]:
    """Rows up to the first line that is neither a row nor empty."""
    found = []
    for line in lines:
        row = _ROW.match(line)
        if row is not None:
            found.append(Row(row.group(1), int(row.group(2)), row.group(3)))
        elif line.strip():
            break
    return tuple(found)


def _refusal(lines: list[str]) -> str:
    for pattern in _REFUSALS:
        for line in lines:
            if match := pattern.match(line.strip()):
                return match.group(1)
    return ""
