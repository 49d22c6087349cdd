"""The command `python -m train`: a parser and plain functions. Sub-command modules are imported after parsing."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from edge_runtime.labels import LABEL_SETS
from edge_runtime.running import Command
from train.errors import DivergedError
from train.terminal import hushed

__all__ = ["main"]

_DATA = "fer2013.csv, icml_face_data.csv, a folder of labelled pictures, or an .npz of `prepare`"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command. Returns 0 done, 1 training diverged, 2 wrong use or input, 130 interrupted."""
    return Command("train", "[train]", failures=(DivergedError,), importing=hushed()).run(_parser().parse_args(argv))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m train", description="Train facial expression classifiers from recipes."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    prepare = commands.add_parser("prepare", help="labelled faces in any form into one .npz")
    prepare.add_argument("data", type=Path, metavar="DATA", help=_DATA)
    _votes(prepare)
    prepare.add_argument("--size", type=_side, metavar="N", help="scale faces to N × N px (default: as they are)")
    prepare.add_argument(
        "--channels", type=int, choices=[1, 3], help="1 grey, 3 colour (default: as they are; a folder: grey)"
    )
    _labels(prepare)
    prepare.add_argument("--out", type=Path, required=True, metavar="FILE.npz")
    prepare.set_defaults(module="train.prepare")

    fit = commands.add_parser("fit", help="train a recipe, or go on with an interrupted run")
    fit.add_argument("--recipe", required=True, metavar="NAME_OR_PATH", help="a name of `list`, or a TOML file")
    fit.add_argument("--data", type=Path, metavar="DATA", help=_DATA)
    _votes(fit)
    fit.add_argument("--train-split", default="Training", metavar="NAME", help="faces to fit (default: Training)")
    fit.add_argument(
        "--choose-split",
        default="PublicTest",
        metavar="NAME",
        help="faces on which the best epoch is chosen (default: PublicTest)",
    )
    fit.add_argument(
        "--out",
        type=Path,
        metavar="RUN_DIR",
        help="the run folder; the same command goes on with it (default: runs/ and the recipe's name)",
    )
    fit.add_argument("--smoke", action="store_true", help="a trial: two short epochs on made-up faces, no --data")
    fit.set_defaults(module="train.run_folder")

    evaluate = commands.add_parser("evaluate", help="accuracy of a saved model, with its 95 %% interval")
    evaluate.add_argument("model", type=Path, metavar="RUN_OR_MODEL.keras", help="a run folder or a saved model")
    evaluate.add_argument("--data", type=Path, required=True, metavar="DATA", help=_DATA)
    _votes(evaluate)
    evaluate.add_argument(
        "--split", default="PublicTest", metavar="NAME", help="faces to evaluate on (default: PublicTest)"
    )
    evaluate.add_argument(
        "--train-split",
        metavar="NAME",
        help="faces that were fitted, to leave out repeated ones (default: the run card's, else Training)",
    )
    _labels(evaluate)
    evaluate.add_argument("--flip", action="store_true", help="average over each face and its mirror image")
    evaluate.add_argument("--json", action="store_true", help="print JSON instead of tables")
    evaluate.add_argument("--out", type=Path, metavar="DIR", help="write report, confusion matrix and JSON here")
    evaluate.set_defaults(module="train.evaluate")

    recipes = commands.add_parser("list", help="the recipes that come with the project")
    recipes.set_defaults(module="train.listing")
    return parser


def _votes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--votes", type=Path, metavar="CSV", help="FER+ votes for FER2013's csv: fer2013new.csv")


def _labels(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--label-set", choices=list(LABEL_SETS), help="labels wanted (default: the data's or the run's own)"
    )


def _side(text: str) -> int:
    value = int(text)
    if not 8 <= value <= 1024:
        raise argparse.ArgumentTypeError(f"{value} px; expected 8 to 1024")
    return value
