"""CSV: a line a face, the box and each emotion in columns of their own."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import Any

from edge_runtime.live.events import Event
from edge_runtime.live.line_stream import TextOut
from edge_runtime.records import Record, RunHeader

__all__ = ["CsvTable"]


class CsvTable:
    """A table as spreadsheets and pandas read it. The bundle stands in each row, for want of a place that is said once."""

    def __init__(self, stream: TextOut, header: RunHeader, more: Sequence[str] = ()) -> None:
        self._stream = stream
        self._header, self._more = header, tuple(more)
        self._writer = csv.writer(stream, lineterminator="\n")
        self._writer.writerow(
            [
                "source",
                "frame",
                "time_s",
                "face",
                "track",
                "left",
                "top",
                "right",
                "bottom",
                "detector_score",
                "label",
                "score",
            ]
            + [f"emotion_{name}" for name in header.labels]
            + list(more)
            + ["left_out", "bundle", "bundle_sha256"]
        )

    def write(self, record: Record) -> None:
        row = record.as_dict()
        track = "" if row["track"] is None else row["track"]
        front = [
            row["source"].encode("utf-8", "backslashreplace").decode(),
            row["frame"],
            row["time_s"],
            row["face"],
            track,
        ]
        self._writer.writerow(
            [
                *front,
                *row["box"],
                row["detector_score"],
                row["label"],
                row["score"],
                *row["emotions"].values(),
                *(_cell(row[name]) for name in self._more),
                row["left_out"],
                self._header.bundle,
                self._header.bundle_sha256,
            ]
        )
        self._stream.flush()

    def event(self, event: Event) -> None:
        """Nothing: a table of faces has no row for it. The event log and MQTT carry events, and standard error says what broke."""


def _cell(value: Any) -> Any:
    """Lists as words, truth as 0 and 1."""
    if isinstance(value, list):
        return " ".join(value)
    return int(value) if isinstance(value, bool) else value
