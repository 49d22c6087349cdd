"""Where records go: JSONL, CSV, annotated pictures and videos. A new text format is one file and one line in the table."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Protocol

from edge_runtime.errors import UsageError
from edge_runtime.live.events import Event
from edge_runtime.live.line_stream import TextOut
from edge_runtime.records import Record, RunHeader

__all__ = ["FORMATS", "Sink", "open_sink"]

FORMATS = {"jsonl": "edge_runtime.sinks.jsonl:Jsonl", "csv": "edge_runtime.sinks.csv_table:CsvTable"}


class Sink(Protocol):
    """Writes records to a text stream that it does not own."""

    def write(self, record: Record) -> None: ...

    def event(self, event: Event) -> None:
        """Says what happened in a live run, where the format has a place for it."""
        ...


def open_sink(name: str, stream: TextOut, header: RunHeader, more: Sequence[str] = ()) -> Sink:
    """The sink called `name`, which writes what it says once a run at once.

    Args:
        more: keys of the records beyond those of every record, for formats that name their columns once.

    Raises:
        UsageError: an unknown format; the known ones are listed.
    """
    if name not in FORMATS:
        raise UsageError(f"format {name!r}", f"one of {', '.join(FORMATS)}", "correct --format")
    module_name, _, class_name = FORMATS[name].partition(":")
    sink: Sink = getattr(importlib.import_module(module_name), class_name)(stream, header, more)
    return sink
