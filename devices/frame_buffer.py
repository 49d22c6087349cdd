"""The newest frame of a child process, in memory that both sides share. No queue: a newer frame takes the older one's place.

Three slots: one may be read, one holds the newest, one is written. Which is which changes under a file lock, which the
kernel takes back from a process that is killed; pixels are copied outside of it.
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.base import Frame
from devices.child import unnamed_file

__all__ = ["Counts", "FrameReader", "FrameWriter"]

# Eight 64-bit numbers: produced, refused, black, taken, newest, reading, capacity (bytes a slot), last_ns (monotonic).
_PRODUCED, _REFUSED, _BLACK, _TAKEN, _NEWEST, _READING, _CAPACITY, _LAST_NS = range(0, 64, 8)
_SLOTS = 3
_META = struct.Struct("<qdqqqqq")  # serial, time_s, height, width, small height, small width, whether black
_META_AT, _META_STEP, _DATA_AT = 64, 64, 4096
_NONE = -1


@dataclass(frozen=True)
class Counts:
    """What became of a source's frames; produced = delivered + dropped, always.

    Attributes:
        produced: frames that the camera gave.
        delivered: those that were handed on.
        dropped: those that were not: a newer one came first, or they were refused.
        refused: of those dropped, torn ones and ones of a wrong size.
        black: frames without any light (a cap, a shutter, a dead sensor); they are handed on like others.
    """

    produced: int = 0
    delivered: int = 0
    dropped: int = 0
    refused: int = 0
    black: int = 0


class _Shared:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._map = mmap.mmap(descriptor, os.fstat(descriptor).st_size)

    def _get(self, at: int) -> int:
        return int.from_bytes(self._map[at : at + 8], "little", signed=True)

    def _put(self, at: int, value: int) -> None:
        self._map[at : at + 8] = value.to_bytes(8, "little", signed=True)

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        """Holds the lock, for some microseconds. A holder that the system froze is not waited for beyond a second."""
        until = time.monotonic() + 1
        while True:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() > until:
                    raise TimeoutError("the other process holds the frame buffer") from None
                time.sleep(0.0002)
        try:
            yield
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def _about(self, slot: int) -> tuple[Any, ...]:
        return _META.unpack_from(self._map, _META_AT + slot * _META_STEP)

    def _pixels(self, slot: int, capacity: int, shape: tuple[int, int], after: int = 0) -> NDArray[np.uint8]:
        count = shape[0] * shape[1] * 3
        at = _DATA_AT + slot * capacity + after
        return np.frombuffer(self._map, np.uint8, count, at).reshape(*shape, 3)

    def _remap(self) -> None:
        self._map = mmap.mmap(
            self._descriptor, os.fstat(self._descriptor).st_size
        )  # the old one goes with its last view


class FrameWriter(_Shared):
    """The camera's side.

    Args:
        descriptor: the reader's, inherited.
    """

    def __init__(self, descriptor: int) -> None:
        # flock(2) locks belong to an opening of a file, and an inherited descriptor is the reader's own opening.
        super().__init__(os.open(f"/proc/self/fd/{descriptor}", os.O_RDWR | os.O_CLOEXEC))
        with self._lock():
            self.produced = self._get(_PRODUCED)

    def publish(self, frame: Frame, black: bool = False) -> int:
        """Makes `frame` the newest one and returns its number, counted from 1 over all openings."""
        small_bytes = 0 if frame.small is None else frame.small.nbytes
        if frame.image.nbytes + small_bytes > self._get(_CAPACITY):
            self._grow(frame.image.nbytes + small_bytes)
        capacity = self._get(_CAPACITY)
        with self._lock():
            slot = next(slot for slot in range(_SLOTS) if slot not in (self._get(_NEWEST), self._get(_READING)))
        height, width = frame.image.shape[:2]
        self._pixels(slot, capacity, (height, width))[:] = frame.image
        small = (0, 0) if frame.small is None else frame.small.shape[:2]
        if frame.small is not None:
            self._pixels(slot, capacity, (small[0], small[1]), frame.image.nbytes)[:] = frame.small
        with self._lock():
            self.produced += 1
            about = (self.produced, frame.time_s, height, width, small[0], small[1], black)
            _META.pack_into(self._map, _META_AT + slot * _META_STEP, *about)
            self._put(_PRODUCED, self.produced)
            self._put(_BLACK, self._get(_BLACK) + black)
            self._put(_LAST_NS, time.monotonic_ns())
            self._put(_NEWEST, slot)
        return self.produced

    def refuse(self) -> None:
        """Counts a frame that nobody should see."""
        with self._lock():
            self.produced += 1
            self._put(_PRODUCED, self.produced)
            self._put(_REFUSED, self._get(_REFUSED) + 1)

    def close(self) -> None:
        """Gives the memory back, as far as this side holds it."""
        self._map.close()
        os.close(self._descriptor)

    def taken(self) -> int:
        """Number of the last frame that was taken."""
        return self._get(_TAKEN)

    def _grow(self, needed: int) -> None:
        """Makes room for larger frames. One that waits is dropped, for slots move; one that is being read is waited for."""
        while True:
            with self._lock():
                if self._get(_READING) == _NONE:
                    capacity = -(-needed // mmap.PAGESIZE) * mmap.PAGESIZE
                    os.ftruncate(self._descriptor, _DATA_AT + _SLOTS * capacity)
                    self._remap()
                    self._put(_NEWEST, _NONE)
                    self._put(_CAPACITY, capacity)
                    return
            time.sleep(0.001)


class FrameReader(_Shared):
    """The consumer's side, which owns the memory. For one thread.

    Attributes:
        descriptor: for the child process.
    """

    def __init__(self) -> None:
        self.descriptor = unnamed_file("frames")
        os.ftruncate(self.descriptor, _DATA_AT)
        super().__init__(self.descriptor)
        self._delivered = 0
        self.forget()

    def take(self) -> Frame | None:
        """The newest frame, once, in memory of its own; None where there is no newer one than the last."""
        if not self.waiting():
            return None
        with self._lock():
            slot, capacity = self._get(_NEWEST), self._get(_CAPACITY)
            if slot == _NONE:
                return None
            if len(self._map) < _DATA_AT + _SLOTS * capacity:
                self._remap()
            serial, time_s, *sides = self._about(slot)[:-1]
            self._put(_NEWEST, _NONE)
            self._put(_READING, slot)
            self._put(_TAKEN, serial)
        height, width, small_height, small_width = sides
        image = self._pixels(slot, capacity, (height, width)).copy()
        small = None
        if small_height:
            small = self._pixels(slot, capacity, (small_height, small_width), image.nbytes).copy()
        with self._lock():
            self._put(_READING, _NONE)
        self._delivered += 1
        return Frame(image, time_s, serial - 1, small)

    def waiting(self) -> bool:
        """Whether there is a frame to take."""
        return self._get(_NEWEST) != _NONE

    def last_s(self) -> float:
        """Monotonic time at which the newest frame came; 0 before the first."""
        return self._get(_LAST_NS) / 1e9

    def counts(self) -> Counts:
        """As of now. A frame that waits counts neither as delivered nor as dropped, and not yet as produced or black."""
        with self._lock():
            produced, refused, black = self._get(_PRODUCED), self._get(_REFUSED), self._get(_BLACK)
            if self.waiting():
                produced -= 1
                black -= self._about(self._get(_NEWEST))[-1]
        return Counts(produced, self._delivered, produced - self._delivered, refused, black)

    def forget(self) -> None:
        """Drops a frame that waits. Only while no writer lives."""
        self._put(_NEWEST, _NONE)
        self._put(_READING, _NONE)

    def close(self) -> None:
        """Gives the memory back."""
        self._map.close()
        os.close(self.descriptor)
