"""The command `fer-edge`: a parser and plain functions. Sub-command modules are imported after parsing."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from edge_runtime.running import Command
from edge_runtime.version import __version__

__all__ = ["add_config_options", "main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command. Returns 0 done, 1 a check failed, 2 wrong use or input, 130 interrupted."""
    return Command("fer-edge").run(_parser().parse_args(argv))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fer-edge", description="Facial expression recognition on single-board computers, offline."
    )
    parser.add_argument("--version", action="version", version=f"fer-edge {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    predict = commands.add_parser("predict", help="faces and expressions in pictures, folders and videos")
    predict.add_argument("paths", nargs="+", metavar="PATH", help="picture, folder (searched through) or video")
    _model_options(predict)
    _align_option(predict)
    _detail_option(predict, 2)
    predict.add_argument("--format", default="jsonl", choices=["jsonl", "csv"], help="of the records (default: jsonl)")
    predict.add_argument(
        "--out", type=Path, metavar="FILE", help="write the records here instead of to standard output"
    )
    predict.add_argument(
        "--annotate", type=Path, metavar="DIR", help="write pictures and videos with boxes and labels into DIR"
    )
    predict.set_defaults(module="edge_runtime.commands.predict")

    live = commands.add_parser("run", help="a camera, live: who is there and what they show, as records")
    _live_options(live)
    live.add_argument("--format", choices=["jsonl", "csv", "none"], help="of the records (default: jsonl)")
    live.add_argument(
        "--annotate", metavar="FILE.mp4", help="a video with boxes and labels; without it no picture is kept"
    )
    live.add_argument(
        "--no-display", action="store_true", help="no window; there is none in any case (headless OpenCV)"
    )
    _limit_options(live)
    live.set_defaults(module="edge_runtime.commands.run")

    record = commands.add_parser("record", help="this machine's answers for a data set of cropped faces, as an .npz")
    record.add_argument(
        "data", type=Path, metavar="DATA", help="fer2013.csv, a folder with one folder a label, or a prepared .npz"
    )
    record.add_argument("--out", type=Path, metavar="FILE.npz", help="without it, only the accuracy is printed")
    record.add_argument("--split", metavar="NAME", help="only this split, such as PublicTest")
    record.add_argument(
        "--labels",
        default="fer2013",
        metavar="SET",
        help="fer2013 (the data's own labels) or ferplus:VOTES.csv (default: fer2013)",
    )
    _bundle_options(record)
    record.set_defaults(module="edge_runtime.commands.record")

    bench = commands.add_parser("bench", help="time of each stage, first result and memory on this machine")
    bench.add_argument(
        "--picture",
        type=Path,
        metavar="FILE",
        help="the picture to work on (default: the demo portrait in a 640 × 480 frame)",
    )
    bench.add_argument(
        "--runs", type=int, default=200, metavar="N", help="measured runs after warming up (default and least: 200)"
    )
    bench.add_argument("--json", action="store_true", help="print JSON instead of a table")
    _model_options(bench)
    _align_option(bench)
    _detail_option(bench, 1)
    stream = bench.add_argument_group("the live loop as a single stream, in the manner of MLPerf")
    stream.add_argument(
        "--minutes",
        type=_seconds,
        default=0.0,
        metavar="N",
        help="for so long at least, and until 1,024 frames are through",
    )
    stream.add_argument(
        "--seconds", type=_seconds, default=0.0, metavar="N", help="for so long at most: a trial, INVALID"
    )
    stream.add_argument("--source", metavar="SPEC", help="(default: synthetic, the demo's portrait moving)")
    stream.add_argument("--accelerator", metavar="SPEC", help="cpu, edgetpu:usb:0 or edgetpu:pci:0")
    add_config_options(stream)
    bench.set_defaults(module="edge_runtime.commands.bench")

    bundle = commands.add_parser("bundle", help="look into a model bundle, or check it")
    actions = bundle.add_subparsers(required=True, metavar="ACTION")
    for action, text in (
        ("show", "labels, input, provenance and hashes"),
        ("verify", "check every byte; exit 2 where one is wrong"),
    ):
        chosen = actions.add_parser(action, help=text)
        chosen.add_argument(
            "bundle", nargs="?", default=None, metavar="BUNDLE", help="name of a shipped bundle, or a folder"
        )
        chosen.set_defaults(module="edge_runtime.commands.bundle", action=action)

    doctor = commands.add_parser("doctor", help="what this installation has, and the mend for each problem")
    doctor.add_argument("--json", action="store_true", help="print JSON instead of lines")
    _model_options(doctor)
    doctor.set_defaults(module="edge_runtime.commands.doctor")

    selftest = commands.add_parser("selftest", help="does the model answer here as where it was packed?")
    _bundle_options(selftest)
    selftest.add_argument(
        "--detector", default=None, metavar="D", help="test this detector alone: tflite or tflite:BUNDLE_DIR"
    )
    selftest.set_defaults(module="edge_runtime.commands.selftest")

    config = commands.add_parser("config", help="every setting: show them, check them, write a file to start from")
    actions = config.add_subparsers(required=True, metavar="ACTION")
    for action, text in (
        ("show", "the effective settings, and where each comes from"),
        ("check", "whether every setting can be used; exit 2 where one cannot"),
        ("init", "write a commented file; never over another"),
    ):
        chosen = actions.add_parser(action, help=text)
        if action == "init":
            chosen.add_argument(
                "file",
                nargs="?",
                type=Path,
                default=Path("fer-edge.toml"),
                metavar="FILE",
                help="(default: fer-edge.toml)",
            )
        else:
            add_config_options(chosen)
        if action == "show":
            chosen.add_argument("--json", action="store_true", help="print JSON instead of TOML")
        chosen.set_defaults(module="edge_runtime.commands.config", action=action)

    log = commands.add_parser("log", help="the event log: take events out, or erase them for good")
    actions = log.add_subparsers(required=True, metavar="ACTION")
    for action, text in (
        ("export", "events as JSON lines or CSV, in the order in which they happened"),
        ("erase", "take events out so that their bytes are gone"),
    ):
        chosen = actions.add_parser(action, help=text)
        chosen.add_argument(
            "file", nargs="?", type=Path, metavar="FILE.db", help="(default: log.path of the configuration)"
        )
        chosen.add_argument("--since", metavar="TIME", help="from this time on: 2026-11-21 or 2026-11-21T14:00")
        chosen.add_argument("--before", metavar="TIME", help="before this time")
        chosen.add_argument("--track", metavar="ID", help="of this person, as the export names it")
        if action == "export":
            chosen.add_argument("--format", default="jsonl", choices=["jsonl", "csv"], help="(default: jsonl)")
            chosen.add_argument("--out", type=Path, metavar="FILE", help="instead of standard output")
        else:
            chosen.add_argument("--all", action="store_true", help="every event")
        add_config_options(chosen)
        chosen.set_defaults(module="edge_runtime.commands.log", action=action)

    service = commands.add_parser("service", help="run as a systemd service that watches itself")
    actions = service.add_subparsers(required=True, metavar="ACTION")
    for action, text in (
        ("install", "write the unit, enable it and start it"),
        ("remove", "stop it and take its files away"),
        ("status", "what it is doing; exit 1 where it does not run"),
    ):
        chosen = actions.add_parser(action, help=text)
        chosen.add_argument("--user", action="store_true", help="of this account's own service manager, without sudo")
        if action == "install":
            chosen.add_argument(
                "--run-as", metavar="NAME", help="account of the system service (default: who called sudo)"
            )
            chosen.add_argument(
                "--kiosk", action="store_true", help="serve the page, and open it full-screen in Chromium at login"
            )
            chosen.add_argument("--print", action="store_true", help="only show what would be written")
            chosen.add_argument(
                "--no-start", action="store_true", help="write and enable it, and start it at the next boot"
            )
            add_config_options(chosen)
        chosen.set_defaults(module="edge_runtime.commands.service", action=action)

    serve = commands.add_parser(
        "serve", help="a page that shows what the camera sees, one for the keeper, and the HTTP API"
    )
    serve.add_argument(
        "--source", metavar="SPEC", help="picamera2, v4l2:/dev/video0, rtsp://…, file:clip.mp4, synthetic"
    )
    serve.add_argument(
        "--host", metavar="ADDRESS", help="to listen on (default: 127.0.0.1); any other needs --token-file"
    )
    serve.add_argument("--port", type=int, metavar="N", help="(default: 8080; 0: any that is free)")
    serve.add_argument("--token-file", metavar="FILE", help="its first line must be shown by whoever asks")
    add_config_options(serve)
    serve.set_defaults(module="edge_runtime.commands.serve")
    return parser


def add_config_options(parser: argparse._ActionsContainer) -> None:
    """--config and --set, for every command that reads the configuration."""
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="(default: $FER_EDGE_CONFIG, or fer-edge.toml here, in ~/.config/fer-edge or in /etc/fer-edge)",
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="one setting; may be given repeatedly"
    )


def _live_options(parser: argparse.ArgumentParser) -> None:
    """What `run` and everything that lives as long takes; each of these has a setting of its own."""
    add_config_options(parser)
    parser.add_argument(
        "--source",
        metavar="SPEC",
        help="picamera2, v4l2:/dev/video0, rtsp://…, file:clip.mp4, synthetic (docs/cameras.md)",
    )
    parser.add_argument("--bundle", metavar="B", help="name of a shipped bundle, or a bundle's folder")
    parser.add_argument("--threads", type=int, metavar="N", help="of the classifier, 1 to 64")
    parser.add_argument("--detector", metavar="D", help="tflite, tflite:BUNDLE_DIR, haar or yunet:MODEL.onnx")
    _align_option(parser)
    _detail_option(parser, 1)
    parser.add_argument("--accelerator", metavar="SPEC", help="cpu, edgetpu:usb:0 or edgetpu:pci:0")
    parser.add_argument("--log", metavar="FILE.db", help="keep events in this SQLite file (docs/privacy.md)")
    parser.add_argument("--mqtt", metavar="URL", help="tell an MQTT broker, mqtt://host:1883")
    parser.add_argument(
        "--metrics", type=int, metavar="PORT", help="figures for Prometheus on http://127.0.0.1:PORT/metrics"
    )


def _limit_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--frames", type=_count, default=0, metavar="N", help="stop after so many processed frames")
    parser.add_argument("--seconds", type=_seconds, default=0.0, metavar="N", help="stop after so many seconds")


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r}; expected a whole number from 0 on")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r}; expected seconds, from 0 on")
    return value


def _bundle_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bundle", default=None, metavar="B", help="name of a shipped bundle, or a bundle's folder")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="of the classifier, 1 to 64 (default: 1)")


def _model_options(parser: argparse.ArgumentParser) -> None:
    _bundle_options(parser)
    parser.add_argument(
        "--detector",
        default=None,
        metavar="D",
        help="tflite, tflite:BUNDLE_DIR, haar or yunet:MODEL.onnx (default: tflite)",
    )


def _align_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--align",
        choices=["none", "similarity"],
        help="similarity: turn and scale faces by the landmarks of detectors that give them (default: none)",
    )


def _detail_option(parser: argparse.ArgumentParser, default: int) -> None:
    text = "search large frames also in parts, for small faces: 1 not at all, the fastest, to 4, dozens of parts"
    parser.add_argument("--detail", type=int, metavar="N", help=f"{text} (default: {default})")


if __name__ == "__main__":
    sys.exit(main())
