"""The rows of a csv that someone else wrote: named columns, and one reason where it cannot be read."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from edge_runtime.errors import FaceSetError

__all__ = ["column_names", "read_rows"]


def column_names(header: str) -> list[str]:
    """The columns of a csv's first line, in lower case."""
    return [name.strip().strip('"').lower() for name in header.removeprefix("\ufeff").split(",")]


def read_rows(path: Path, names: Sequence[str] | None = None) -> Iterator[tuple[int, dict[str, str]]]:
    """(row from 0 after the header, column in lower case -> text) of every line that is not empty.

    Args:
        path: the csv.
        names: the columns of a file without a header line; None takes them from the first line.

    Raises:
        FaceSetError: the file cannot be read, or is no csv.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig", errors="replace") as file:
            lines = csv.reader(file)
            known = [name.strip().lower() for name in (next(lines, []) if names is None else names)]
            row = -1
            for cells in lines:
                if cells:
                    row += 1
                    yield row, dict(zip(known, (cell.strip() for cell in cells), strict=False))
    except OSError as error:
        raise FaceSetError(f"{path}: {error.strerror}", "a readable csv", "check the path") from error
    except csv.Error as error:
        raise FaceSetError(f"{path}: {error}", "an undamaged csv", "copy it again") from error
