"""How each script ends: a user's mistake is one line, and the exit code says how it went."""

from __future__ import annotations

from collections.abc import Callable

from edge_runtime.running import Command

__all__ = ["run_script"]


def run_script(name: str, main: Callable[[], int | None]) -> int:
    """The exit code of a script's `main`, after one line where its words or files were wrong.

    Args:
        name: as in `python -m benchmarks.NAME`.
    """
    return Command(f"benchmarks.{name}", "[train,convert,test]").call(main)
