"""A camera in a child process that can be killed: a deadline on every call, the newest frame only, and back after a fault.

    with CameraWorker("v4l2:/dev/video0?size=640x480") as source:
        while not stopped:
            frame = source.newest(timeout_s=0.5)
            if frame is None:
                show(source.state)      # opening, lost and why, ended

No thread of its own: `newest` drives it, so it is to be called at least every second or so. Times are monotonic.
"""

from __future__ import annotations

import logging
import os
import time
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from devices.backoff import Backoff
from devices.base import Deadlines, Frame
from devices.child import Child, Message, wait_readable
from devices.errors import CameraError, CameraSetupError
from devices.frame_buffer import FrameReader
from devices.registry import CAMERAS, adapter
from devices.source_state import Phase, SourceState
from devices.spec import Spec, parse_source

__all__ = ["CameraWorker", "Phase", "SourceState"]

_log = logging.getLogger("fer_edge.camera")
_PRESENCE_S = 0.25  # how often a lost camera's place is looked at while waiting
_TICK_S = 0.1  # the longest time between two looks at the deadlines
_UNPLUG = "unplug the camera and plug it in again"


class CameraWorker:
    """A supervised source of frames. For one thread; `state` may be read by any.

    Args:
        source: a spec, parsed or as text.
        deadlines: None for those of the camera.
        picture: what cameras that show a picture show; a path.
        picture_reader: "module:function" that reads picture files, as `devices.base.Opening` says.
        backoff: waits between attempts.

    Attributes:
        epoch_s: monotonic time at which it was opened first; until its process says so, at which that was started.

    Raises:
        SpecError: the spec cannot be read. Everything else is told by `state` and `newest`.
    """

    def __init__(
        self,
        source: str | Spec,
        deadlines: Deadlines | None = None,
        picture: str = "",
        picture_reader: str = "devices.cameras.images:read_picture",
        backoff: Backoff | None = None,
    ) -> None:
        self.spec = parse_source(source) if isinstance(source, str) else source
        self._class = adapter(CAMERAS, self.spec.kind, "camera")
        self.deadlines = deadlines or self._class.deadlines
        self._backoff = backoff or Backoff()
        now = time.monotonic()
        self.epoch_s = now
        self._opening: dict[str, Any] = {"picture": picture, "picture_reader": picture_reader}
        self._frames = FrameReader()
        self._bell, self._ring = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._child: Child | None = None
        self._leaving: tuple[Child, float] | None = None  # a child on its way out, and when it is killed
        self._read_s = self.deadlines.read_s
        self._recording = False
        self._retry_at_s, self._absent, self._fetched, self._look_at_s = now, False, False, now
        self._opened_at_s = self._live_since_s = self._lost_since_s = self._taken_at_s = now
        self._in_outage = self._has_worked = False
        self._refused, self._refused_at_s = "", 0.0
        self._error: CameraError | None = None
        self.state = SourceState(self.spec.shown, Phase.OPENING, now)
        self._start(now)

    def newest(self, timeout_s: float) -> Frame | None:
        """The newest frame that has not been handed out yet; of a recording the next one. None where none came in time.

        `Frame.index` counts the frames that the camera gave, over all openings: a gap is a drop.

        Args:
            timeout_s: 0 looks and returns.

        Raises:
            CameraSetupError: no waiting brings this camera back.
            CameraError: a recording that cannot be read, or breaks off; the frames before have been handed out.
        """
        until = time.monotonic() + timeout_s
        while self.state.phase is not Phase.CLOSED:
            with suppress(BlockingIOError):
                os.read(self._bell, 65_536)
            frame = self._take()
            self._advance(time.monotonic())
            if frame is not None:
                return frame
            if self._error is not None and not self._frames.waiting():
                raise self._error
            left_s = until - time.monotonic()
            if left_s <= 0 or self.state.phase is Phase.ENDED:
                # A recording's last frame and its end arrive together: the frame goes first.
                return self._take()
            ears = [self._bell] if self._child is None else [self._bell, self._child.fileno()]
            wait_readable(ears, min(left_s, _TICK_S))
        return None

    def close(self) -> None:
        """Stops the camera and ends its process: by itself within the deadline, or killed. May be called twice."""
        if self.state.phase is Phase.CLOSED:
            return
        leaving = [child for child in (self._child, self._leaving[0] if self._leaving else None) if child]
        for child in leaving:
            if not child.end(self.deadlines.stop_s):
                _log.warning("camera %s: process %d cannot be killed, the kernel holds it", self.spec.shown, child.pid)
        self._child = self._leaving = None
        self._frames.forget()
        self._set(Phase.CLOSED, time.monotonic())
        self._frames.close()
        os.close(self._bell)
        os.close(self._ring)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # What drives it

    def _take(self) -> Frame | None:
        try:
            frame = self._frames.take()
        except TimeoutError:  # a child that was frozen in the middle; its deadline will end it
            return None
        if frame is not None:
            self._taken_at_s = time.monotonic()
            if self._recording and self._child is not None:
                self._child.send({"next": True})
            if self.state.phase in (Phase.OPENING, Phase.LOST) and self._child is not None:
                self._come_back(self._taken_at_s)
            with suppress(TimeoutError):
                self.state = replace(self.state, counts=self._frames.counts())
        return frame

    def _advance(self, now: float) -> None:
        self._see_off(now)
        if self.state.phase in (Phase.ENDED, Phase.FAILED, Phase.CLOSED):
            return
        if self._child is None:
            returned = self._returned(now)
            if self._leaving is None and (returned or now >= self._retry_at_s):
                self._start(now, returned)
            return
        try:
            while self._child is not None and (message := self._child.receive()) is not None:
                self._hear(message, now)
        except EOFError:
            assert self._child is not None
            self._child.gone(1.0)
            self._lose(now, f"its process ended with {self._child.ending()}", "check cable and power", kill=True)
        if self._child is not None:
            self._judge(now)

    def _judge(self, now: float) -> None:
        """Kills what has been silent for too long."""
        if self._frames.last_s() < self._opened_at_s:
            if now > self._opened_at_s + self.deadlines.open_s:
                what = f"no frame within {self.deadlines.open_s:g} s of opening it"
                self._lose(now, what + self._refused, "check cable, power and address", kill=True)
        elif not self._recording or self._taken_at_s >= self._frames.last_s():
            silent_s = now - max(self._frames.last_s(), self._taken_at_s if self._recording else 0)
            if silent_s > self._read_s:
                refused = self._refused if now - self._refused_at_s < self._read_s else ""
                self._lose(now, f"no frame for {silent_s:.1f} s{refused}", _UNPLUG, kill=True)

    def _hear(self, message: Message, now: float) -> None:
        if "began" in message:
            self.epoch_s = self._opening["epoch_s"] = message["began"]
        elif "opened" in message:
            opened = message["opened"]
            self._recording = not opened["live"]
            self.state = replace(self.state, live=opened["live"], fps=opened["fps"])
            self._read_s = max(self.deadlines.read_s, 3 / opened["fps"] if opened["fps"] else 0)
        elif "refused" in message:
            self._refused, self._refused_at_s = f"; frames {message['refused']} are refused", now
        elif "ended" in message:
            self._dismiss(now)
            self._set(Phase.ENDED, now)
        elif "error" in message:
            received, expected, mend = message["error"]
            # A camera that has worked is never given up: a plugged-in one has no permissions for its first moments.
            if message.get("lasting") and not (self._class.retries and self._has_worked):
                kind = CameraSetupError if self._class.retries else CameraError
                self._error = kind(received, expected, mend)
                self._dismiss(now)
                self._set(Phase.FAILED, now, received, mend)
            else:
                self._lose(now, received, mend, kill=False)
                # It may be back before it is looked for first. Only once in a row: where it says so of a camera that is
                # there, it is to wait like others.
                self._absent = self._absent or (bool(message.get("absent")) and not self._fetched)

    def _start(self, now: float, fetched: bool = False) -> None:
        self._fetched = fetched
        self._opened_at_s = time.monotonic()
        self._refused = ""
        self._frames.forget()
        arguments: dict[str, Any] = {
            "source": self.spec.text,
            "frames": self._frames.descriptor,
            "bell": self._ring,
            "opening": self._opening,
        }
        self.state = replace(self.state, attempts=self.state.attempts + 1)
        try:
            self._child = Child("devices.camera_child:main", arguments, (self._frames.descriptor, self._ring))
        except OSError as error:  # no memory or no descriptors left: that may pass
            self._lose(now, f"no process for it: {error.strerror}", "close other programs", kill=False)

    def _lose(self, now: float, fault: str, mend: str, kill: bool) -> None:
        """The camera is not there any more, or still not."""
        if not self._in_outage:
            self._in_outage = True
            self._lost_since_s = now
            was_live = self.state.phase is Phase.LIVE
            if was_live and now - self._live_since_s > self._backoff.last_s:
                self._backoff.reset()
            self.state = replace(self.state, outages=self.state.outages + 1, attempts=0)
            _log.warning("camera %s lost: %s; trying again; %s", self.spec.shown, fault, mend)
        self._dismiss(now, kill)
        self._retry_at_s = now + self._backoff.next_s()
        self._look_at_s, self._absent = now, False
        self._returned(now)
        self._set(Phase.LOST, now, fault, mend)

    def _come_back(self, now: float) -> None:
        if self._in_outage:
            gone_s = now - self._lost_since_s
            _log.warning("camera %s back after %.1f s", self.spec.shown, gone_s)
        self._in_outage, self._has_worked = False, True
        self._live_since_s = now
        self._set(Phase.LIVE, now)

    def _returned(self, now: float) -> bool:
        """Whether a camera that was absent is there again: then there is nothing to wait for."""
        if now < self._look_at_s:
            return False
        self._look_at_s = now + _PRESENCE_S
        there = self._class.present(self.spec.target, self.spec.options, self.epoch_s)
        if there is False:
            self._absent = True
        return bool(there) and self._absent

    def _dismiss(self, now: float, kill: bool = False) -> None:
        """Lets a child go: it has said that it is leaving, or it must. Whoever hangs in its own stop is killed in time."""
        if self._child is not None:
            if kill:
                self._child.kill()
            self._leaving = (self._child, now + self.deadlines.stop_s)
            self._child = None

    def _see_off(self, now: float) -> None:
        if self._leaving is None:
            return
        child, kill_at_s = self._leaving
        if child.gone():
            self._leaving = None
        elif now > kill_at_s:
            # Not awaited here: a process that hangs in the kernel cannot be killed, and only it holds the camera.
            child.kill()

    def _set(self, phase: Phase, now: float, fault: str = "", mend: str = "") -> None:
        since_s = self.state.since_s if phase is self.state.phase else now
        attempts = 0 if phase is Phase.LIVE else self.state.attempts
        counts = self.state.counts
        with suppress(TimeoutError):
            counts = self._frames.counts()
        self.state = replace(
            self.state, phase=phase, since_s=since_s, fault=fault, mend=mend, attempts=attempts, counts=counts
        )
