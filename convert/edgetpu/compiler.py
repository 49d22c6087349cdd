"""Runs `edgetpu_compiler` where it is installed."""

from __future__ import annotations

import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

from convert.edgetpu.log import CompilerLog, parse_log
from convert.errors import EdgeTpuError
from edge_runtime.files import write_whole

__all__ = ["PROGRAM", "compile_model", "find_compiler", "where_to_get_it"]

PROGRAM = "edgetpu_compiler"
_DEADLINE_S = 600.0
"""The compiler itself gives up on a model after 180 s (its own line: "compilation timeout timer of 180 seconds")."""

_NAME = "model"


def find_compiler() -> str | None:
    """The path of the compiler, None where it is not installed."""
    return shutil.which(PROGRAM)


def where_to_get_it() -> EdgeTpuError:
    """What to say where the compiler is missing. Its steps: https://coral.ai/docs/edgetpu/compiler/."""
    return EdgeTpuError(
        f"no {PROGRAM} on this {platform.machine()} machine",
        "Google's Edge TPU compiler, which runs on x86-64 Linux only",
        "add its Debian repository, 'deb https://packages.cloud.google.com/apt coral-edgetpu-stable main', and"
        " `apt-get install edgetpu-compiler`; or predict with --check",
    )


def compile_model(content: bytes, out: Path, program: str, deadline_s: float = _DEADLINE_S) -> CompilerLog:
    """Compiles a model; `out` is written where the compiler gives one, whole or not at all.

    Args:
        content: the bytes of a quantized .tflite file.
        out: the compiled model.
        program: the compiler's path.
        deadline_s: after which it is killed.

    Raises:
        EdgeTpuError: it cannot be run, does not end, or says nothing that can be read.
    """
    with tempfile.TemporaryDirectory(prefix="fer-edge-edgetpu-") as folder:
        model = Path(folder) / f"{_NAME}.tflite"
        model.write_bytes(content)
        command = [program, "--show_operations", "--out_dir", folder, str(model)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, errors="replace", timeout=deadline_s, check=False
            )
        except subprocess.TimeoutExpired as late:
            raise EdgeTpuError(
                f"{program}: no end after {deadline_s:g} s", "a compilation of some seconds", "take a smaller model"
            ) from late
        except OSError as error:
            raise EdgeTpuError(
                f"{program}: {error.strerror}", "a program that runs here", "install it again"
            ) from error
        log = Path(folder) / f"{_NAME}_edgetpu.log"
        # The table is on standard output with --show_operations, and in the log in any case.
        text = done.stdout + done.stderr + (log.read_text(errors="replace") if log.is_file() else "")
        said = parse_log(text, program)
        compiled = Path(folder) / f"{_NAME}_edgetpu.tflite"
        if not said.refused:
            if not compiled.is_file():
                raise EdgeTpuError(
                    f"{program}: a table, but no compiled model", f"{compiled.name}", "run edgetpu_compiler yourself"
                )
            write_whole(out, compiled.read_bytes())
    return said
