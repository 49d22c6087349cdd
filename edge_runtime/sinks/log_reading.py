"""What is in an event log, and how it is taken out: export, and erasing that leaves nothing behind."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge_runtime.errors import OutputError, UsageError
from edge_runtime.sinks.event_tables import connect, connect_to_read, explained

__all__ = ["COLUMNS", "Selection", "erase", "read_events", "time_of"]

COLUMNS = (
    "number", "session", "time", "session_s", "wall_s", "kind", "track", "label", "score", "reason", "emotions", "bundle", "bundle_sha256",
)  # fmt: skip

# The date that counts: the session's, corrected by its newest plausible reading; else the one that was noted then.
_DATE = "coalesce(session.wall_at_start + event.session_s, event.wall_s)"


@dataclass(frozen=True)
class Selection:
    """Which events are meant: those that meet every part that is given; all, where none is.

    Attributes:
        since_s: not before this time, seconds since 1970.
        before_s: before this time.
        track: of this person.
    """

    since_s: float | None = None
    before_s: float | None = None
    track: str | None = None

    def where(self) -> tuple[str, list[Any]]:
        parts = [
            (f"{_DATE} >= ?", self.since_s),
            (f"{_DATE} < ?", self.before_s),
            ("event.track = ?", self.track),
        ]
        given = [(text, value) for text, value in parts if value is not None]
        return " AND ".join(text for text, _ in given) or "TRUE", [value for _, value in given]


def time_of(text: str) -> float:
    """Seconds since 1970 of "2026-11-21", "2026-11-21T14:00" or "…+01:00"; without a zone it is the machine's.

    Raises:
        UsageError: anything else.
    """
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError) as error:
        raise UsageError(f"time {text!r}", "2026-11-21 or 2026-11-21T14:00", "write it so") from error


def read_events(path: Path, selection: Selection) -> Iterator[dict[str, Any]]:
    """The events of a log in the order in which they happened, as `COLUMNS`. A running service is not disturbed.

    Raises:
        OutputError: no log, or one that cannot be read.
    """
    connection = connect_to_read(path)
    condition, values = selection.where()
    try:
        with explained(path):
            rows = connection.execute(
                f"SELECT number, session, {_DATE}, session_s, wall_s, kind, track, label, score, reason, emotions,"
                " bundle, bundle_sha256"
                f" FROM event LEFT JOIN session ON session.name = event.session WHERE {condition} ORDER BY number",
                values,
            )
            for row in rows:
                item = dict(zip(COLUMNS, row, strict=True))
                item["time"] = _written(item["time"])
                item["emotions"] = json.loads(item["emotions"]) if item["emotions"] else {}
                yield item
    finally:
        connection.close()


def erase(path: Path, selection: Selection) -> int:
    """Takes events out of a log so that their bytes are gone from the file and its journal; returns how many they were.

    Deleted bytes are overwritten (secure_delete), the file is written anew (VACUUM), and the journal is emptied. A running
    service is not disturbed.

    Raises:
        OutputError: no log, or another program reads it all the time, so that the journal cannot be emptied.
    """
    if not path.is_file():
        raise OutputError(f"event log {path}, which is no file", "an event log", "check the path, or log.path")
    connection = connect(path)
    condition, values = selection.where()
    try:
        with explained(path):
            cursor = connection.execute(
                "DELETE FROM event WHERE number IN (SELECT number FROM event"
                f" LEFT JOIN session ON session.name = event.session WHERE {condition})",
                values,
            )
            connection.execute("DELETE FROM session WHERE name NOT IN (SELECT DISTINCT session FROM event)")
            connection.execute("VACUUM")
            if not _journal_emptied(connection):
                raise OutputError(
                    f"event log {path}: its journal is being read",
                    "a journal that can be emptied",
                    "the events are erased, but old bytes remain; run this again in a moment",
                )
            return cursor.rowcount
    finally:
        connection.close()


def _journal_emptied(connection: sqlite3.Connection) -> bool:
    busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


def _written(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):
        return ""
