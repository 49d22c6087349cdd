"""JSON lines: first the run's header, then a line a face, and of a live run a line an event."""

from __future__ import annotations

import json
from collections.abc import Sequence

from edge_runtime.live.events import Event
from edge_runtime.live.line_stream import TextOut
from edge_runtime.records import Record, RunHeader, wall_text

__all__ = ["Jsonl"]


class Jsonl:
    """One JSON object a line; only the first has `bundle`, only faces have `box`, only events have `kind`."""

    def __init__(self, stream: TextOut, header: RunHeader, more: Sequence[str] = ()) -> None:  # noqa: ARG002
        self._stream = stream
        self._say(header.as_dict())

    def write(self, record: Record) -> None:
        self._say(record.as_dict())

    def event(self, event: Event) -> None:
        self._say({"time": wall_text(event.wall_s), **event.as_dict()})

    def _say(self, item: dict[str, object]) -> None:
        # File names may hold bytes that are no UTF-8; escaped, they survive any terminal and parse back.
        self._stream.write(json.dumps(item) + "\n")
        self._stream.flush()
