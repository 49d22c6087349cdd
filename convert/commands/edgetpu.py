"""`python -m convert edgetpu`: which operators run on a Coral Edge TPU, predicted or as its compiler says."""

from __future__ import annotations

import argparse
import json
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from convert.commands.options import check_out
from convert.dense import dense_as_convolutions
from convert.edgetpu import CompilerLog, Fate, Prediction, Row, compile_model, find_compiler, predict, read_rules
from convert.edgetpu.compiler import where_to_get_it
from convert.errors import UsageError
from convert.graph import read_operators
from edge_runtime.detectors.detector_bundle import read_any_bundle
from edge_runtime.members import is_shipped
from edge_runtime.running import DONE, FAILED

__all__ = ["run"]

_WIDTH = 100
_MOST_BREAKERS = 5


def run(arguments: argparse.Namespace) -> int:
    """Returns 0 where all operators run on the Edge TPU, 1 where some stay on the CPU; a wrong input raises."""
    if arguments.check and arguments.out is not None:
        raise UsageError("--out with --check", "one of them: --check compiles nothing", "leave one out")
    content, name = _read(arguments.model)
    out = arguments.out or Path(f"{name}_edgetpu.tflite")
    if not arguments.check:
        check_out(out, ".tflite")
    graph = read_operators(content, str(arguments.model))
    if arguments.prepare:
        content = dense_as_convolutions(content)
        graph = read_operators(content, str(arguments.model))
    prediction = predict(graph, read_rules())
    program = None if arguments.check else find_compiler()
    log = None if program is None else compile_model(content, out, program)
    if arguments.json:
        print(json.dumps(_as_json(name, prediction, log), indent=2, ensure_ascii=False))
    else:
        _tell(str(arguments.model), prediction, log, out)
    if log is None and not arguments.check:
        raise where_to_get_it()
    return DONE if (prediction if log is None else log).whole else FAILED


def _read(model: Path) -> tuple[bytes, str]:
    """The bytes of a .tflite file or of a bundle's model, and a name for what is made of them."""
    if not model.is_dir() and not is_shipped(model):
        return model.read_bytes(), model.stem
    bundle = read_any_bundle(model)
    return bundle.model, bundle.name


def _tell(where: str, prediction: Prediction, log: CompilerLog | None, out: Path) -> None:
    mapped = sum(fate.mapped for fate in prediction.fates)
    print(
        f"{where}: {mapped} of {len(prediction.fates)} operators on the Edge TPU, predicted for compiler {prediction.compiler}"
    )
    _table(prediction.rows)
    for number, fate in enumerate(prediction.breakers[:_MOST_BREAKERS]):
        for line in _breaker(fate, prediction.stranded if number == 0 else None):
            print(line)
    if len(prediction.breakers) > _MOST_BREAKERS:
        print(f"  and {len(prediction.breakers) - _MOST_BREAKERS} more operators that cannot be mapped")
    if prediction.refused:
        print("  the compiler refuses the whole model")
    for note in prediction.notes:
        print(*_wrapped("note", note), sep="\n")
    if log is None:
        return
    if log.refused:
        print(f"edgetpu_compiler {log.version} refuses the model: {log.refused}")
        return
    print(f"{out}: compiled by edgetpu_compiler {log.version}")
    _table(log.rows)
    for line in _disagreements(prediction, log):
        print(f"  {line}")


def _table(rows: Sequence[Row]) -> None:
    for row in sorted(rows, key=lambda row: (not row.mapped, -row.count, row.operator)):
        print(f"  {row.operator:<24} {row.count:>4}  {row.status}")


def _breaker(fate: Fate, stranded: int | None) -> list[str]:
    said = f"operator {fate.place}, {fate.operator}, {fate.reason}"
    if stranded is None:
        lines = _wrapped("too", said)
    elif stranded:
        lines = _wrapped("first on the CPU", f"{said}; {stranded} that could be mapped stay with it")
    else:
        lines = _wrapped("first on the CPU", said)
    if stranded is None:
        return lines
    lines += _wrapped("gives", fate.output)
    lines += _wrapped("mend", fate.mend)
    inferred = "inferred, not seen in a log; " if fate.inferred else ""
    return lines + _wrapped("source", f"{inferred}{fate.source.url if fate.source else ''}")


def _disagreements(prediction: Prediction, log: CompilerLog) -> list[str]:
    """Where the compiler maps another number of an operator than was predicted."""
    lines = []
    for operator in sorted({row.operator for row in (*prediction.rows, *log.rows)}):
        expected, found = (
            sum(row.count for row in rows if row.operator == operator and row.mapped)
            for rows in (prediction.rows, log.rows)
        )
        if expected != found:
            lines.append(
                f"{operator}: {expected} predicted to be mapped, {found} were; please report it with the model"
            )
    return lines


def _as_json(name: str, prediction: Prediction, log: CompilerLog | None) -> dict[str, Any]:
    first = prediction.first
    return {
        "format": 1,
        "model": name,
        "prediction": {
            "compiler": prediction.compiler,
            "whole": prediction.whole,
            "refused": prediction.refused,
            "rows": [asdict(row) for row in prediction.rows],
            "first": None if first is None else asdict(first),
            "stranded": prediction.stranded,
            "unmapped": [asdict(fate) for fate in prediction.breakers],
            "notes": list(prediction.notes),
        },
        "compiler": None if log is None else {**asdict(log), "whole": log.whole},
    }


def _wrapped(name: str, text: str) -> list[str]:
    return textwrap.wrap(
        f"{name}: {text}", _WIDTH, initial_indent="  ", subsequent_indent="    ", break_long_words=False
    )
