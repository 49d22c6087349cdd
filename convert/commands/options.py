"""What several sub-commands' options mean, checked before a model is read."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from convert.errors import UsageError
from convert.parity.latency import ROUNDS
from convert.training import illumination_beside
from edge_runtime.facesets import check_form
from edge_runtime.illumination import NO_ILLUMINATION, check_illumination
from edge_runtime.interpreter import MAX_THREADS

__all__ = ["check_out", "check_paths", "chosen_illumination", "latency_runs", "refuse_options", "thread_count"]


def check_out(out: Path, suffix: str) -> None:
    """Raises UsageError where `out` has another suffix or lies in no folder."""
    if out.suffix != suffix:
        raise UsageError(f"--out {out}", f"a name that ends in {suffix}", f"--out {out.with_suffix(suffix)}")
    if not out.absolute().parent.is_dir():
        raise UsageError(f"--out {out}: no such folder", "a folder that exists", f"mkdir -p {out.parent}")


def check_paths(*data: Path | None) -> None:
    """Raises FaceSetError for labelled data that is not there. What is there is looked at when it is read."""
    for path in data:
        if path is not None and not path.exists():
            check_form(path)


def chosen_illumination(asked: str | None, source: Path) -> str:
    """What --illumination or the run card beside the model says; both must agree."""
    trained = illumination_beside(source)
    if asked is None:
        return trained or NO_ILLUMINATION
    if check_illumination(asked) != (trained or asked):
        raise UsageError(
            f"--illumination {asked} for {source}",
            f"{trained}, which the run card beside it names",
            "leave the option out",
        )
    return asked


def thread_count(threads: int) -> int:
    """--threads. Raises UsageError where LiteRT takes no such number."""
    if not 1 <= threads <= MAX_THREADS:
        raise UsageError(f"--threads {threads}", f"1 to {MAX_THREADS}", "give as many as there are cores")
    return threads


def latency_runs(runs: int) -> int:
    """--latency-runs, 0 for none. Raises UsageError for fewer than the sides take turns."""
    if runs < 0 or 0 < runs < ROUNDS:
        raise UsageError(f"--latency-runs {runs}", f"0 for none, or at least {ROUNDS}", "leave it out for 50")
    return runs


def refuse_options(arguments: argparse.Namespace, options: Mapping[str, object], what: str) -> None:
    """Raises UsageError for an option that does not go with `what`, a sort of model or data.

    Args:
        options: attributes of `arguments`, each with the value that it has where nobody names it.
    """
    for name, default in options.items():
        if getattr(arguments, name) != default:
            option = "--" + name.replace("_", "-")
            raise UsageError(f"{option} for {what}", "an option that it has", f"leave {option} out")
