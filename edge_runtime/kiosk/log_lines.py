"""The event log as lines for whoever takes it out over HTTP, a few hundred events at a time."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from edge_runtime.sinks.log_reading import Selection, read_events

__all__ = ["log_lines"]

_AT_ONCE = 500


async def log_lines(path: Path) -> AsyncIterator[str]:
    """JSON lines, some hundred in each text. The first are read before this returns, so that a log without a use is known.

    Raises:
        OutputError: no log, or one that cannot be read.
    """
    worker = ThreadPoolExecutor(1, "kiosk log")  # SQLite wants all of a connection's calls in one thread
    events = read_events(path, Selection())
    loop = asyncio.get_running_loop()

    def some() -> str:
        return "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in itertools.islice(events, _AT_ONCE))

    async def lines(first: str) -> AsyncIterator[str]:
        text = first
        try:
            while text:
                yield text
                text = await loop.run_in_executor(worker, some)
        finally:
            worker.submit(events.close)  # type: ignore[attr-defined]
            worker.shutdown(wait=False)

    try:
        return lines(await loop.run_in_executor(worker, some))
    except BaseException:
        worker.shutdown(wait=False)
        raise
