"""What the commands that compare models share: the folder of a report, the names of its files, a bar for a person."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tqdm import tqdm

from convert.errors import UsageError

__all__ = ["JUNIT", "REPORT", "SUMMARY", "answering", "report_folder"]

REPORT, SUMMARY, JUNIT = "report.json", "summary.md", "junit.xml"


def report_folder(path: Path) -> Path:
    """--report, which may be missing. Raises UsageError where it is a file."""
    if path.exists() and not path.is_dir():
        raise UsageError(f"--report {path}, which is a file", "a folder, made where it is missing", "name another")
    return path


def answering(name: str, total: int, unit: str = "face") -> Callable[[int], object]:
    """A bar on standard error, in a terminal alone; the function is told how many of `total` were answered."""
    bar = tqdm(total=total, desc=name, unit=unit, disable=None, leave=False)

    def advance(count: int) -> None:
        bar.update(count)
        if bar.n >= total:
            bar.close()

    return advance
