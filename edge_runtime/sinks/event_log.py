"""The event log: an SQLite file that survives power cuts, keeps itself small, and forgets in time.

    with EventLog(Path("events.db"), LogSettings(), Origin("fer2013", "ab12…")) as log:
        log.append(events)      # returns once they are on the disk

What is acknowledged is committed. Times come from the clock that only goes on; the wall's clock dates a whole session, so a
clock that NTP steps loses and reorders nothing.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from edge_runtime.clock import Clock, SystemClock
from edge_runtime.live.events import Event
from edge_runtime.settings.outputs import LogSettings
from edge_runtime.sinks.event_tables import connect, explained, oldest_beyond, shrink, used_bytes
from edge_runtime.version import __version__

__all__ = ["EventLog", "Origin"]

PLAUSIBLE_S = 1_735_689_600.0
"""1 January 2025. A board without a battery starts in 1970; an earlier time than this is no date."""

STEP_S = 60.0
"""A wall clock that moves by more than this against the other one was stepped."""

STEADY_S = 600.0
"""Events of earlier sessions are erased by age only once the wall clock stood steady for so long: a passing jump into the
future must not erase everything."""

TIDY_EVERY_S = 60.0
DAY_S = 86400.0


@dataclass(frozen=True)
class Origin:
    """What a session's answers come from."""

    bundle: str = ""
    bundle_sha256: str = ""


class EventLog:
    """One session of an event log. One thread at a time; `Background` puts it behind a thread of its own.

    Args:
        path: the file; made where there is none.
        settings: how long and how much is kept.
        origin: which model answers.
        clock: for retention; events bring their own times.

    Raises:
        OutputError: no log, a log of another program or a newer fer-edge, or a place that cannot be written.
    """

    def __init__(
        self,
        path: Path,
        settings: LogSettings | None = None,
        origin: Origin | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._path, self._settings = path, settings or LogSettings()
        self._origin, self._clock = origin or Origin(), clock or SystemClock()
        self.session = secrets.token_hex(6)
        """The random name of this session."""
        self._began_s = self._clock.monotonic()
        self._wall_at_start: float | None = None
        self._steady_since_s = self._began_s
        self._last_offset = self._clock.wall() - self._began_s
        self._tidied_s = float("-inf")
        self._connection = connect(path)
        self.tidy()

    def append(self, events: Sequence[Event]) -> int:
        """Commits events, all or none, and returns the number of the last one (0 for none).

        Raises:
            OutputError: the disk is full, read-only or gone; nothing of these events was kept.
        """
        if not events:
            return 0
        self._watch_wall()
        last = 0
        with explained(self._path), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._keep_session(events[-1].monotonic_s)
            for event in events:
                cursor = self._connection.execute(
                    "INSERT INTO event (session, session_s, wall_s, kind, track, label, score, reason, emotions)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (self.session, event.monotonic_s - self._began_s, event.wall_s, *_columns(event)),
                )
                last = int(cursor.lastrowid or 0)
        if self._clock.monotonic() - self._tidied_s >= TIDY_EVERY_S:
            self.tidy()
        return last

    def tidy(self) -> int:
        """Erases what is too old or too much, and returns how many events that were. Raises OutputError."""
        self._tidied_s = self._clock.monotonic()
        self._watch_wall()
        with explained(self._path), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._date_sessions()
            erased = self._erase_old()
            erased += oldest_beyond(self._connection, round(self._settings.most_mb * 1e6))
            self._connection.execute(
                "DELETE FROM session WHERE name <> ? AND name NOT IN (SELECT DISTINCT session FROM event)",
                (self.session,),
            )
        if erased:
            with explained(self._path):
                shrink(self._connection)
        return erased

    def size_bytes(self) -> int:
        """What the events take in the file, without its journal."""
        with explained(self._path):
            return used_bytes(self._connection)

    def close(self) -> None:
        """May be called twice."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _watch_wall(self) -> None:
        """Notes the wall's time at the session's start, as the newest plausible reading has it, and when it was stepped."""
        now, wall = self._clock.monotonic(), self._clock.wall()
        offset = wall - now
        if abs(offset - self._last_offset) > STEP_S:
            self._steady_since_s = now
        self._last_offset = offset
        if wall >= PLAUSIBLE_S:
            self._wall_at_start = self._began_s + offset

    def _wall_is_steady(self) -> bool:
        return self._clock.wall() >= PLAUSIBLE_S and self._clock.monotonic() - self._steady_since_s >= STEADY_S

    def _keep_session(self, until_monotonic_s: float) -> None:
        """The session's row, new or brought up to date: it may have been erased by `fer-edge log erase` meanwhile."""
        self._connection.execute(
            "INSERT INTO session (name, wall_at_start, last_s, bundle, bundle_sha256, fer_edge) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET"
            " wall_at_start = coalesce(excluded.wall_at_start, wall_at_start), last_s = excluded.last_s",
            (
                self.session,
                self._wall_at_start,
                until_monotonic_s - self._began_s,
                self._origin.bundle,
                self._origin.bundle_sha256,
                __version__,
            ),
        )

    def _date_sessions(self) -> None:
        """This one may have learned its date since its last event; an earlier one whose clock was never set ended before now."""
        if self._wall_at_start is not None:
            self._connection.execute(
                "UPDATE session SET wall_at_start = ? WHERE name = ?", (self._wall_at_start, self.session)
            )
        if self._wall_is_steady():
            self._connection.execute(
                "UPDATE session SET wall_at_start = ? - last_s WHERE wall_at_start IS NULL AND name <> ?",
                (self._clock.wall(), self.session),
            )

    def _erase_old(self) -> int:
        keep_s = self._settings.keep_days * DAY_S
        oldest_s = self._clock.monotonic() - self._began_s - keep_s
        cursor = self._connection.execute(
            "DELETE FROM event WHERE session = ? AND session_s < ?", (self.session, oldest_s)
        )
        erased = cursor.rowcount
        if self._wall_is_steady():
            cursor = self._connection.execute(
                "DELETE FROM event WHERE number IN (SELECT event.number FROM event"
                " JOIN session ON session.name = event.session"
                " WHERE session.name <> ? AND session.wall_at_start + event.session_s < ?)",
                (self.session, self._clock.wall() - keep_s),
            )
            erased += cursor.rowcount
        return erased


def _columns(event: Event) -> tuple[str, str, str, float, str, str]:
    fields = event.as_dict()
    emotions = json.dumps(fields["emotions"]) if fields["emotions"] else ""
    return event.kind, event.track, event.label, fields["score"], event.reason, emotions
