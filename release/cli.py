"""The command `python -m release`: one file in, one bundle out, or the step that stopped it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from edge_runtime.running import Command
from release.errors import RefusedError

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Returns 0 done, 1 a model was refused, 2 wrong use or input, 130 interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m release",
        description="A bundle from labelled faces: teachers, student, temperature, conversion, gate, bundle."
        " After an interruption the same command goes on.",
    )
    parser.add_argument("plan", type=Path, metavar="RELEASE.toml", help="docs/release.md says what stands in it")
    parser.add_argument("--show", action="store_true", help="print the commands and run none")
    parser.set_defaults(module="release.run")
    return Command("release", "[train,convert]", failures=(RefusedError,)).run(parser.parse_args(argv))
