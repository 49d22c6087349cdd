"""Answers without an end: the live picture, and what happens. Whoever reads slowly misses frames; nothing waits for them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from edge_runtime.geometry import Box
from edge_runtime.kiosk.newest import Newest, Shown
from edge_runtime.live.hub import Hub

__all__ = ["BOUNDARY", "Endless", "pictures", "server_sent_events"]

BOUNDARY = "fer-edge-frame"

_MOST_FRAMES_PER_SECOND = 30.0
_MOST_STATES_PER_SECOND = 12.0
_HEARTBEAT_S = 1.0


class Endless(Response):
    """Sends parts until the reader is gone or the parts end. An empty part is not sent.

    A part is asked for once the one before it has gone to the network, so what waits for a reader is one part at most.
    """

    def __init__(self, parts: AsyncIterator[bytes], media_type: str) -> None:
        super().__init__(media_type=media_type)
        del self.headers["content-length"]
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        gone = asyncio.create_task(_gone(receive))
        try:
            if scope["method"] != "HEAD":
                async with aclosing(self._parts) as parts:  # type: ignore[type-var]
                    async for part in parts:
                        if gone.done():
                            return
                        if part:
                            await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def pictures(hub: Hub, newest: Newest) -> AsyncIterator[bytes]:
    """Motion JPEG. Each part tells in `X-Number` which state it belongs to, and in `X-Faces` where faces are on it."""
    number = -1
    with hub.watching():
        while not hub.closed:
            shown = await newest.after(number, _HEARTBEAT_S)
            if shown is None:
                yield b""
                continue
            number = shown.seen.number
            jpeg = await shown.jpeg()
            if jpeg is None:
                yield b""
                continue
            head = (
                f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n"
                f"X-Number: {number}\r\nX-Faces: {_faces(shown)}\r\n\r\n"
            )
            yield head.encode() + jpeg + b"\r\n"
            await asyncio.sleep(1 / _MOST_FRAMES_PER_SECOND)


async def server_sent_events(
    hub: Hub, newest: Newest, state: Callable[[], dict[str, Any]], after: int | None
) -> AsyncIterator[bytes]:
    """The state whenever it changes and at least every second, and each thing that happened, once.

    Args:
        hub, newest: where both come from.
        state: the newest state as JSON.
        after: number of the last event that the reader has seen; None for only those that come from now on.
    """
    known = [number for number, _ in hub.events_after(0)]
    last = known[-1] if known else 0
    if after is not None and after <= last:  # a higher number is of an earlier run
        last = after
    yield b"retry: 1000\n\n"
    number = -1
    while not hub.closed:
        shown = await newest.after(number, _HEARTBEAT_S)
        if shown is not None:
            number = shown.seen.number
        parts = []
        for last, event in hub.events_after(last):  # noqa: B020 — the last number is what is kept
            document = {**event.as_dict(), "wall_s": round(event.wall_s, 3), "number": last}
            parts.append(f"id: {last}\nevent: happened\ndata: {json.dumps(document)}\n\n")
        parts.append(f"event: state\ndata: {json.dumps(state())}\n\n")
        yield "".join(parts).encode()
        await asyncio.sleep(1 / _MOST_STATES_PER_SECOND)


def _faces(shown: Shown) -> str:
    """[[track, left, top, right, bottom], …] as shares of the picture, so that its scale does not matter."""
    frame = shown.seen.frame
    if frame is None:
        return "[]"
    height, width = frame.image.shape[:2]
    found = [[face.track, *_shares(face.box, width, height)] for face in shown.seen.state.faces if face.box is not None]
    return json.dumps(found, separators=(",", ":"))


def _shares(box: Box, width: int, height: int) -> list[float]:
    return [
        round(edge / side, 4)
        for edge, side in ((box.left, width), (box.top, height), (box.right, width), (box.bottom, height))
    ]
