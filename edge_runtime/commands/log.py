"""`fer-edge log export|erase`: what the event log holds, and taking it out for good."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from edge_runtime.errors import UsageError
from edge_runtime.files import output_stream
from edge_runtime.settings.config import load_config
from edge_runtime.sinks.log_reading import COLUMNS, Selection, erase, read_events, time_of

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Returns 0; a log that cannot be read or erased raises, which the command turns into exit 2."""
    path = arguments.file or _configured(arguments)
    selection = Selection(
        None if arguments.since is None else time_of(arguments.since),
        None if arguments.before is None else time_of(arguments.before),
        arguments.track,
    )
    if arguments.action == "erase":
        if selection == Selection() and not arguments.all:
            raise UsageError("log erase without a choice", "--before, --since, --track or --all", "say what is meant")
        if selection != Selection() and arguments.all:
            raise UsageError("--all with another choice", "one of them", "leave one away")
        count = erase(path, selection)
        print(f"{path}: {count} event{'s' * (count != 1)} erased")
        return 0
    with output_stream(arguments.out) as stream:
        count = (_write_csv if arguments.format == "csv" else _write_jsonl)(read_events(path, selection), stream)
    print(f"{path}: {count} event{'s' * (count != 1)}", file=sys.stderr)
    return 0


def _configured(arguments: argparse.Namespace) -> Path:
    configured = load_config(arguments.config, changes=tuple(arguments.set)).config.log.path
    if not configured:
        raise UsageError("no event log", "FILE.db, or log.path in the configuration", "name the file")
    return Path(configured)


def _write_jsonl(events: Iterator[dict[str, Any]], stream: TextIO) -> int:
    count = 0
    for count, event in enumerate(events, 1):  # noqa: B007
        stream.write(json.dumps(event, ensure_ascii=False) + "\n")
    return count


def _write_csv(events: Iterator[dict[str, Any]], stream: TextIO) -> int:
    """A column a field; the emotions of an event stand in one, as JSON, for bundles of one log may differ in their labels."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    count = 0
    for count, event in enumerate(events, 1):  # noqa: B007
        emotions = json.dumps(event["emotions"], ensure_ascii=False)
        writer.writerow([emotions if name == "emotions" else event[name] for name in COLUMNS])
    return count
