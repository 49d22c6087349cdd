"""What runs in a camera's child process: open, read, publish, close. See `devices.worker` for the other side."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.base import Camera, Frame, Opening
from devices.child import STDERR_VARIABLE, Parent
from devices.errors import CameraAbsentError, CameraError, CameraSetupError, ExplainedError, one_line
from devices.frame_buffer import FrameWriter
from devices.registry import CAMERAS, adapter
from devices.spec import Spec, parse_source

__all__ = ["flaw", "is_black", "main", "open_camera"]

_BLACK = 16  # video black: BT.601's lowest luma
_MORE = f"set {STDERR_VARIABLE}=1 to see more"
_FILL = 128  # what libjpeg fills in where a picture's data end early: all coefficients zero


def open_camera(spec: Spec, opening: Opening | None = None) -> Camera:
    """The camera that a spec names, opened in this process.

    Raises:
        CameraError: it cannot be opened.
        CameraSetupError: nor later, as things are.
    """
    camera: Camera = adapter(CAMERAS, spec.kind, "camera")(spec.target, spec.options, opening or Opening())
    return camera


def flaw(image: NDArray[np.uint8], size: tuple[int, int]) -> str:
    """Why a sensor's picture must not be shown to anybody; empty where nothing is wrong.

    Args:
        image: BGR uint8 (H, W, 3).
        size: (height, width) of the camera's first frame.
    """
    if image.shape[:2] != size:
        return f"of {image.shape[1]} × {image.shape[0]} pixels instead of {size[1]} × {size[0]}"
    # The last rows in the decoder's own grey: no sensor, with its noise, gives eight whole rows of one value.
    if bool((image[-1, ::16] == _FILL).all()) and bool((image[-8:] == _FILL).all()):
        return "torn"
    return ""


def is_black(image: NDArray[np.uint8]) -> bool:
    """Whether a picture holds no light at all; every eighth pixel is looked at."""
    return int(image[::8, ::8].max()) < _BLACK


def main(parent: Parent, arguments: dict[str, Any]) -> None:
    """Runs one camera until the parent says stop, or the camera ends or fails."""
    spec = parse_source(arguments["source"])
    cls = adapter(CAMERAS, spec.kind, "camera")
    stopping, wanted = threading.Event(), threading.Event()

    def hear(message: dict[str, Any]) -> None:
        if "stop" in message:
            stopping.set()
        wanted.set()

    parent.listen(hear)
    frames = FrameWriter(arguments["frames"])
    opening = Opening(frames_before=frames.produced, **arguments["opening"])
    camera: Camera | None = None
    try:
        cls.prepare(opening)
        if not opening.epoch_s:
            # Here and not in the parent: on a busy machine an interpreter takes a while until it can open anything.
            opening = replace(opening, epoch_s=time.monotonic())
            parent.send({"began": opening.epoch_s})
        camera = open_camera(spec, opening)
        _run(camera, cls.checks, frames, parent, arguments["bell"], stopping, wanted)
    except ExplainedError as error:
        lasting = isinstance(error, CameraSetupError) or not isinstance(error, CameraError) or not cls.retries
        absent = isinstance(error, CameraAbsentError)
        _report(parent, spec, (error.received, error.expected, error.mend), lasting, absent)
    except Exception as error:  # noqa: BLE001 - drivers throw what they like, and the parent wants to hear it in one line
        _report(
            parent, spec, (f"{spec.shown}: {type(error).__name__}: {error}", "a working camera", _MORE), not cls.retries
        )
    finally:
        if camera is not None:
            camera.close()


def _run(
    camera: Camera,
    checks: bool,
    frames: FrameWriter,
    parent: Parent,
    bell: int,
    stopping: threading.Event,
    wanted: threading.Event,
) -> None:
    parent.send({"opened": {"live": camera.live, "name": camera.name, "fps": getattr(camera, "fps", None)}})
    size: tuple[int, int] | None = None
    told_s = 0.0
    while not stopping.is_set():
        wanted.clear()
        frame: Frame | None = camera.read()
        if frame is None:
            parent.send({"ended": True})
            return
        if checks:
            size = size or frame.image.shape[:2]
            found = flaw(frame.image, size)
            if found:
                frames.refuse()
                if time.monotonic() - told_s > 1:  # the parent tells it when no good frame comes for too long
                    told_s = time.monotonic()
                    parent.send({"refused": found})
                continue
        number = frames.publish(frame, black=checks and is_black(frame.image))
        with suppress(BlockingIOError):  # full of rings already
            os.write(bell, b"!")
        while not camera.live and frames.taken() < number and not stopping.is_set():
            wanted.wait(0.5)  # of a recording no frame is lost: the next comes when this one has been taken
            wanted.clear()


def _report(parent: Parent, spec: Spec, parts: tuple[str, str, str], lasting: bool, absent: bool = False) -> None:
    error = [one_line(spec.hide(part))[:2000] for part in parts]
    with suppress(OSError):
        parent.send({"error": error, "lasting": lasting, "absent": absent})
