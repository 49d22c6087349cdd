"""The command `python -m convert`: a parser and plain functions. Sub-command modules are imported after parsing."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from convert.errors import BudgetError
from edge_runtime.running import Command

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command. Returns 0 done, 1 a model over its budget, 2 wrong use or input, 130 interrupted."""
    return Command("convert", "[convert]", failures=(BudgetError,)).run(_parser().parse_args(argv))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m convert", description="Trained models into int8 or float32 TFLite, and into bundles."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    tflite = commands.add_parser("tflite", help="a saved Keras model into a .tflite file and its card")
    tflite.add_argument("model", type=Path, metavar="MODEL.keras", help="pixels 0..255 to softmax probabilities")
    tflite.add_argument("--kind", required=True, choices=["int8", "float32"], help="of arithmetic; both read uint8")
    tflite.add_argument(
        "--calibration",
        type=Path,
        metavar="DATA",
        help="faces that set the ranges of int8: fer2013.csv, a folder of labelled pictures, or a prepared .npz",
    )
    tflite.add_argument(
        "--calibration-split", default="Training", metavar="NAME", help="the training split (default: Training)"
    )
    tflite.add_argument("--count", type=int, default=500, metavar="N", help="calibration faces (default: 500)")
    tflite.add_argument("--seed", type=int, default=1, metavar="N", help="that chooses them (default: 1)")
    tflite.add_argument(
        "--illumination",
        metavar="NAME",
        help="that the model was trained with (default: what the run.json beside it says; none where there is none)",
    )
    _most_bytes(tflite)
    tflite.add_argument("--out", type=Path, metavar="FILE.tflite", help="default: KIND.tflite beside the model")
    tflite.set_defaults(module="convert.commands.tflite")

    pack = commands.add_parser("pack", help="a converted model into a bundle for `fer-edge`")
    pack.add_argument("model", type=Path, metavar="MODEL.tflite", help="of `tflite`, with its card beside it")
    pack.add_argument("--name", required=True, metavar="NAME", help="of the bundle, such as fer2013")
    pack.add_argument("--label-set", required=True, metavar="SET", help="fer2013, ferplus or affectnet8")
    pack.add_argument(
        "--licence", default="not stated", metavar="TEXT", help="of the model's weights, such as Apache-2.0"
    )
    pack.add_argument("--run", type=Path, metavar="RUN_DIR", help="the run folder that the Keras model comes from")
    pack.add_argument(
        "--record",
        action="append",
        default=[],
        metavar="KIND=FILE.npz",
        help="what `fer-edge record` wrote for this bundle, and for its other kind on the same faces",
    )
    _most_bytes(pack)
    pack.add_argument("--out", type=Path, required=True, metavar="DIR", help="the bundle's folder")
    pack.add_argument("--replace", action="store_true", help="replace a bundle that is there already")
    pack.set_defaults(module="convert.commands.pack")
    return parser


def _most_bytes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--most-bytes", type=int, metavar="N", help="fail where the model's file is larger")
