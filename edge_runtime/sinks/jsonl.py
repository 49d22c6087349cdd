"""JSON lines: first the run's header, then a line a face."""

from __future__ import annotations

import json
from typing import TextIO

from edge_runtime.records import Record, RunHeader

__all__ = ["Jsonl"]


class Jsonl:
    """One JSON object a line; only the first has `bundle`, only the others have `box`."""

    def __init__(self, stream: TextIO, header: RunHeader) -> None:
        self._stream = stream
        self._say(header.as_dict())

    def write(self, record: Record) -> None:
        self._say(record.as_dict())

    def _say(self, item: dict[str, object]) -> None:
        # File names may hold bytes that are no UTF-8; escaped, they survive any terminal and parse back.
        self._stream.write(json.dumps(item) + "\n")
        self._stream.flush()
