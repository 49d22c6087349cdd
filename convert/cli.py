"""The command `python -m convert`: a parser and plain functions. Sub-command modules are imported after parsing."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from convert.errors import BudgetError, StabilityError
from convert.kinds import IO, KINDS
from edge_runtime.running import Command

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command. Returns 0 done, 1 a check failed (size, stability), 2 wrong use or input, 130 interrupted."""
    return Command("convert", "[convert]", failures=(BudgetError, StabilityError)).run(_parser().parse_args(argv))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m convert", description="Trained models into TFLite of every kind, into ONNX, and into bundles."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    tflite = commands.add_parser("tflite", help="a saved Keras model into a .tflite file and its card")
    tflite.add_argument(
        "model", type=Path, metavar="MODEL.keras", help="pixels 0..255 to softmax probabilities, or a face detector"
    )
    how = tflite.add_mutually_exclusive_group(required=True)
    how.add_argument(
        "--kind", choices=[*KINDS], help="of arithmetic: " + "; ".join(f"{k.name}: {k.says}" for k in KINDS.values())
    )
    how.add_argument("--recipe", metavar="NAME", help="a recipe in convert/recipes, or the path of a TOML file")
    tflite.add_argument("--io", choices=[*IO], help="of an int8 model's pixels and answers (default: uint8)")
    for option, what in (
        ("--keep-layer", "a Keras layer, or a pattern such as 'block5_*'"),
        ("--keep-operator", "a TFLite operator, such as SOFTMAX"),
    ):
        tflite.add_argument(
            option,
            action="append",
            default=[],
            metavar="NAME",
            help=f"{what}, that a mixed model keeps in float32; repeatable",
        )
    tflite.add_argument(
        "--calibration",
        type=Path,
        metavar="DATA",
        help="faces that set the ranges of integers: fer2013.csv, a folder of labelled pictures, or a prepared .npz;"
        " a face detector: frames of `python -m train scenes draw`",
    )
    tflite.add_argument(
        "--calibration-split", default="Training", metavar="NAME", help="the training split (default: Training)"
    )
    tflite.add_argument("--count", type=int, metavar="N", help="calibration faces (default: the recipe's, 500)")
    tflite.add_argument("--seed", type=int, metavar="N", help="that chooses them (default: the recipe's, 1)")
    tflite.add_argument(
        "--evaluation",
        type=Path,
        metavar="DATA",
        help="other data that the model is judged on: refused where a picture stands in both",
    )
    tflite.add_argument("--evaluation-split", metavar="NAME", help="of --evaluation (default: all but training)")
    tflite.add_argument(
        "--stability",
        action="store_true",
        help="convert again with as many other faces; fail where the two models agree on less than 97 %% of further ones",
    )
    tflite.add_argument(
        "--size",
        type=_size,
        metavar="WIDTHxHEIGHT",
        help="a face detector's input: the same weights read larger or smaller pictures (default: as trained)",
    )
    _illumination(tflite)
    _most_bytes(tflite)
    tflite.add_argument("--out", type=Path, metavar="FILE.tflite", help="default: KIND.tflite beside the model")
    tflite.set_defaults(module="convert.commands.tflite")

    onnx = commands.add_parser("onnx", help="a saved Keras model into a .onnx file and its card")
    onnx.add_argument("model", type=Path, metavar="MODEL.keras", help="pixels 0..255 to softmax probabilities")
    onnx.add_argument(
        "--label-set", metavar="SET", help="fer2013, ferplus, … (default: what the run.json beside the model says)"
    )
    _illumination(onnx)
    _most_bytes(onnx)
    onnx.add_argument("--out", type=Path, metavar="FILE.onnx", help="default: model.onnx beside the model")
    onnx.set_defaults(module="convert.commands.onnx")

    pack = commands.add_parser("pack", help="a converted model into a bundle for `fer-edge`")
    pack.add_argument("model", type=Path, metavar="MODEL.tflite", help="of `tflite`, with its card beside it")
    pack.add_argument("--name", required=True, metavar="NAME", help="of the bundle, such as fer2013")
    pack.add_argument("--label-set", metavar="SET", help="of a classifier: fer2013, ferplus or affectnet8")
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
    _detector_packing(pack)
    _most_bytes(pack)
    pack.add_argument("--out", type=Path, required=True, metavar="DIR", help="the bundle's folder")
    pack.add_argument("--replace", action="store_true", help="replace a bundle that is there already")
    pack.set_defaults(module="convert.commands.pack")

    explain = commands.add_parser(
        "explain", help="why a candidate of a parity report failed: likely causes, with evidence"
    )
    explain.add_argument("report", type=Path, metavar="REPORT", help="the folder of `parity`, or its report.json")
    explain.add_argument("--json", action="store_true", help="for programs")
    explain.set_defaults(module="convert.commands.explain")

    _add_parity(commands)
    _add_search(commands)
    _add_edgetpu(commands)
    return parser


def _detector_packing(pack: argparse.ArgumentParser) -> None:
    detector = pack.add_argument_group("of a face detector")
    threshold = detector.add_mutually_exclusive_group()
    threshold.add_argument("--threshold", type=float, metavar="SHARE", help="the score from which a box is a face")
    threshold.add_argument(
        "--false-faces",
        type=float,
        metavar="N",
        help="or the lowest score that has at most N false faces a picture on the run's held-out scenes (default: 0.05)",
    )
    detector.add_argument(
        "--overlap", type=float, metavar="SHARE", help="above which the less certain box is dropped (default: 0.4)"
    )
    detector.add_argument(
        "--second-look",
        type=float,
        metavar="SHARE",
        help="look again, closer or mirrored, at what is found and not sure: a face from this mean of both scores on (default: look once)",
    )
    detector.add_argument(
        "--half",
        type=Path,
        metavar="MODEL",
        help="the same model with half the width and height, for second looks at large faces and for close-ups",
    )
    detector.add_argument(
        "--framing",
        metavar="SIDE:SCALE",
        help="of a crop about its boxes, as `python -m benchmarks.framing` prints it (default: height:0.96)",
    )
    detector.add_argument(
        "--parity", type=Path, metavar="DIR", help="the report of `parity` with this file, to be kept"
    )


def _add_search(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    search = commands.add_parser(
        "search",
        help="the fewest layers in float32 with which a quantized model passes a gate, as a recipe",
        description="Exit code 0: found; 1: nothing passes; 2: the gate cannot be judged on these faces.",
    )
    search.add_argument("model", type=Path, metavar="MODEL.keras", help="pixels 0..255 to softmax probabilities")
    search.add_argument(
        "--calibration",
        type=Path,
        required=True,
        metavar="DATA",
        help="faces that set the ranges of integers, and a sample of which says how sensitive each layer is",
    )
    search.add_argument(
        "--calibration-split", default="Training", metavar="NAME", help="the training split (default: Training)"
    )
    search.add_argument("--count", type=int, default=500, metavar="N", help="calibration faces (default: 500)")
    search.add_argument("--seed", type=int, default=1, metavar="N", help="that chooses them (default: 1)")
    search.add_argument(
        "--sample", type=int, default=64, metavar="N", help="of them for each layer's sensitivity (default: 64)"
    )
    search.add_argument("--data", type=Path, required=True, metavar="DATA", help="labelled faces that judge each trial")
    search.add_argument("--split", required=True, metavar="NAME", help="of --data, such as PublicTest; 'all' for all")
    search.add_argument("--votes", type=Path, metavar="CSV", help="FER+'s votes, for models that answer its labels")
    search.add_argument(
        "--label-set", metavar="SET", help="fer2013, ferplus, … (default: what the run.json beside the model says)"
    )
    _illumination(search)
    search.add_argument(
        "--gate", required=True, metavar="GATE", help="'default', or the path of a TOML file with every threshold"
    )
    search.add_argument("--threads", type=int, default=2, metavar="N", help="while faces are answered (default: 2)")
    search.add_argument(
        "--latency-runs", type=int, default=50, metavar="N", help="where the gate judges latency (default: 50)"
    )
    search.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="for the recipe, the model, its card and all trials"
    )
    search.set_defaults(module="convert.commands.search")


def _add_parity(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parity = commands.add_parser(
        "parity",
        help="models side by side on the same labelled faces, and a gate that says whether each may ship",
        description="Exit code 0: every candidate passed; 1: one failed; 2: one could not be judged, and none failed.",
    )
    side = "a .keras, .tflite or .onnx file, a bundle's folder or name, or the .npz of `fer-edge record`"
    parity.add_argument("--reference", required=True, metavar="SIDE", help=side)
    parity.add_argument(
        "--candidate", required=True, action="append", metavar="SIDE", help="the same; as often as there are candidates"
    )
    on = parity.add_mutually_exclusive_group(required=True)
    on.add_argument(
        "--data",
        type=Path,
        metavar="DATA",
        help="labelled faces: fer2013.csv, a folder of labelled pictures, or a prepared .npz; frames with known faces"
        " (`python -m train scenes draw`) for face detectors",
    )
    on.add_argument(
        "--pictures",
        type=Path,
        action="append",
        metavar="PATH",
        help="pictures, videos or folders of them: the whole way from finding faces to labels, through bundles; a SIDE is"
        " then BUNDLE or BUNDLE@DETECTOR, such as fer2013@yunet:MODEL.onnx",
    )
    parity.add_argument("--split", metavar="NAME", help="of --data, such as PublicTest; 'all' for all of them")
    parity.add_argument("--votes", type=Path, metavar="CSV", help="FER+'s votes, for models that answer its labels")
    parity.add_argument(
        "--label-set",
        metavar="SET",
        help="labels of models that do not name theirs; with it, faces of other expressions are left out",
    )
    parity.add_argument(
        "--gate",
        required=True,
        metavar="GATE",
        help="'default' (for face detectors: 'detector'), or the path of a TOML file with every threshold",
    )
    parity.add_argument("--report", type=Path, required=True, metavar="DIR", help="for the page, JSON, Markdown, JUnit")
    parity.add_argument("--illumination", metavar="NAME", help="of models that do not say theirs (default: none)")
    parity.add_argument("--threads", type=int, default=2, metavar="N", help="while the data is answered (default: 2)")
    parity.add_argument(
        "--latency-runs",
        type=int,
        default=50,
        metavar="N",
        help="of one face with one thread, for each side's median; 0 for none (default: 50)",
    )
    parity.add_argument(
        "--no-evidence",
        dest="evidence",
        action="store_false",
        help="leave out the signal to noise of each tensor, and what `explain` weighs",
    )
    parity.set_defaults(module="convert.commands.parity")


def _add_edgetpu(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    edgetpu = commands.add_parser(
        "edgetpu",
        help="compiles for a Coral Edge TPU where its compiler is installed, or predicts what would be mapped",
        description="Exit code 0: all operators run on the Edge TPU; 1: some stay on the CPU.",
    )
    edgetpu.add_argument("model", type=Path, metavar="MODEL", help="a .tflite file, a bundle's folder or name")
    edgetpu.add_argument("--check", action="store_true", help="predict only; needs no compiler")
    edgetpu.add_argument(
        "--prepare",
        action="store_true",
        help="first write dense layers that the compiler may not know as 1 × 1 convolutions; the answers stay the same",
    )
    edgetpu.add_argument("--out", type=Path, metavar="FILE", help="default: NAME_edgetpu.tflite in this folder")
    edgetpu.add_argument("--json", action="store_true", help="for programs")
    edgetpu.set_defaults(module="convert.commands.edgetpu")


def _illumination(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--illumination",
        metavar="NAME",
        help="that the model was trained with (default: what the run.json beside it says; none where there is none)",
    )


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r}; expected WIDTHxHEIGHT, such as 160x128")
    return int(width), int(height)


def _most_bytes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--most-bytes", type=int, metavar="N", help="fail where the model's file is larger")
