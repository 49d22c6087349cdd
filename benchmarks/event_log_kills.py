"""A writer of the event log is killed again and again; every event that it acknowledged must be there.

    python -m benchmarks.event_log_kills --kills 500

Each round starts a writer in a process of its own, which says the number of an event once it is committed, and kills it
(SIGKILL) at a random moment within some milliseconds. The log must then be whole and hold every number that was said.
"""

from __future__ import annotations

import argparse
import os
import random
import select
import signal
import sqlite3
import tempfile
import time
from pathlib import Path

from benchmarks.script import run_script
from edge_runtime.live.events import CHANGED, Event
from edge_runtime.sinks.event_log import EventLog


def write_for_ever(path: Path, out: int) -> None:
    with EventLog(path) as log:
        while True:
            number = log.append([Event(CHANGED, time.monotonic(), time.time(), "abcdef", "happy", 0.9)])
            os.write(out, f"{number}\n".encode())


def killed_writer(path: Path, after_s: float) -> list[int]:
    """The numbers that a writer acknowledged before it was killed, so many seconds after its first one."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            write_for_ever(path, writing)
        finally:
            os._exit(1)
    os.close(writing)
    said = b""
    # Without the first acknowledgement, a slow machine would count kills of a writer that had not begun.
    if not select.select([reading], [], [], 30)[0]:
        os.kill(child, signal.SIGKILL)
        raise SystemExit("the writer acknowledged nothing for 30 s")
    time.sleep(after_s)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while part := os.read(reading, 65536):
        said += part
    os.close(reading)
    # The last line may be cut off by the kill; it was then not acknowledged.
    return [int(line) for line in said.split(b"\n")[:-1]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--folder", type=Path, help="where the log is written (default: a temporary folder)")
    arguments = parser.parse_args()
    moments = random.Random(1)
    acknowledged: set[int] = set()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        path = Path(folder) / "events.db"
        for _ in range(arguments.kills):
            acknowledged |= set(killed_writer(path, moments.uniform(0, 0.02)))
        with sqlite3.connect(path) as connection:
            (whole,) = connection.execute("PRAGMA integrity_check").fetchone()
            kept = {number for (number,) in connection.execute("SELECT number FROM event")}
        connection.close()
    lost = acknowledged - kept
    print(f"kills                 {arguments.kills}")
    print(f"events acknowledged   {len(acknowledged)}")
    print(f"events in the log     {len(kept)}")
    print(f"acknowledged and lost {len(lost)}")
    print(f"integrity of the file {whole}")
    return 1 if lost or whole != "ok" or len(acknowledged) < arguments.kills else 0


if __name__ == "__main__":
    raise SystemExit(run_script("event_log_kills", main))
