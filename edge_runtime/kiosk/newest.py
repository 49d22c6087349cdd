"""From the hub, which threads wait on, to any number of asynchronous readers. Each gets the newest; nothing queues up."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field

import cv2
import numpy as np

from devices.base import Frame
from edge_runtime.live.hub import Hub, Seen

__all__ = ["MOST_WIDTH_PX", "Newest", "Shown"]

MOST_WIDTH_PX = 960
"""Wider frames are scaled down for the page: their JPEG would take longer than their faces."""

QUALITY = 80
_PATIENCE_S = 0.5


@dataclass(eq=False)
class Shown:
    """One `Seen` on its way to readers.

    Attributes:
        seen: what the loop left.
        at_s: when it came, monotonic seconds.
    """

    seen: Seen
    at_s: float
    _encoding: asyncio.Task[bytes] | None = field(default=None, repr=False)

    async def jpeg(self) -> bytes | None:
        """The frame as JPEG, encoded once for all readers, and only if one asks; None where there is no frame."""
        if self.seen.frame is None:
            return None
        if self._encoding is None:
            self._encoding = asyncio.ensure_future(asyncio.to_thread(_encoded, self.seen.frame))
        return await asyncio.shield(self._encoding)


class Newest:
    """Follows a hub in a thread of its own between `start` and `stop`, both called in the readers' event loop."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        # What lies there already may be old; its age is not known, so it counts from now.
        self._shown = Shown(self._hub.newest, self._loop.time())
        self._thread = threading.Thread(target=self._follow, name="kiosk newest", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Returns at once; the thread ends within half a second."""
        self._ended.set()

    @property
    def shown(self) -> Shown:
        return self._shown

    def age_s(self) -> float:
        """Seconds since something came last."""
        return self._loop.time() - self._shown.at_s

    async def after(self, number: int, timeout_s: float) -> Shown | None:
        """The newest, once its number differs from `number`; None where nothing came in time.

        A hub's numbers grow; a reader with a higher one than the newest comes from an earlier run.
        """
        changed = self._changed
        if self._shown.seen.number == number:
            try:
                async with asyncio.timeout(timeout_s):
                    await changed.wait()
            except TimeoutError:
                return None
        return self._shown

    def _follow(self) -> None:
        number = self._shown.seen.number
        while not self._ended.is_set():
            seen = self._hub.after(number, _PATIENCE_S)
            if seen is None:
                if self._hub.closed:
                    return
                continue
            number = seen.number
            try:
                self._loop.call_soon_threadsafe(self._take, seen)
            except RuntimeError:  # the event loop is closed: nobody reads any more
                return

    def _take(self, seen: Seen) -> None:
        self._shown = Shown(seen, self._loop.time())
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


def _encoded(frame: Frame) -> bytes:
    image = frame.image
    height, width = image.shape[:2]
    if width > MOST_WIDTH_PX:
        size = MOST_WIDTH_PX, max(1, round(height * MOST_WIDTH_PX / width))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    _, data = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, QUALITY))
    return data.tobytes()
