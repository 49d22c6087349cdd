"""Requests at a steady pace, and connections that never ask: what a kiosk's server must bear.

    python -m benchmarks.kiosk_load http://127.0.0.1:8080/ --per-second 1000 --seconds 10

prints one line of JSON. The pace is kept whatever the answers take, so a slow server is not spared.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import socket
import time
from collections import Counter
from urllib.parse import urlsplit

from benchmarks.script import run_script
from edge_runtime.errors import UsageError

PATHS = ("api/state", "healthz", "metrics", "assets/kiosk.js", "api/history?seconds=60")
_LINKS = 40


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", type=server, metavar="URL")
    parser.add_argument("--per-second", type=float, default=1000.0)
    parser.add_argument("--seconds", type=float, default=10.0)
    arguments = parser.parse_args()
    host, port = arguments.url
    try:
        socket.create_connection((host, port), timeout=5).close()
    except OSError as error:
        raise UsageError(
            f"no answer from {host}:{port}: {error.strerror or error}", "a kiosk's server", "start `fer-edge serve`"
        ) from error
    print(json.dumps(asyncio.run(paced(host, port, arguments.per_second, arguments.seconds))))


def server(url: str) -> tuple[str, int]:
    """The host and port of an http:// address. Raises argparse.ArgumentTypeError."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or 80
    except ValueError:
        host = None
    if host is None or parts.scheme != "http":
        raise argparse.ArgumentTypeError(f"{url!r}; expected http://HOST:PORT/")
    return host, port


async def paced(host: str, port: int, per_second: float, seconds: float) -> dict[str, object]:
    """Statuses, errors, and how long answers took, of `per_second × seconds` requests over a few open connections."""
    due: asyncio.Queue[tuple[float, str] | None] = asyncio.Queue()
    statuses: Counter[str] = Counter()
    took_ms: list[float] = []

    async def ask() -> None:
        reader, writer = await asyncio.open_connection(host, port)
        while (item := await due.get()) is not None:
            due_s, path = item
            try:
                writer.write(f"GET /{path} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    int(line.split(b":")[1])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length")
                )
                await reader.readexactly(length)
                statuses[head.split(b" ", 2)[1].decode()] += 1
                took_ms.append(1000 * (time.perf_counter() - due_s))
            except (OSError, EOFError, StopIteration) as error:
                statuses[type(error).__name__] += 1
                reader, writer = await asyncio.open_connection(host, port)
        writer.close()

    asking = [asyncio.create_task(ask()) for _ in range(_LINKS)]
    count = round(per_second * seconds)
    began = time.perf_counter()
    for index in range(count):
        at = began + index / per_second
        if (wait_s := at - time.perf_counter()) > 0:
            await asyncio.sleep(wait_s)
        due.put_nowait((at, PATHS[index % len(PATHS)]))
    for _ in asking:
        due.put_nowait(None)
    await asyncio.gather(*asking)
    took_ms.sort()
    whole_s = time.perf_counter() - began
    return {
        "sent": count,
        "statuses": dict(statuses),
        "per_second": round(sum(statuses.values()) / whole_s, 1),
        "p50_ms": round(took_ms[len(took_ms) // 2], 2) if took_ms else None,
        "p99_ms": round(took_ms[int(0.99 * len(took_ms))], 2) if took_ms else None,
    }


async def half_open(url: str, count: int, seconds: float) -> int:
    """Keeps so many connections open that begin a request and never end it; how many had to be opened again."""
    host, port = server(url)
    again = 0

    async def hang() -> None:
        nonlocal again
        while True:
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-")
            with contextlib.suppress(OSError):
                await reader.read(1)
            writer.close()
            again += 1

    hanging = [asyncio.create_task(hang()) for _ in range(count)]
    await asyncio.sleep(seconds)
    for each in hanging:
        each.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)
    return again


if __name__ == "__main__":
    raise SystemExit(run_script("kiosk_load", main))
