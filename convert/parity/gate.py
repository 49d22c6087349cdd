"""Thresholds that decide whether a candidate may ship: a TOML file in which every key is named.

gate = read_gate("default")        # convert/gates/default.toml, or the path of another
verdict = judge(gate, comparison)  # of convert.parity.verdict
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convert.parity.errors import GateError
from edge_runtime.tables import list_tables, read_table

__all__ = [
    "CANNOT_JUDGE",
    "GATES",
    "KEYS",
    "LEAVE_OUT",
    "LINES",
    "OFF",
    "SHARED_LIMITS",
    "Gate",
    "check_keys",
    "list_gates",
    "parse_gate",
    "parse_thresholds",
    "read_gate",
]

GATES = Path(__file__).parent.parent / "gates"
OFF = "off"
CANNOT_JUDGE, LEAVE_OUT = "cannot judge", "leave out"

SHARED_LIMITS = {
    "latency_ratio": (math.inf, "a ratio above 0"),
    "size_ratio": (math.inf, "a ratio above 0"),
    "size_bytes": (math.inf, "a number of bytes above 0"),
}
"""Largest threshold, and what it is, of the lines that every gate has."""

_LIMITS = {
    "accuracy_drop_points": (100.0, "points from 0 to 100"),
    "accuracy_drop_upper_points": (100.0, "points from 0 to 100"),
    "agreement": (1.0, "a share from 0 to 1"),
    "worst_class_recall_drop_points": (100.0, "points from 0 to 100"),
    "mean_drift": (1.0, "a probability from 0 to 1"),
    "max_drift": (1.0, "a probability from 0 to 1"),
    **SHARED_LIMITS,
}
LINES = tuple(_LIMITS)
"""The lines that are judged, in order; each may be "off"."""

KEYS = (*LINES[:4], "class_least_faces", "small_classes", *LINES[4:])
"""Every key of a gate file; each must be there."""

_POSITIVE = tuple(SHARED_LIMITS)


@dataclass(frozen=True)
class Gate:
    """Thresholds; None is "off". `convert.parity.verdict` says how each line is judged.

    Attributes:
        name: of the gate, for reports.
        sha256: of its file.
        accuracy_drop_points: most points of accuracy that may be lost, as measured.
        accuracy_drop_upper_points: the same at the upper end of the drop's 95 % interval.
        agreement: least share of faces with the same answer, 0 to 1.
        worst_class_recall_drop_points: most points of recall that any class may lose.
        class_least_faces: a class with fewer labelled faces is small.
        small_classes: `CANNOT_JUDGE` or `LEAVE_OUT`.
        mean_drift, max_drift: most |Δp|.
        latency_ratio, size_ratio: most of candidate over reference.
        size_bytes: most bytes of the candidate.
    """

    name: str
    sha256: str
    accuracy_drop_points: float | None
    accuracy_drop_upper_points: float | None
    agreement: float | None
    worst_class_recall_drop_points: float | None
    class_least_faces: int
    small_classes: str
    mean_drift: float | None
    max_drift: float | None
    latency_ratio: float | None
    size_ratio: float | None
    size_bytes: float | None

    def allowed(self, line: str) -> float | None:
        """The threshold of one of `LINES`; None is "off"."""
        value: float | None = getattr(self, line)
        return value

    def as_json(self) -> dict[str, Any]:
        values = {key: getattr(self, key) for key in KEYS}
        return {
            "name": self.name,
            "sha256": self.sha256,
            "thresholds": {key: OFF if value is None else value for key, value in values.items()},
        }


def list_gates() -> list[str]:
    """Names of the gates that come with fer-edge."""
    return list_tables(GATES)


def read_gate(name_or_path: str | Path) -> Gate:
    """Reads a gate by name or path.

    Raises:
        GateError: no such file, no TOML, or what `parse_gate` refuses.
    """
    file = read_table(name_or_path, GATES, "gate", GateError)
    return parse_gate(file.table, file.path.stem, file.sha256, file.path.name)


def parse_gate(table: Mapping[str, Any], name: str, sha256: str, where: str) -> Gate:
    """Makes a gate of what TOML gave; `where` is its file, for messages.

    Raises:
        GateError: an unknown key, a missing one, a value of another type or range, or nothing that is judged.
    """
    check_keys(table, KEYS, LINES, where)
    thresholds = parse_thresholds(table, _LIMITS, where)
    least, small = table["class_least_faces"], table["small_classes"]
    if type(least) is not int or least < 1:
        raise GateError(
            f"{where}: class_least_faces = {least!r}", "a whole number of faces, at least 1", "correct its value"
        )
    if small not in (CANNOT_JUDGE, LEAVE_OUT):
        raise GateError(
            f"{where}: small_classes = {small!r}", f'"{CANNOT_JUDGE}" or "{LEAVE_OUT}"', "choose one of them"
        )
    return Gate(name, sha256, class_least_faces=least, small_classes=small, **thresholds)


def check_keys(table: Mapping[str, Any], keys: Sequence[str], lines: Sequence[str], where: str) -> None:
    """Raises GateError for a key that is none of `keys`, and for one of them that is missing; `lines` may be "off"."""
    for key in table:
        if key not in keys:
            near = difflib.get_close_matches(key, keys, n=1)
            mend = f"did you mean {near[0]!r}?" if near else "remove it or use one of those"
            raise GateError(f"{where}: {key} is no known key", f"one of {', '.join(keys)}", mend)
    missing = [key for key in keys if key not in table]
    if missing:
        raise GateError(
            f"{where}: no {', '.join(missing)}",
            "every key of a gate: a missing threshold would pass unseen",
            f'add {missing[0]} = …, or {missing[0]} = "off" to say that it is not judged'
            if missing[0] in lines
            else f"add {missing[0]} = …",
        )


def parse_thresholds(
    table: Mapping[str, Any], limits: Mapping[str, tuple[float, str]], where: str
) -> dict[str, float | None]:
    """The threshold of each line, None where it is "off".

    Args:
        table: what TOML gave; every line is there.
        limits: of each line, the largest threshold, and what it is in words.
        where: the file, for messages.

    Raises:
        GateError: a value of another type or range, or nothing that is judged.
    """
    thresholds = {key: _threshold(key, table[key], limit, where) for key, limit in limits.items()}
    if all(value is None for value in thresholds.values()):
        raise GateError(f'{where}: every line is "off"', "at least one that is judged", "set a threshold")
    return thresholds


def _threshold(key: str, value: Any, limit: tuple[float, str], where: str) -> float | None:
    if value == OFF:
        return None
    most, expected = limit
    # A bool is an int in Python, and no threshold.
    number = type(value) in (int, float) and math.isfinite(value)
    if not number or not 0 <= value <= most or (key in _POSITIVE and value == 0):
        raise GateError(f"{where}: {key} = {value!r}", f'{expected}, or "off"', "correct its value")
    return float(value)
