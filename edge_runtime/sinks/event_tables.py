"""The event log's file: its tables, how it is opened, and how bytes are really taken out of it."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from edge_runtime.errors import OutputError

__all__ = ["connect", "connect_to_read", "explained", "oldest_beyond", "shrink", "used_bytes"]

APPLICATION = 0x46455245
"""Marks the file as ours in SQLite's header: "FERE"."""

FORMAT = 1
BUSY_S = 5.0
JOURNAL_BYTES = 1_000_000

_TABLES = """
CREATE TABLE session (
    name TEXT PRIMARY KEY,
    wall_at_start REAL,
    last_s REAL NOT NULL,
    bundle TEXT NOT NULL,
    bundle_sha256 TEXT NOT NULL,
    fer_edge TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE event (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    session TEXT NOT NULL,
    session_s REAL NOT NULL,
    wall_s REAL NOT NULL,
    kind TEXT NOT NULL,
    track TEXT NOT NULL,
    label TEXT NOT NULL,
    score REAL NOT NULL,
    reason TEXT NOT NULL,
    emotions TEXT NOT NULL
);
CREATE INDEX event_session ON event (session);
"""


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """What SQLite raises inside, as an OutputError with the mend."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "")
        mends = {
            "SQLITE_FULL": "free some space, or lower log.most_mb",
            "SQLITE_READONLY": "make the file and its folder writable",
            "SQLITE_CANTOPEN": "make the folder, and let it be writable",
            "SQLITE_BUSY": "another program holds it; try again when that is done",
            "SQLITE_CORRUPT": "move the file away; a new one is made",
            "SQLITE_NOTADB": "name another file in log.path",
        }
        mend = next((text for code, text in mends.items() if name.startswith(code)), "check the disk")
        raise OutputError(f"event log {path}: {error}", "an event log that can be used", mend) from error


def connect(path: Path) -> sqlite3.Connection:
    """Opens a log to write, and makes it where there is none. The connection may be used by any one thread at a time.

    Raises:
        OutputError: not ours, of a newer format, damaged, or in a place that cannot be written.
    """
    with explained(path):
        # Statements commit by themselves; transactions are opened by hand, where several belong together.
        connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            # Looked at before anything is set: journal_mode would rewrite another program's file.
            ours = _is_ours(connection, path)
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            connection.execute("PRAGMA journal_mode = WAL")
            # In WAL only FULL keeps what was acknowledged through a power cut; events are few enough for it.
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA journal_size_limit = {JOURNAL_BYTES}")
            if not ours:
                connection.executescript(
                    f"BEGIN IMMEDIATE; {_TABLES} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {FORMAT}; COMMIT;"
                )
        except BaseException:
            connection.close()
            raise
    return connection


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Opens a log that exists, to read only. Raises OutputError."""
    if not path.is_file():
        raise OutputError(f"event log {path}, which is no file", "an event log", "check the path, or log.path")
    with explained(path):
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=BUSY_S)
        try:
            if not _is_ours(connection, path):
                raise OutputError(f"event log {path}, which is empty", "an event log", "check the path, or log.path")
        except BaseException:
            connection.close()
            raise
    return connection


def _is_ours(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the file is a log; False for one without any table, which may become one."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application == APPLICATION and version <= FORMAT:
        return True
    if application == APPLICATION:
        raise OutputError(
            f"event log {path} of format {version}", f"format {FORMAT} or older", "use the fer-edge that wrote it"
        )
    if tables or application:
        raise OutputError(f"event log {path}, which is another program's database", "an event log", "name another file")
    return False


def used_bytes(connection: sqlite3.Connection) -> int:
    """What the database's pages in use take."""
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def oldest_beyond(connection: sqlite3.Connection, most_bytes: int) -> int:
    """Erases the oldest events, a tenth at a time, until the rest takes less than `most_bytes`; returns how many."""
    erased = 0
    while used_bytes(connection) > most_bytes:
        (count,) = connection.execute("SELECT count(*) FROM event").fetchone()
        if not count:
            break
        cursor = connection.execute(
            "DELETE FROM event WHERE number IN (SELECT number FROM event ORDER BY number LIMIT ?)",
            (max(1, count // 10),),
        )
        erased += cursor.rowcount
    return erased


def shrink(connection: sqlite3.Connection) -> None:
    """Gives freed pages back to the disk, and the journal's old copies of them too, where nobody reads them now."""
    # One step frees one page; execute() takes a single step of a statement without rows, executescript() takes all.
    connection.executescript("PRAGMA incremental_vacuum;")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
