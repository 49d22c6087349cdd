"""What several tests share: the tiny bundles, and how commands are run."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
BUNDLES = ROOT / "tests" / "bundles"
TINY_GREY = BUNDLES / "tiny_grey"
TINY_COLOUR = BUNDLES / "tiny_colour"
BRIGHT_INT8 = BUNDLES / "bright_int8"
BRIGHT_FLOAT = BUNDLES / "bright_float"


def fer_edge(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    """Runs `fer-edge` as a user does, in a process of its own, and never with a traceback."""
    command = [sys.executable, "-m", "edge_runtime", *map(str, arguments)]
    outcome = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False, **options)  # type: ignore[call-overload]
    assert "Traceback" not in outcome.stderr, outcome.stderr
    return outcome  # type: ignore[no-any-return]


def wait_for(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Waits until `condition` holds, for a machine that is as slow as it likes."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.005)


_WITHOUT_KERAS = """
import importlib, json, sys
sys.modules["keras"] = sys.modules["tensorflow"] = None
main = importlib.import_module(sys.argv[1]).main
for command in json.load(sys.stdin):
    print(main(command), file=sys.stderr, flush=True)
"""


def said_without_keras(module: str, commands: Sequence[Sequence[str]]) -> list[tuple[int, str]]:
    """The exit code and the one line of each command of `module.main`, in a process that can import no Keras."""
    words = [sys.executable, "-c", _WITHOUT_KERAS, module]
    told = subprocess.run(words, input=json.dumps(commands), cwd=ROOT, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    lines = told.stderr.splitlines()
    return [(int(code), line) for line, code in zip(lines[::2], lines[1::2], strict=True)]
