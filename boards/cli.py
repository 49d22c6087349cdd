"""The command `python -m boards`: a parser and plain functions. Sub-command modules are imported after parsing."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from edge_runtime.running import Command

__all__ = ["main"]

FACES = 200
MIRROR = "http://deb.debian.org/debian"


def main(argv: Sequence[str] | None = None) -> int:
    """Returns 0 as it should be, 1 something differs or fails, 2 wrong use or something missing, 130 interrupted."""
    return Command("boards", "[test]").run(_parser().parse_args(argv))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m boards", description="The wheel on other processors, runtimes and Pythons, beside this machine."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    arm64 = commands.add_parser("arm64", help="in an emulated aarch64 Debian, on the processors of a Pi 4 and a Pi 5")
    arm64.add_argument("--suite", default="bookworm", help="of Debian (default: bookworm, as in Raspberry Pi OS 12)")
    arm64.add_argument("--mirror", default=MIRROR, metavar="URL", help=f"of Debian (default: {MIRROR})")
    _faces(arm64)
    arm64.set_defaults(module="boards.arm64")

    old = commands.add_parser("tflite-runtime", help="with tflite-runtime 2.14 on Python 3.11, numpy 1, OpenCV 4.11")
    _faces(old)
    old.set_defaults(module="boards.old_runtime")

    pythons = commands.add_parser("pythons", help="install and the runtime's tests on Python 3.11, 3.12 and 3.13")
    pythons.add_argument(
        "tests", nargs="*", metavar="TEST", help="of the checkout (default: all of the runtime and the devices)"
    )
    pythons.set_defaults(module="boards.pythons")

    for command in (arm64, old, pythons):
        command.add_argument(
            "--cache", type=Path, default=_cache(), metavar="DIR", help=f"what is kept (default: {_cache()})"
        )
    return parser


def _faces(command: argparse.ArgumentParser) -> None:
    command.add_argument("--faces", type=int, default=FACES, metavar="N", help=f"made-up ones (default: {FACES})")
    command.add_argument(
        "bundles", nargs="*", metavar="BUNDLE", help="names or folders (default: the shipped ones and the tests')"
    )


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fer-edge"
