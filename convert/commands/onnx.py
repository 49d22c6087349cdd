"""`python -m convert onnx`: a saved Keras model becomes FILE.onnx and its card FILE.onnx.json."""

from __future__ import annotations

import argparse
import hashlib
import sys
from dataclasses import asdict
from pathlib import Path

from convert.card import Card, card_path
from convert.check import check_budget
from convert.commands.options import check_out, chosen_illumination
from convert.errors import UsageError
from convert.onnx import OPSET, PACKAGES, convert_onnx
from convert.source import read_keras, versions
from convert.training import labels_beside
from edge_runtime.files import file_sha256, write_whole
from edge_runtime.labels import LabelSet, label_set

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Returns 0; whatever is wrong raises."""
    source: Path = arguments.model
    out: Path = arguments.out or source.parent / "model.onnx"
    check_out(out, ".onnx")
    illumination = chosen_illumination(arguments.illumination, source)
    labels = _labels(arguments.label_set, source)
    model = read_keras(source)
    if sys.stderr.isatty():
        print(f"converting {source} to ONNX, which takes some ten seconds", file=sys.stderr)
    made = convert_onnx(model, labels, illumination, str(source))
    check_budget(len(made.content), arguments.most_bytes, str(out))
    card = Card(
        "float32",
        hashlib.sha256(made.content).hexdigest(),
        len(made.content),
        source.name,
        file_sha256(source),
        versions(*PACKAGES),
        made.operators,
        None,
        illumination,
        recipe={"name": "onnx", "opset": OPSET},
        trial=asdict(made.trial),
    )
    write_whole(out, made.content)
    write_whole(card_path(out), card.to_json())
    print(f"{out}: ONNX opset {OPSET}, {len(made.content):,} bytes, {sum(made.operators.values())} operators")
    print(f"  input uint8 N × {made.facts.size} × {made.facts.size} × {made.facts.channels}")
    print(f"  answers {', '.join(labels.names)}")
    print(f"  within {made.trial.largest:.1g} of Keras on {made.trial.count} made-up pictures, in ONNX Runtime")
    print(f"  card {card_path(out)}")
    return 0


def _labels(asked: str | None, source: Path) -> LabelSet:
    """What --label-set or the run card beside the model says; both must agree."""
    if asked is not None:
        asked_labels = label_set(asked)
        trained = labels_beside(source)
        if trained is not None and trained.names != asked_labels.names:
            raise UsageError(
                f"--label-set {asked} for {source}",
                f"{trained.name}, which the run card beside it names",
                "leave the option out",
            )
        return asked_labels
    trained = labels_beside(source)
    if trained is None:
        raise UsageError(
            f"{source} without a run.json beside it and without --label-set",
            "--label-set SET: the names of its outputs",
            "add --label-set fer2013, or the set that it was trained with",
        )
    return trained
