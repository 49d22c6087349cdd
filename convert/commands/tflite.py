"""`python -m convert tflite`: a saved Keras model becomes FILE.tflite and its card FILE.tflite.json."""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

from convert.calibration import Calibration, choose_calibration, read_training_faces
from convert.card import Card, card_path
from convert.check import check_budget
from convert.errors import UsageError
from convert.graph import Graph, Tensor, read_graph
from convert.tflite import KerasFacts, convert_model, keras_facts, read_keras, versions
from convert.training import illumination_beside
from edge_runtime.files import write_whole
from edge_runtime.illumination import NO_ILLUMINATION, check_illumination

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Returns 0; whatever is wrong raises."""
    source, kind = arguments.model, arguments.kind
    out = arguments.out or source.parent / f"{kind}.tflite"
    if kind == "int8" and arguments.calibration is None:
        raise UsageError(
            "--kind int8 without --calibration", "--calibration DATA: faces that set the ranges of int8", "add it"
        )
    if kind == "float32" and arguments.calibration is not None:
        print("convert: float32 needs no calibration; --calibration is not read", file=sys.stderr)
    if out.suffix != ".tflite":
        raise UsageError(f"--out {out}", "a name that ends in .tflite", f"--out {out.with_suffix('.tflite')}")
    if not out.absolute().parent.is_dir():
        raise UsageError(f"--out {out}: no such folder", "a folder that exists", f"mkdir -p {out.parent}")
    illumination = _illumination(arguments.illumination, source)
    model = read_keras(source)
    facts = keras_facts(model, str(source))
    calibration = None if kind == "float32" else _calibration(arguments, facts, illumination)
    if sys.stderr.isatty():
        print(f"converting {source} to {kind}, which takes some ten seconds", file=sys.stderr)
    content = convert_model(model, kind, calibration, str(source))
    graph = read_graph(content, str(out))
    check_budget(len(content), arguments.most_bytes, str(out))
    card = Card(
        kind,
        hashlib.sha256(content).hexdigest(),
        len(content),
        source.name,
        hashlib.sha256(source.read_bytes()).hexdigest(),
        versions(),
        graph.operators,
        None if calibration is None else calibration.as_table(),
        illumination,
    )
    # An old card beside a new model would be refused by `pack`; a new one beside an old model, too.
    write_whole(out, content)
    write_whole(card_path(out), card.to_json())
    _print_summary(out, card, graph)
    return 0


def _illumination(asked: str | None, source: Path) -> str:
    """What --illumination or the run card beside the model says; both must agree."""
    trained = illumination_beside(source)
    if asked is None:
        return trained or NO_ILLUMINATION
    if check_illumination(asked) != (trained or asked):
        raise UsageError(
            f"--illumination {asked} for {source}",
            f"{trained}, which the run card beside it names",
            "leave the option out",
        )
    return asked


def _calibration(arguments: argparse.Namespace, facts: KerasFacts, illumination: str) -> Calibration:
    path: Path = arguments.calibration
    faces = read_training_faces(path, arguments.calibration_split)
    for problem in faces.problems:
        print(f"convert: {path}: {problem}; left out", file=sys.stderr)
    name = path.resolve().name
    return choose_calibration(faces, name, facts.size, facts.channels, arguments.count, arguments.seed, illumination)


def _print_summary(out: Path, card: Card, graph: Graph) -> None:
    print(f"{out}: {card.kind}, {card.size_bytes:,} bytes")
    operators = ", ".join(
        f"{count} {name}" for name, count in sorted(card.operators.items(), key=lambda item: -item[1])
    )
    print(f"  {sum(card.operators.values())} operators: {operators}")
    print(f"  input {_shown(graph.input)}")
    print(f"  output {_shown(graph.output)}")
    if card.calibration is not None:
        table = card.calibration
        print(f"  calibrated on {table['count']} {table['split']} faces of {table['source']}, seed {table['seed']}")
    if card.illumination != NO_ILLUMINATION:
        print(f"  illumination {card.illumination}, as in training")
    print(f"  card {card_path(out)}")


def _shown(tensor: Tensor) -> str:
    shape = " × ".join(str(side) for side in tensor.shape)
    if tensor.scale == 0:
        return f"{tensor.dtype} {shape}, not quantized"
    return f"{tensor.dtype} {shape}, scale {tensor.scale:.6g}, zero point {tensor.zero_point}"
