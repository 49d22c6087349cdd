"""The event log keeps what it acknowledged, forgets what it must, and survives clocks, disks and kills."""

import csv
import io
import json
import resource
import sqlite3
import subprocess
import sys

import pytest

from edge_runtime.clock import ManualClock
from edge_runtime.errors import OutputError
from edge_runtime.live.events import Event
from edge_runtime.settings.outputs import LogSettings
from edge_runtime.sinks.event_log import STEADY_S, EventLog, Origin
from edge_runtime.sinks.log_reading import Selection, erase, read_events
from tests.support import ROOT, fer_edge

DAY_S = 86400.0


def event(clock, label="happy", track="aaaa", kind="changed"):
    return Event(kind, clock.monotonic(), clock.wall(), track, label, 0.75, "", {"happy": 0.75, "sad": 0.25})


def labels(path, **selection):
    return [item["label"] for item in read_events(path, Selection(**selection))]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "events.db"


def test_events_read_back_as_they_were_with_their_model(path):
    clock = ManualClock()
    with EventLog(path, origin=Origin("fer2013", "ab12"), clock=clock) as log:
        clock.pass_time(5)
        assert log.append([event(clock)]) == 1
    (item,) = read_events(path, Selection())
    assert (item["label"], item["score"], item["emotions"]) == ("happy", 0.75, {"happy": 0.75, "sad": 0.25})
    assert (item["session_s"], item["wall_s"], item["bundle"]) == (5.0, clock.wall(), "fer2013")
    assert item["time"].startswith("2025-06-15T15:06:45")


def test_acknowledged_events_outlive_a_killed_writer(tmp_path):
    """Twelve kills here; `python -m benchmarks.event_log_kills` does five hundred."""
    command = [sys.executable, "-m", "benchmarks.event_log_kills", "--kills", "12", "--folder", str(tmp_path)]
    outcome = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert "acknowledged and lost 0" in outcome.stdout


def test_events_are_seen_by_another_reader_once_they_are_acknowledged(path):
    clock = ManualClock()
    with EventLog(path, clock=clock) as log:
        log.append([event(clock)])
        assert labels(path) == ["happy"]


@pytest.mark.parametrize("step_s", [7200.0, -7200.0, -1_750_000_000.0, 40 * DAY_S])
def test_a_stepped_wall_clock_loses_and_reorders_nothing(path, step_s):
    clock = ManualClock()
    with EventLog(path, LogSettings(keep_days=30), clock=clock) as log:
        for label in ("first", "second", "third", "fourth"):
            clock.pass_time(61)
            if label == "third":
                clock.step_wall(step_s)
            log.append([event(clock, label)])
        log.tidy()
    assert labels(path) == ["first", "second", "third", "fourth"]
    times = [item["time"] for item in read_events(path, Selection())]
    assert times == sorted(times), "one session is dated by one clock"


def test_a_board_that_starts_in_1970_is_dated_once_its_clock_is_set(path):
    clock = ManualClock(wall=30.0)
    with EventLog(path, clock=clock) as log:
        clock.pass_time(10)
        log.append([event(clock)])
        clock.step_wall(1_750_000_000.0)
        clock.pass_time(61)
        log.tidy()
    (item,) = read_events(path, Selection())
    assert item["time"].startswith("2025-06-15")
    assert item["wall_s"] == 40.0, "what the wall's clock said then is kept too"


def test_a_session_that_never_had_a_date_ended_before_the_next_one(path):
    unset = ManualClock(wall=30.0)
    with EventLog(path, clock=unset) as log:
        log.append([event(unset, "undated")])
    clock = ManualClock()
    with EventLog(path, LogSettings(keep_days=1), clock=clock) as log:
        clock.pass_time(STEADY_S + 1)
        log.tidy()
        assert labels(path) == ["undated"], "1970 is no age"
        clock.pass_time(2 * DAY_S)
        log.tidy()
    assert labels(path) == []


def test_events_are_forgotten_in_time_in_this_session_and_in_earlier_ones(path):
    clock = ManualClock()
    settings = LogSettings(keep_days=10)
    with EventLog(path, settings, clock=clock) as log:
        log.append([event(clock, "old")])
        clock.pass_time(6 * DAY_S)
        log.append([event(clock, "newer")])
    later = ManualClock(5.0, clock.wall())
    with EventLog(path, settings, clock=later) as log:
        later.pass_time(5 * DAY_S)
        log.append([event(later, "new")])
        assert labels(path) == ["newer", "new"]
        later.pass_time(10.5 * DAY_S)
        log.tidy()
        assert labels(path) == []


def test_a_passing_jump_into_the_future_does_not_erase_earlier_sessions(path):
    clock = ManualClock()
    with EventLog(path, clock=clock) as log:
        log.append([event(clock, "earlier")])
    later = ManualClock(5.0, clock.wall() + 60)
    with EventLog(path, clock=later) as log:
        later.pass_time(STEADY_S + 1)
        later.step_wall(3650 * DAY_S)
        for _ in range(5):
            later.pass_time(61)
            log.append([event(later, "now")])
        later.step_wall(-3650 * DAY_S)
        later.pass_time(STEADY_S + 61)
        log.tidy()
    assert labels(path) == ["earlier"] + ["now"] * 5


def test_the_file_stays_within_its_size_and_keeps_the_newest(path):
    clock = ManualClock()
    with EventLog(path, LogSettings(most_mb=1), clock=clock) as log:
        for number in range(12):
            log.append([event(clock, f"{number:02}-{'x' * 500}") for _ in range(200)])
            clock.pass_time(61)
        log.tidy()
        assert log.size_bytes() <= 1_000_000
    assert path.stat().st_size <= 1_050_000
    kept = labels(path)
    assert kept[-1].startswith("11-")
    assert kept == sorted(kept)
    assert not kept[0].startswith("00-")


def everything(path):
    return b"".join(file.read_bytes() for file in path.parent.iterdir())


@pytest.mark.parametrize("what", ["track", "before_s", "all"])
def test_what_is_erased_is_gone_from_every_byte_while_the_service_runs(path, what):
    clock = ManualClock()
    with EventLog(path, clock=clock) as log:
        for track in ("5e1f5e1f", "0ddba110"):
            log.append([event(clock, f"label-{track}", track) for _ in range(300)])
            clock.pass_time(100)
        assert b"5e1f5e1f" in everything(path)
        selection = {
            "track": Selection(track="5e1f5e1f"),
            "before_s": Selection(before_s=clock.wall() - 150),
            "all": Selection(),
        }[what]
        assert erase(path, selection) == (600 if what == "all" else 300)
        assert b"5e1f5e1f" not in everything(path)
        assert (b"0ddba110" in everything(path)) == (what != "all")
        if what == "all":
            assert path.stat().st_size < 40_000, "the space is given back"
        log.append([event(clock, "after")])
    assert labels(path)[-1] == "after"


def test_what_retention_forgets_is_gone_from_every_byte(path):
    clock = ManualClock()
    with EventLog(path, LogSettings(keep_days=1), clock=clock) as log:
        log.append([event(clock, "label", "5e1f5e1f") for _ in range(300)])
        clock.pass_time(2 * DAY_S)
        log.append([event(clock, "after")])
        assert b"5e1f5e1f" not in everything(path)
        assert labels(path) == ["after"]


def test_a_full_disk_is_one_error_and_the_next_events_are_kept(path):
    clock = ManualClock()
    with EventLog(path, clock=clock) as log:
        log.append([event(clock, "before")])
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
        try:
            with pytest.raises(OutputError, match=r"events\.db"):
                log.append([event(clock, "x" * 1000) for _ in range(300)])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        log.append([event(clock, "after")])
    assert labels(path) == ["before", "after"], "all of a batch or none of it"


def test_other_files_are_refused_and_left_as_they_are(tmp_path):
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    connection.close()
    text = tmp_path / "notes.txt"
    text.write_text("no database, but longer than a hundred bytes, or SQLite takes it for an empty one" * 5)
    for path in (other, text, tmp_path / "nowhere" / "events.db"):
        before = path.read_bytes() if path.exists() else None
        with pytest.raises(OutputError):
            EventLog(path)
        with pytest.raises(OutputError):
            list(read_events(path, Selection()))
        assert (path.read_bytes() if path.exists() else None) == before


def test_a_log_of_a_newer_fer_edge_is_refused(path):
    EventLog(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(OutputError, match="format 99"):
        EventLog(path)


def test_export_gives_the_same_events_as_json_lines_and_csv(path, tmp_path):
    clock = ManualClock()
    with EventLog(path, clock=clock) as log:
        log.append([event(clock, 'a "quoted", label', "aaaa"), event(clock, "sad", "bbbb")])
    lines = [json.loads(line) for line in fer_edge("log", "export", path).stdout.splitlines()]
    out = tmp_path / "events.csv"
    assert fer_edge("log", "export", path, "--format", "csv", "--out", out).returncode == 0
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert [line["label"] for line in lines] == [row["label"] for row in rows] == ['a "quoted", label', "sad"]
    assert json.loads(rows[1]["emotions"]) == lines[1]["emotions"]
    only = fer_edge("log", "export", path, "--track", "bbbb", "--since", "2025-06-15T00:00+00:00")
    assert [json.loads(line)["track"] for line in only.stdout.splitlines()] == ["bbbb"]


def test_erase_wants_to_be_told_what_and_says_how_much(path, tmp_path):
    clock = ManualClock()
    with EventLog(path, clock=clock) as log:
        log.append([event(clock), event(clock, "sad", "bbbb")])
    assert "2 events" not in fer_edge("log", "erase", path, "--track", "bbbb").stdout
    assert fer_edge("log", "erase", "--all", "--set", f"log.path={path}").stdout.endswith("1 event erased\n")
    for wrong in (
        (path,),
        (path, "--all", "--track", "a"),
        (path, "--before", "noon"),
        ("--all",),
        (tmp_path / "no", "--all"),
    ):
        outcome = fer_edge("log", "erase", *wrong)
        assert outcome.returncode == 2
        assert len(outcome.stderr.splitlines()) == 1
