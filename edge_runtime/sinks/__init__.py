"""Where records go: JSONL, CSV, annotated pictures and videos. A new text format is one file and one line in the table."""

from __future__ import annotations

import importlib
from typing import Protocol, TextIO

from edge_runtime.errors import UsageError
from edge_runtime.records import Record, RunHeader

__all__ = ["FORMATS", "Sink", "open_sink"]

FORMATS = {"jsonl": "edge_runtime.sinks.jsonl:Jsonl", "csv": "edge_runtime.sinks.csv_table:CsvTable"}


class Sink(Protocol):
    """Writes records to a text stream that it does not own."""

    def write(self, record: Record) -> None: ...


def open_sink(name: str, stream: TextIO, header: RunHeader) -> Sink:
    """The sink called `name`, which writes what it says once a run at once.

    Raises:
        UsageError: an unknown format; the known ones are listed.
    """
    if name not in FORMATS:
        raise UsageError(f"format {name!r}", f"one of {', '.join(FORMATS)}", "correct --format")
    module_name, _, class_name = FORMATS[name].partition(":")
    sink: Sink = getattr(importlib.import_module(module_name), class_name)(stream, header)
    return sink
