"""What every camera gives: frames, one after the other, each with its time. What every accelerator gives: an engine."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["Accelerator", "Camera", "Deadlines", "Delegate", "Engine", "Frame", "LoadEngine", "Opening"]


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a camera or a video.

    Attributes:
        image: BGR uint8 (H, W, 3).
        time_s: seconds. From a file (`Camera.live` is False) media time: 0 is the start of the video. From a live camera
            monotonic time, as `time.monotonic()` counts it.
        index: number of the frame, from 0; frames that a device dropped or could not decode are not counted.
        small: the same view in fewer pixels, BGR uint8 (h, w, 3), where the camera's own hardware scales; else None.
    """

    image: NDArray[np.uint8]
    time_s: float
    index: int
    small: NDArray[np.uint8] | None = None

    def __post_init__(self) -> None:
        for name, image in (("image", self.image), ("small image", self.small)):
            if image is not None and (
                image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape
            ):
                raise ValueError(f"frame {name} {image.dtype} {image.shape}: expected BGR uint8 (H, W, 3)")
        if not math.isfinite(self.time_s) or self.index < 0:
            raise ValueError(f"frame {self.index} at {self.time_s} s: expected a finite time and an index from 0")


@dataclass(frozen=True)
class Deadlines:
    """How long each call to a device may take before it counts as hung, in seconds.

    Attributes:
        open_s: from the start of opening to the first frame.
        read_s: from one frame to the next. A camera slower than one frame in a third of it is given three frames' time.
        stop_s: giving the device back.
    """

    open_s: float = 10.0
    read_s: float = 2.0
    stop_s: float = 1.0

    def __post_init__(self) -> None:
        for name, value in (("open_s", self.open_s), ("read_s", self.read_s), ("stop_s", self.stop_s)):
            if not 0 < value <= 3600:
                raise ValueError(f"{name} = {value}: expected more than 0 and at most 3600 seconds")


@dataclass(frozen=True)
class Opening:
    """What a camera is told about the run that it is opened in.

    Attributes:
        epoch_s: monotonic time at which the run opened this source first; the same at each reopening. 0 at the first.
        frames_before: how many frames of this source came before this opening.
        picture: path of a picture for cameras that show one (`synthetic`); empty for their own.
        picture_reader: "module:function" that reads a picture file: path to BGR uint8 (H, W, 3).
    """

    epoch_s: float = 0.0
    frames_before: int = 0
    picture: str = ""
    picture_reader: str = "devices.cameras.images:read_picture"


class Camera(Protocol):
    """A source of frames. Constructing one opens the device; it closes itself at the end of a `with` block.

    with VideoFile("clip.mp4") as camera:
        for frame in camera:
            print(frame.index, frame.time_s, frame.image.shape)

    A camera that has a line in `devices.registry` is constructed as `Class(target, options, opening)` and has these
    attributes of the class too, which `devices.spec` and `devices.worker` read:

        Options           frozen dataclass of what may stand behind "?" in its spec
        example           a spec, for messages
        default_target    what stands for an empty target; None where a target must be given
        deadlines         `Deadlines`
        retries           whether opening it again later may help
        checks            whether its frames come from a sensor, so that torn and black ones are looked for
        prepare           does what takes long before the device is opened first, such as imports
    """

    @property
    def name(self) -> str:
        """What the user called it: a path, a device, an address. Never with a password."""

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


@dataclass(frozen=True)
class Delegate:
    """What an interpreter needs to hand a model to an accelerator: LiteRT's `load_delegate(library, options)`.

    Attributes:
        library: file name or path of the shared library, "libedgetpu.so.1".
        options: names and values, as the library's own documentation gives them.
        mend: what to do where the library refuses.
    """

    library: str
    options: tuple[tuple[str, str], ...]
    mend: str


class Engine(Protocol):
    """A loaded model."""

    def run(self, batch: NDArray[Any]) -> NDArray[Any]:
        """The output of one batch, as stored, in an array of its own."""


LoadEngine = Callable[[bytes, int, Delegate | None], Engine]
"""Loads a model: its bytes, the number of CPU threads, and the delegate that takes it, or None for the CPU alone.

The runtime gives it (`edge_runtime.interpreter:load_engine`), because LiteRT is known there and nowhere else.
"""


class Accelerator(Protocol):
    """Where a model is run. Constructing one touches no device; it is made from a spec as `Class(target, options)`.

    Attributes of the class are `Options`, `example` and `default_target`, as for cameras, and `isolated`: whether its
    engine is to live in a child process, because it can hang or crash.
    """

    @property
    def name(self) -> str:
        """As in its spec: "cpu", "edgetpu:usb:0"."""

    def present(self, runs: int) -> bool | None:
        """Whether the device is there now; None where that cannot be told. Cheap: no device is opened.

        Args:
            runs: how many batches the program has run so far, wherever; scripted accelerators go by it.
        """

    def engine(self, model: bytes, load: LoadEngine, runs: int) -> Engine:
        """Loads a model on the device. Raises AcceleratorError where it is absent or refuses."""
