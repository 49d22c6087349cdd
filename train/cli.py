"""The command `python -m train`: a parser and plain functions. Sub-command modules are imported after parsing."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from edge_runtime.detectors import DEFAULT_DETECTOR
from edge_runtime.labels import LABEL_SETS
from edge_runtime.running import Command
from train.errors import DivergedError
from train.protocols import PROTOCOLS
from train.scenes.arguments import add_scenes
from train.terminal import hushed

__all__ = ["main"]

_DATA = "fer2013.csv, a data set's folder, a folder of labelled pictures, an .npz of `prepare` … (docs/datasets.md)"
_OR_SCENES = f"{_DATA}; for a face detector: an .npz of `scenes prepare`, or WIDER FACE"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command. Returns 0 done, 1 training diverged, 2 wrong use or input, 130 interrupted."""
    command = Command("train", "[train]", failures=(DivergedError,), checking=_check, importing=hushed())
    return command.run(_parser().parse_args(argv))


def _check(arguments: argparse.Namespace) -> None:
    from train.inputs import check_inputs

    check_inputs(arguments)


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
    prepare.add_argument(
        "--detector",
        default=DEFAULT_DETECTOR,
        metavar="NAME",
        help="finds the faces of data sets whose pictures are larger: tflite, tflite:BUNDLE_DIR, haar or yunet:MODEL.onnx (default: tflite)",
    )
    prepare.add_argument(
        "--group-split",
        action="append",
        type=_group_split,
        metavar="BEGINNING=NAME",
        help="call the faces of groups that begin so a split: F=female and M=male, for KDEF; may be repeated",
    )
    prepare.add_argument(
        "--unlabelled",
        action="store_true",
        help="DATA is a folder of pictures without labels, for `distill`: the largest face of each (--detector none: all of it)",
    )
    prepare.add_argument("--out", type=Path, required=True, metavar="FILE.npz")
    prepare.set_defaults(module="train.prepare")

    check = commands.add_parser("check", help="what is in a data set, and what is wrong with it: repeats, leaks, gaps")
    check.add_argument("data", type=Path, metavar="DATA", help=_DATA)
    _votes(check)
    _labels(check)
    check.add_argument("--size", type=_side, metavar="N", help="scale faces to N × N px first, where sizes differ")
    check.add_argument("--json", action="store_true", help="print JSON instead of tables")
    check.set_defaults(module="train.check")

    fit = commands.add_parser("fit", help="train recipes, or go on with an interrupted run")
    fit.add_argument(
        "--recipe",
        required=True,
        nargs="+",
        metavar="NAME_OR_PATH",
        help="names of `list`, or TOML files; several are trained one after the other",
    )
    _fitting(fit)
    fit.add_argument(
        "--negatives", type=Path, metavar="FILE.npz", help="of `scenes mine`, for a face detector's next round"
    )
    fit.add_argument("--smoke", action="store_true", help="a trial: two short epochs on made-up faces, no --data")
    fit.set_defaults(module="train.fit_command")

    distill = commands.add_parser("distill", help="train a student's recipe on the answers of finished runs")
    distill.add_argument("--recipe", required=True, metavar="NAME_OR_PATH", help="a name of `list`, or a TOML file")
    taught = distill.add_mutually_exclusive_group()
    taught.add_argument(
        "--teacher",
        type=Path,
        action="append",
        metavar="RUN",
        help="a finished run folder; may be repeated: the mean of their probabilities is learnt",
    )
    taught.add_argument(
        "--without-teacher",
        action="store_true",
        help="the baseline: the same recipe, schedule and views on the labels alone",
    )
    distill.add_argument(
        "--unlabelled",
        type=Path,
        metavar="FOLDER_OR_NPZ",
        help="pictures without labels, of which the student learns the teachers' answers alone",
    )
    distill.add_argument(
        "--detector",
        default=DEFAULT_DETECTOR,
        metavar="NAME",
        help="finds the faces in the folder of --unlabelled: tflite, tflite:BUNDLE_DIR, haar, yunet:MODEL.onnx, or none where pictures are faces"
        " (default: tflite)",
    )
    _fitting(distill)
    distill.add_argument(
        "--smoke",
        action="store_true",
        help="a trial: two short epochs on made-up faces, without --teacher by a small untrained net",
    )
    distill.set_defaults(module="train.distill_command")

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
    evaluate.add_argument(
        "--label-set",
        choices=list(LABEL_SETS),
        help="what the model answers (default: the run card's, else the data's)",
    )
    evaluate.add_argument(
        "--data-label-set",
        choices=list(LABEL_SETS),
        help="what the data is labelled with, where its form does not say or the model's labels differ",
    )
    views = evaluate.add_mutually_exclusive_group()
    views.add_argument("--single", action="store_true", help="each face once, as a board sees it (the default)")
    views.add_argument("--flip", action="store_true", help="average over each face and its mirror image")
    views.add_argument(
        "--ten-crop",
        type=_side,
        metavar="N",
        help="average over the four corners and the middle of N px, each with its mirror image: 40 of 48 px, say",
    )
    evaluate.add_argument("--json", action="store_true", help="print JSON instead of tables")
    evaluate.add_argument("--out", type=Path, metavar="DIR", help="write report, confusion matrix and JSON here")
    evaluate.set_defaults(module="train.evaluate")

    crossvalidate = commands.add_parser(
        "crossvalidate", help="fit a recipe fold after fold, and judge what was held out"
    )
    crossvalidate.add_argument(
        "--recipe", required=True, metavar="NAME_OR_PATH", help="a name of `list`, or a TOML file"
    )
    crossvalidate.add_argument("--data", type=Path, metavar="DATA", help=_DATA)
    _votes(crossvalidate)
    crossvalidate.add_argument("--protocol", choices=PROTOCOLS, default="k-fold", help="(default: k-fold)")
    crossvalidate.add_argument("--folds", type=_count, default=5, metavar="N", help="how many (default: 5)")
    crossvalidate.add_argument("--seed", type=int, default=1, metavar="N", help="of the division (default: 1)")
    crossvalidate.add_argument(
        "--split", action="append", metavar="NAME", help="divide only these faces; may be repeated (default: all)"
    )
    crossvalidate.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="a folder a fold; the same command goes on with it"
    )
    crossvalidate.add_argument("--smoke", action="store_true", help="a trial: two short epochs a fold on made-up faces")
    crossvalidate.set_defaults(module="train.crossvalidate")

    calibrate = commands.add_parser("calibrate", help="make a model as sure as it is right, by one temperature")
    calibrate.add_argument("run", type=Path, metavar="RUN_DIR", help="a finished run folder; its model is written anew")
    calibrate.add_argument("--data", type=Path, required=True, metavar="DATA", help=_DATA)
    _votes(calibrate)
    calibrate.add_argument(
        "--split", default="PublicTest", metavar="NAME", help="faces that were not fitted (default: PublicTest)"
    )
    calibrate.set_defaults(module="train.temperature")

    unpack = commands.add_parser(
        "unpack", help="a bundle's model as a finished run again: to train on from, to teach with, to convert anew"
    )
    unpack.add_argument("bundle", metavar="BUNDLE", help="the name of a shipped bundle, or a bundle's folder")
    unpack.add_argument("--data", type=Path, required=True, metavar="DATA", help=_OR_SCENES)
    _votes(unpack)
    unpack.add_argument(
        "--recipe", metavar="NAME_OR_PATH", help="that the bundle was trained by (default: what its manifest says)"
    )
    _splits(unpack)
    unpack.add_argument(
        "--out", type=Path, metavar="RUN_DIR", help="a new folder (default: runs/ and the bundle's name)"
    )
    unpack.set_defaults(module="train.unpack", smoke=False)

    page = commands.add_parser("page", help="the page of a finished run, run.html: all about it in one file")
    page.add_argument("run_folder", type=Path, metavar="RUN", help="a finished run folder; the page is written into it")
    page.add_argument("--data", type=Path, required=True, metavar="DATA", help=_DATA)
    _votes(page)
    page.add_argument("--split", metavar="NAME", help="faces to show (default: those the best epoch was chosen on)")
    page.add_argument(
        "--faces", type=int, default=12, metavar="N", help="pictures of each kind, 0 for none (default: 12)"
    )
    page.set_defaults(module="train.page")

    compare = commands.add_parser("compare", help="finished runs side by side; with --data also face by face")
    compare.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="run folders; the first is the measure")
    compare.add_argument("--data", type=Path, metavar="DATA", help=f"let the models answer the same faces: {_DATA}")
    _votes(compare)
    compare.add_argument("--json", action="store_true", help="print JSON instead of a table")
    compare.add_argument("--out", type=Path, metavar="FILE.html", help="also write a page with all curves")
    compare.set_defaults(module="train.compare")

    add_scenes(commands)

    recipes = commands.add_parser("list", help="the recipes that come with the project")
    recipes.set_defaults(module="train.listing")
    return parser


def _fitting(parser: argparse.ArgumentParser) -> None:
    """What `fit` and `distill` have in common."""
    parser.add_argument("--data", type=Path, metavar="DATA", help=_OR_SCENES)
    _votes(parser)
    _splits(parser)
    parser.add_argument(
        "--out",
        type=Path,
        metavar="RUN_DIR",
        help="the run folder, of several recipes the one above theirs; the same command goes on (default: in runs/)",
    )
    parser.add_argument(
        "--weights",
        metavar="none|imagenet|RUN_OR_MODEL",
        help="what to start from, instead of what the recipe says: a run on another data set, say",
    )
    parser.add_argument(
        "--devices",
        type=_count,
        metavar="N",
        help="share each batch among N devices (Keras on JAX; default: all GPUs where there are several)",
    )
    parser.add_argument(
        "--minutes",
        type=float,
        metavar="N",
        help="stop after the epoch in which they are over; the same command goes on",
    )


def _splits(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--train-split", default="Training", metavar="NAME", help="faces to fit (default: Training)")
    parser.add_argument(
        "--choose-split",
        default="PublicTest",
        metavar="NAME",
        help="faces on which the best epoch is chosen (default: PublicTest)",
    )


def _votes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--votes", type=Path, metavar="CSV", help="FER+ votes for FER2013's csv: fer2013new.csv")


def _labels(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--label-set", choices=list(LABEL_SETS), help="labels wanted (default: the data's or the run's own)"
    )


def _group_split(text: str) -> tuple[str, str]:
    beginning, _, name = text.partition("=")
    if not beginning or not name:
        raise argparse.ArgumentTypeError(f"{text!r}; expected BEGINNING=NAME, as F=female")
    return beginning, name


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value}; expected at least 1")
    return value


def _side(text: str) -> int:
    value = int(text)
    if not 8 <= value <= 1024:
        raise argparse.ArgumentTypeError(f"{value} px; expected 8 to 1024")
    return value
