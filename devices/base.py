"""What every camera gives: frames, one after the other, each with its time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["Camera", "Frame"]


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a camera or a video.

    Attributes:
        image: BGR uint8 (H, W, 3).
        time_s: seconds. From a file (`Camera.live` is False) media time: 0 is the start of the video. From a live camera
            monotonic time, as `time.monotonic()` counts it.
        index: number of the frame, from 0; frames that a device dropped or could not decode are not counted.
    """

    image: NDArray[np.uint8]
    time_s: float
    index: int

    def __post_init__(self) -> None:
        if self.image.dtype != np.uint8 or self.image.ndim != 3 or self.image.shape[2] != 3 or 0 in self.image.shape:
            raise ValueError(f"frame image {self.image.dtype} {self.image.shape}: expected BGR uint8 (H, W, 3)")
        if not math.isfinite(self.time_s) or self.index < 0:
            raise ValueError(f"frame {self.index} at {self.time_s} s: expected a finite time and an index from 0")


class Camera(Protocol):
    """A source of frames. Constructing one opens the device; it closes itself at the end of a `with` block.

    with VideoFile("clip.mp4") as camera:
        for frame in camera:
            print(frame.index, frame.time_s, frame.image.shape)
    """

    @property
    def name(self) -> str:
        """What the user called it: a path, a device, an address."""

    @property
    def live(self) -> bool:
        """Whether frames come as they happen (monotonic time) or from a recording (media time)."""

    def read(self) -> Frame | None:
        """The next frame, or None at the end. Raises CameraError where the source breaks off."""

    def close(self) -> None:
        """Gives the device back. May be called twice."""

    def __iter__(self) -> Iterator[Frame]: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
