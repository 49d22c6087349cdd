"""A camera that is not there: a moving picture with a number in every frame, and faults at the moments that a script names.

It ships with the package, for trials without hardware and for tests of everything that stands on a camera.
"""

from __future__ import annotations

import os
import re
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from devices.base import Deadlines, Frame, Opening
from devices.cameras.images import find_reader
from devices.cameras.source import Source
from devices.errors import CameraAbsentError, CameraError, CameraSetupError
from devices.spec import Size

__all__ = ["Fault", "Synthetic", "number_in"]

Kind = Literal["stall", "freeze", "open", "stop", "die", "lost", "barred", "size", "torn", "black"]
_KINDS = get_args(Kind)
_FAULT = re.compile(r"(\w+)@(?:(/.+)|(\d+(?:\.\d+)?)(s?)(?::(\d+(?:\.\d+)?))?)")
_FOR_EVER_S = 1e9
_EXACT_S = 1e-6  # so that frame 35 at 30 frames a second comes after the end of a fault at frame 20 of half a second
_LOOK_S = 0.01  # between two looks whether a fault's file is still there
_BACKGROUND = 90
_BITS = 32
_SHARE = 0.8  # of the frame's height that the picture takes


@dataclass(frozen=True)
class Fault:
    """One fault, written KIND@FRAME[:SECONDS], KIND@TIMEs[:SECONDS] or KIND@FILE: "stall@90:2", "die@4.5s:1", "lost@/tmp/gone".

    Attributes:
        kind: stall (a read does not return before the fault's end), freeze (a read never returns), open (opening does not
            return before the end), stop (closing never returns), die (the process is killed, then the device is absent),
            lost (a read fails, then the device is absent), barred (opening is refused as without permission), size (frames of half the size), torn (the lower half is the
            decoder's grey), black. The last three are of frames, and so exact to the frame.
        begins: frame number, or seconds.
        in_seconds: which of them.
        lasts_s: in seconds.
        file: the fault goes on while this file is there, whatever the time; empty for one by time.
    """

    kind: Kind
    begins: float = 0.0
    in_seconds: bool = False
    lasts_s: float = _FOR_EVER_S
    file: str = ""

    def begins_s(self, fps: float) -> float:
        """Seconds after the source was opened first."""
        return self.begins if self.in_seconds else self.begins / fps

    def goes_on(self, now_s: float, fps: float) -> bool:
        """Whether it is there so many seconds after the source was opened first."""
        if self.file:
            return os.path.exists(self.file)
        begins_s = self.begins_s(fps)
        return begins_s - _EXACT_S <= now_s < begins_s + self.lasts_s - _EXACT_S

    def left_s(self, now_s: float, fps: float) -> float:
        """How long to wait until it is over, or until it is looked at again."""
        return _LOOK_S if self.file else self.begins_s(fps) + self.lasts_s - now_s


@dataclass(frozen=True)
class SyntheticOptions:
    """What may stand behind "?".

    Attributes:
        size: of a frame.
        fps: frames a second; 0 gives them as fast as they are read, and then no faults by time.
        frames: after so many frames it ends as a recording does; 0 for never.
        picture: path of the picture that moves; without it what the program gives, or a pattern.
        fault: faults, separated by commas; see `Fault`. A fault without seconds lasts for ever.
    """

    size: Size = Size(640, 480)  # noqa: RUF009 - frozen
    fps: float = 30.0
    frames: int = 0
    picture: str = ""
    fault: str = ""

    def __post_init__(self) -> None:
        if self.fps != 0 and not 0.1 <= self.fps <= 1000:
            raise ValueError(f"fps={self.fps:g}: expected 0.1 to 1000, or 0")
        if self.frames < 0:
            raise ValueError(f"frames={self.frames}: expected 0 or more")
        if any(not fault.file for fault in self.faults()) and self.fps == 0:
            raise ValueError(
                "fault with fps=0: expected a speed, for faults are a matter of time, or a fault by a file"
            )

    def faults(self) -> tuple[Fault, ...]:
        """The parsed script. Raises ValueError."""
        return tuple(_fault(text) for text in self.fault.split(",")) if self.fault else ()


class Synthetic(Source):
    """A moving picture.

    Frame n is exposed n / fps seconds after the source was opened first, whatever happened since: so a fault at a frame
    happens once, also over reopenings, and the frames of an outage are missing. Each frame carries its own number in
    its first and last rows, which `number_in` reads.

    Args:
        target: not used.
        picture: BGR uint8 (H, W, 3) to show; instead of a path in `options` or `opening`.

    Raises:
        CameraError: as the script says.
    """

    Options = SyntheticOptions
    example = "synthetic?size=640x480&fps=30&fault=stall@90:2"
    default_target = ""
    deadlines = Deadlines()

    def __init__(
        self,
        target: str = "",
        options: SyntheticOptions | None = None,
        opening: Opening | None = None,
        picture: NDArray[np.uint8] | None = None,
    ) -> None:
        self._options = options or SyntheticOptions()
        opening = opening or Opening(epoch_s=time.monotonic())
        self.name = "synthetic"
        self.fps = self._options.fps or None
        self._epoch_s = opening.epoch_s
        self._faults = self._options.faults()
        if self._fault("die", "lost"):
            raise _absent()
        self._wait_for_end_of("open")
        if self._fault("barred"):
            raise CameraSetupError("synthetic: no permission, as its script says", "a user who may", "wait for its end")
        shown = self._options.picture or opening.picture
        if picture is None and shown:
            picture = find_reader(opening.picture_reader)(Path(shown))
        self._picture = self._fitted(_pattern() if picture is None else picture)
        self._count = opening.frames_before
        self._number = opening.frames_before - 1
        if self.fps is not None:
            self._number = int((time.monotonic() - self._epoch_s) * self.fps) - 1
        self._closed = False

    @classmethod
    def prepare(cls, opening: Opening) -> None:
        if opening.picture:
            find_reader(opening.picture_reader)

    @classmethod
    def present(cls, target: str, options: Any, epoch_s: float) -> bool | None:
        return not _active(options.faults(), ("die", "lost"), options.fps, time.monotonic() - epoch_s)

    def read(self) -> Frame | None:
        if self._closed:
            raise CameraError(f"{self.name}: read after close", "an open camera", "open it again")
        if self._options.frames and self._number + 1 >= self._options.frames:
            return None
        self._number += 1
        if self.fps is not None:
            time.sleep(max(0.0, self._epoch_s + self._number / self.fps - time.monotonic()))
        self._suffer()
        time_s = time.monotonic()
        image = self._draw()
        self._count += 1
        return Frame(image, time_s, self._count - 1)

    def close(self) -> None:
        if self._fault("stop"):
            time.sleep(_FOR_EVER_S)
        self._closed = True

    def _fault(self, *kinds: Kind) -> Fault | None:
        """The fault of these kinds that is going on now."""
        return _active(self._faults, kinds, self._options.fps, time.monotonic() - self._epoch_s)

    def _shows(self, kind: Kind) -> bool:
        """Whether this frame has a fault of that kind: by when it is due, so that a late frame is the same frame."""
        due_s = self._number / self.fps if self.fps is not None else 0.0
        return _active(self._faults, (kind,), self._options.fps, due_s) is not None

    def _wait_for_end_of(self, kind: Kind) -> bool:
        waited = False
        while (fault := self._fault(kind)) is not None:
            waited = True
            time.sleep(max(0.0, fault.left_s(time.monotonic() - self._epoch_s, self._options.fps)))
        return waited

    def _suffer(self) -> None:
        if self._fault("die"):
            os.kill(os.getpid(), signal.SIGKILL)
        if self._fault("lost"):
            raise _absent()
        if self._fault("freeze"):
            time.sleep(_FOR_EVER_S)
        if self._wait_for_end_of("stall") and self.fps is not None:
            self._number = int((time.monotonic() - self._epoch_s) * self.fps)

    def _fitted(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The picture, as high as `_SHARE` of the frame; rows and columns are picked, which needs no library."""
        width, height = self._options.size.width, self._options.size.height
        scale = min(_SHARE * height / picture.shape[0], _SHARE * width / picture.shape[1])
        rows, columns = (max(1, int(side * scale)) for side in picture.shape[:2])
        if scale < 1 and picture.shape[0] // rows >= 2:
            import cv2

            smaller: NDArray[np.uint8] = cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA)
            return smaller
        down = np.arange(rows) * picture.shape[0] // rows
        right = np.arange(columns) * picture.shape[1] // columns
        return np.ascontiguousarray(picture[down][:, right])

    def _draw(self) -> NDArray[np.uint8]:
        width, height = self._options.size.width, self._options.size.height
        if self._shows("size"):
            width, height = max(16, width // 2), max(16, height // 2)
        image = np.full((height, width, 3), _BACKGROUND, np.uint8)
        if self._shows("black"):
            image[:] = 0
            return image
        # A slow walk, side to side in 240 frames and up and down in 360.
        picture = self._picture[:height, :width]
        phase = 2 * np.pi * self._number
        left = round((width - picture.shape[1]) * (0.5 + 0.45 * np.sin(phase / 240)))
        top = round((height - picture.shape[0]) * (0.5 + 0.45 * np.cos(phase / 360)))
        image[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
        _stamp(image, self._number)
        if self._shows("torn"):
            image[height // 2 :] = 128
        return image


def number_in(image: NDArray[np.uint8]) -> int | None:
    """The frame's number as it stands in the picture; None where the first and last rows disagree, or hold none."""
    cell = image.shape[1] // _BITS
    numbers = []
    for row in (0, -1):
        cells = image[row, cell // 2 : cell * _BITS : cell, 1]
        if cells.size != _BITS or not np.isin(cells, (0, 255)).all():
            return None
        numbers.append(int((cells == 255) @ (1 << np.arange(_BITS))))
    return numbers[0] if numbers[0] == numbers[1] else None


def _stamp(image: NDArray[np.uint8], number: int) -> None:
    """32 bits, the lowest first, as black and white cells in the first two and last two rows."""
    cell = image.shape[1] // _BITS
    if cell == 0:
        return
    bits = (number >> np.arange(_BITS)) & 1
    row = np.repeat(bits * 255, cell).astype(np.uint8)[:, None]
    image[:2, : row.size] = row
    image[-2:, : row.size] = row


def _pattern() -> NDArray[np.uint8]:
    """A colourful square, where no picture was given."""
    ramp = np.linspace(0, 255, 240).astype(np.uint8)
    across, down = np.meshgrid(ramp, ramp)
    return np.stack([across, down, 255 - across], axis=-1)


def _active(faults: tuple[Fault, ...], kinds: tuple[str, ...], fps: float, now_s: float) -> Fault | None:
    for fault in faults:
        if fault.kind in kinds and fault.goes_on(now_s, fps):
            return fault
    return None


def _fault(text: str) -> Fault:
    match = _FAULT.fullmatch(text)
    if match is None or match[1] not in _KINDS:
        raise ValueError(
            f"fault {text!r}: expected KIND@FRAME[:SECONDS] or KIND@FILE with a kind of {', '.join(_KINDS)}"
        )
    kind, file, begins, in_seconds, lasts_s = match.groups()
    if file:
        return Fault(kind, file=file)  # type: ignore[arg-type]
    return Fault(kind, float(begins), bool(in_seconds), float(lasts_s) if lasts_s else _FOR_EVER_S)  # type: ignore[arg-type]


def _absent() -> CameraAbsentError:
    return CameraAbsentError(
        "synthetic: not there, as its script says", "a connected camera", "wait for the fault's end"
    )
