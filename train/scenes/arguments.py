"""The words of `python -m train scenes …`."""

from __future__ import annotations

import argparse
from pathlib import Path

__all__ = ["add_scenes"]


def add_scenes(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the sub-command `scenes` and its own four."""
    scenes = commands.add_parser("scenes", help="pictures with known faces, for training a face detector")
    kinds = scenes.add_subparsers(required=True, metavar="WHAT")

    prepare = kinds.add_parser("prepare", help="pictures of faces and of places into one .npz")
    prepare.add_argument(
        "--faces", type=Path, nargs="+", required=True, metavar="DIR", help="pictures of one person each"
    )
    prepare.add_argument(
        "--crops",
        type=Path,
        metavar="DATA",
        help="labelled faces too, as `fit` takes them: fer2013.csv, a prepared .npz",
    )
    prepare.add_argument("--crops-split", default="Training", metavar="NAME", help="of --crops (default: Training)")
    prepare.add_argument(
        "--votes", type=Path, metavar="CSV", help="FER+'s fer2013new.csv, to leave out the --crops that show no face"
    )
    prepare.add_argument("--crops-count", type=int, default=6000, metavar="N", help="of --crops (default: 6000)")
    prepare.add_argument(
        "--crops-missed-by",
        metavar="DETECTOR",
        help="take first of --crops what this detector does not find (tflite, tflite:BUNDLE_DIR, haar), for a next round",
    )
    prepare.add_argument("--backgrounds", type=Path, nargs="+", required=True, metavar="DIR", help="pictures of places")
    prepare.add_argument(
        "--teacher", type=Path, required=True, metavar="YUNET.onnx", help="marks faces and landmarks: a YuNet file"
    )
    prepare.add_argument(
        "--held-out",
        type=share,
        default=0.1,
        metavar="SHARE",
        help="of faces and of places, never trained on (default: 0.1)",
    )
    prepare.add_argument("--seed", type=int, default=1, metavar="N", help="of the division (default: 1)")
    prepare.add_argument(
        "--division",
        type=Path,
        metavar="FILE.npz",
        help="of an earlier `scenes prepare`: its pictures stay training or held out, for a detector that knows them",
    )
    prepare.add_argument("--out", type=Path, required=True, metavar="FILE.npz")
    prepare.set_defaults(module="train.scenes.prepare")

    draw = kinds.add_parser("draw", help="scenes as a file of frames with known faces, for calibration and parity")
    draw.add_argument(
        "data",
        type=Path,
        nargs="?",
        metavar="SCENES",
        help="an .npz of `scenes prepare`, or a WIDER FACE folder (default: drawn faces)",
    )
    draw.add_argument(
        "--recipe", default="face_detector", metavar="NAME_OR_PATH", help="how scenes are made (default: face_detector)"
    )
    draw.add_argument(
        "--split",
        choices=["training", "held-out"],
        required=True,
        help="training to calibrate on, held-out to judge on",
    )
    draw.add_argument("--negatives", type=Path, metavar="FILE.npz", help="of `scenes mine`, to have such places too")
    draw.add_argument("--count", type=int, default=500, metavar="N", help="frames (default: 500)")
    draw.add_argument("--seed", type=int, default=1, metavar="N", help="the same seed draws the same frames")
    draw.add_argument("--out", type=Path, required=True, metavar="FILE.npz")
    draw.set_defaults(module="train.scenes.draw")

    show = kinds.add_parser("show", help="a contact sheet with boxes and landmarks drawn")
    show.add_argument(
        "data",
        type=Path,
        nargs="?",
        metavar="SCENES",
        help="an .npz of `scenes prepare`, or a WIDER FACE folder (default: drawn faces)",
    )
    show.add_argument(
        "--recipe", default="face_detector", metavar="NAME_OR_PATH", help="how scenes are made (default: face_detector)"
    )
    show.add_argument("--split", choices=["training", "held-out"], default="training", help="(default: training)")
    show.add_argument("--negatives", type=Path, metavar="FILE.npz", help="of `scenes mine`, to see them come up")
    show.add_argument("--seed", type=int, default=1, metavar="N", help="the same seed shows the same scenes")
    show.add_argument("--columns", type=int, default=5, metavar="N")
    show.add_argument("--rows", type=int, default=6, metavar="N")
    show.add_argument(
        "--width", type=int, metavar="N", help="scale the sheet to N px (default: as large as the scenes)"
    )
    show.add_argument("--out", type=Path, required=True, metavar="FILE.png")
    show.set_defaults(module="train.scenes.show")

    mine = kinds.add_parser("mine", help="places without faces where a detector fires, for a next round of training")
    mine.add_argument("data", type=Path, metavar="SCENES.npz", help="an .npz of `scenes prepare`")
    mine.add_argument(
        "--detector",
        required=True,
        metavar="RUN_OR_NAME",
        help="a finished run, or a detector: tflite:BUNDLE_DIR, haar",
    )
    mine.add_argument(
        "--threshold", type=share, default=0.3, metavar="SHARE", help="scores from which it fires (default: 0.3)"
    )
    mine.add_argument("--most", type=int, default=5000, metavar="N", help="the N worst are kept (default: 5000)")
    mine.add_argument("--add-to", type=Path, metavar="FILE.npz", help="keep those of an earlier round too")
    mine.add_argument("--out", type=Path, required=True, metavar="FILE.npz")
    mine.set_defaults(module="train.scenes.mine")


def share(text: str) -> float:
    """A number from 0 to 1. Raises argparse.ArgumentTypeError."""
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{value}; expected more than 0 and less than 1")
    return value
