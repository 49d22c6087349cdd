"""A parity report read back: as much of `report.json` as an explanation needs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convert.parity.errors import ReportError
from convert.parity.evidence import Probe, probes_from_json
from convert.parity.result import RESULT_FORMAT, ParityResult
from convert.parity.verdict import Outcome
from edge_runtime.members import FACE_DETECTOR

__all__ = ["REPORTS", "Judgement", "Report", "Reported", "Signal", "as_report", "read_report"]

REPORTS = ("report.json", "parity.json")
"""What a report folder's result may be called."""

MOST_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True)
class Judgement:
    """One line of the gate, as it was judged."""

    key: str
    outcome: Outcome
    text: str


@dataclass(frozen=True)
class Signal:
    """One tensor: its values in float32, and how its integers meet them.

    Attributes:
        tensor: its name.
        decibels: signal to noise; None where both are equal.
        low, high: of the values in float32.
        least, most: that its integers reach; None where it is not quantized.
        clipped: share of the float values beyond that.
    """

    tensor: str
    decibels: float | None
    low: float
    high: float
    least: float | None
    most: float | None
    clipped: float


@dataclass(frozen=True)
class Reported:
    """One candidate of a report.

    Attributes:
        name, arithmetic: of the candidate.
        outcome: what the gate said.
        lines: of the gate.
        labels: names of the classes.
        agreement: share of faces answered as the reference does.
        only_answer: the class that it answers for every face, where there is only one.
        probes: the evidence.
        signals: of its tensors, in the order of the net; none where they were not compared.
    """

    name: str
    arithmetic: str
    outcome: Outcome
    lines: tuple[Judgement, ...]
    labels: tuple[str, ...]
    agreement: float
    only_answer: str | None
    probes: tuple[Probe, ...]
    signals: tuple[Signal, ...] = ()


@dataclass(frozen=True)
class Report:
    """All candidates of a report. `refused`: name and reason of those that could not be compared."""

    path: Path
    outcome: Outcome
    candidates: tuple[Reported, ...]
    refused: tuple[tuple[str, str], ...] = ()


def read_report(path: Path) -> Report:
    """Reads a report's folder or its JSON file.

    Raises:
        ReportError: no such report, no report at all, a damaged one, or one of a newer version.
    """
    path = _file(path)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ReportError(f"{path}: {path.stat().st_size:,} bytes", "a parity report", "check the path")
        table = json.loads(path.read_bytes())
    except OSError as error:
        raise ReportError(
            f"{path}: {error.strerror or error}", "the report of `python -m convert parity`", "check the path"
        ) from error
    except (ValueError, RecursionError) as error:
        raise ReportError(f"{path}: no JSON ({error})", "a whole report.json", "run parity again") from error
    if not isinstance(table, dict) or not {"format", "candidates", "gate"} <= set(table):
        raise ReportError(
            f"{path}: no parity report", "report.json as `python -m convert parity --report DIR` writes it", "name that"
        )
    if table.get("kind") == FACE_DETECTOR:
        raise ReportError(
            f"{path}: the report of a face detector",
            "a classifier's, whose causes are known",
            "open its page: it shows the frames in which a face was lost",
        )
    if table["format"] != RESULT_FORMAT:
        raise ReportError(
            f"{path}: a report of format {table['format']!r}",
            f"format {RESULT_FORMAT}",
            "run parity again with this version, or explain it with the version that wrote it",
        )
    try:
        return _report(path, table)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ReportError(
            f"{path}: damaged ({type(error).__name__}: {error})", "a whole parity report", "run parity again"
        ) from error


def as_report(result: ParityResult) -> Report:
    """A result that was not written yet, as it will be read back."""
    return _report(Path(REPORTS[0]), result.as_json())


def _file(path: Path) -> Path:
    if not path.is_dir():
        return path
    for name in REPORTS:
        if (path / name).is_file():
            return path / name
    raise ReportError(
        f"{path}: a folder without {' or '.join(REPORTS)}",
        "the folder that `python -m convert parity --report DIR` wrote",
        "check the path",
    )


def _report(path: Path, table: Mapping[str, Any]) -> Report:
    labels = tuple(str(name) for name in table["data"]["labels"])
    signals = {str(each["candidate"]): _signals(each) for each in table.get("signals", ())}
    candidates = tuple(_candidate(each, labels, signals, str(path)) for each in table["candidates"])
    if not candidates:
        raise ValueError("no candidate")
    refused = tuple((str(each["name"]), str(each["reason"])) for each in table.get("refused", ()))
    return Report(path, Outcome(table["outcome"]), candidates, refused)


def _candidate(
    table: Mapping[str, Any], labels: tuple[str, ...], signals: Mapping[str, tuple[Signal, ...]], where: str
) -> Reported:
    side, verdict = table["side"], table["verdict"]
    return Reported(
        str(side["name"]),
        str(side["model"]["arithmetic"]),
        Outcome(verdict["outcome"]),
        tuple(Judgement(str(line["key"]), Outcome(line["outcome"]), str(line["text"])) for line in verdict["lines"]),
        labels,
        float(table["agreement"]["share"]),
        side["only_answer"],
        probes_from_json(table.get("probes", ()), where),
        signals.get(str(side["name"]), ()),
    )


def _signals(table: Mapping[str, Any]) -> tuple[Signal, ...]:
    return tuple(
        Signal(
            str(each["tensor"]),
            _number(each["sqnr_db"]),
            float(each["low"]),
            float(each["high"]),
            _number(each["representable_low"]),
            _number(each["representable_high"]),
            float(each["clipped"]),
        )
        for each in table["layers"]
    )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
