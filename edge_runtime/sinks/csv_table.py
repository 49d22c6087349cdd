"""CSV: a line a face, the box and each emotion in columns of their own."""

from __future__ import annotations

import csv
from typing import TextIO

from edge_runtime.records import Record, RunHeader

__all__ = ["CsvTable"]


class CsvTable:
    """A table as spreadsheets and pandas read it. The bundle stands in each row, for want of a place that is said once."""

    def __init__(self, stream: TextIO, header: RunHeader) -> None:
        self._stream = stream
        self._header = header
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
            + ["bundle", "bundle_sha256"]
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
                self._header.bundle,
                self._header.bundle_sha256,
            ]
        )
        self._stream.flush()
