"""The terminal: TensorFlow kept from talking, durations and tables for people."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from devices.quiet import quiet_libraries

__all__ = ["duration", "hushed", "table", "without_retracing_remarks"]


@contextmanager
def hushed() -> Iterator[None]:
    """Import Keras inside this, and TensorFlow's log lines stay off the terminal.

    TensorFlow 2.21 writes its lines about oneDNN to the file descriptor of stderr whatever the log level, so they are
    caught there; every other line is passed on when the block ends. Who has set TF_CPP_MIN_LOG_LEVEL sees everything.
    """
    if "TF_CPP_MIN_LOG_LEVEL" in os.environ:
        yield
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    with quiet_libraries():
        yield


@contextmanager
def without_retracing_remarks() -> Iterator[None]:
    """TensorFlow warns of functions that are traced again and again; where net follows on net, that is meant."""
    logger = logging.getLogger("tensorflow")

    def keep(record: logging.LogRecord) -> bool:
        return "retracing" not in record.getMessage()

    logger.addFilter(keep)
    try:
        yield
    finally:
        logger.removeFilter(keep)


def duration(seconds: float) -> str:
    """ "3 h 05 min", "12 min", "40 s"."""
    if seconds < 100:
        return f"{round(seconds)} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"


def table(rows: Sequence[Sequence[object]]) -> str:
    """Columns as wide as their widest cell; the first is aligned left, the others right."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    lines = []
    for row in cells:
        first, *others = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        lines.append("  ".join([row[0].ljust(len(first)), *others]).rstrip())
    return "\n".join(lines)
