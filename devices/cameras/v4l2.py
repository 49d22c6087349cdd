"""USB cameras and other V4L2 devices, through OpenCV."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import struct
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from devices.base import Frame, Opening
from devices.cameras.source import Source
from devices.errors import CameraAbsentError, CameraError, CameraSetupError
from devices.quiet import quiet_libraries
from devices.spec import Size

__all__ = ["V4l2", "capabilities_of", "holders", "tell_capabilities"]

# linux/videodev2.h: VIDIOC_QUERYCAP = _IOR('V', 0, struct v4l2_capability), which has 104 bytes.
_QUERYCAP = 0x80685600
_CAPABILITY = struct.Struct("16s32s32sIII12x")
_VIDEO_CAPTURE = 0x00000001
_DEVICE_CAPS = 0x80000000
_FAILURES = 30  # frames in a row that the driver or decoder does not give, before the camera counts as lost


@dataclass(frozen=True)
class V4l2Options:
    """What may stand behind "?".

    Attributes:
        size: of a frame; without it the driver's choice, mostly 640 × 480.
        fps: frames a second; without it the driver's choice.
        format: MJPG (a USB 2 bus carries no raw video above 640 × 480 at 30 frames/s), YUYV, or auto for the driver's choice.
    """

    size: Size | None = None
    fps: float | None = None
    format: Literal["MJPG", "YUYV", "auto"] = "MJPG"

    def __post_init__(self) -> None:
        if self.fps is not None and not 1 <= self.fps <= 1000:
            raise ValueError(f"fps={self.fps:g}: expected 1 to 1000")


class V4l2(Source):
    """A V4L2 capture device.

    The driver's queue is one frame long where the driver allows it, so that a frame is fresh when it is read. Times are
    taken when a frame has been read and decoded.

    Args:
        target: "/dev/video0", a link to it such as those in /dev/v4l/by-id, or "0".

    Attributes:
        name: the device's path.
        width, height: of a frame, in pixels.
        fps: as the driver tells it, or None.

    Raises:
        CameraError: absent, busy, or it gives no frames.
        CameraSetupError: no permission, no camera at all, or a setting that it does not have.
    """

    Options = V4l2Options
    example = "v4l2:/dev/video0?size=640x480&fps=30&format=MJPG"
    default_target = "/dev/video0"

    def __init__(self, target: str, options: V4l2Options | None = None, opening: Opening | None = None) -> None:
        options = options or V4l2Options()
        self.name = target
        self._count = (opening or Opening()).frames_before
        self._capture: Any = None
        _look_at(Path(target))
        self._capture = self._open(options)
        try:
            self._check(options)
        except CameraError:
            self.close()
            raise

    @staticmethod
    def check_target(target: str, options: V4l2Options) -> str:
        """The device's path. Raises ValueError for what cannot be one."""
        path = f"/dev/video{target}" if target.isdigit() else target
        if not path.startswith("/"):
            raise ValueError(f"device {target!r}: expected a path such as /dev/video0")
        return path

    @classmethod
    def present(cls, target: str, options: Any, epoch_s: float) -> bool | None:
        return os.path.exists(target)

    def read(self) -> Frame | None:
        if self._capture is None:
            raise CameraError(f"{self.name}: read after close", "an open camera", "open it again")
        for _ in range(_FAILURES):
            with quiet_libraries():
                good, image = self._capture.read()
            if good and image is not None:
                self._count += 1
                return Frame(image, time.monotonic(), self._count - 1)
            if not os.path.exists(self.name):
                raise CameraAbsentError(f"{self.name}: gone while it was read", "the camera", "plug it in again")
        raise CameraError(
            f"{self.name}: {_FAILURES} reads without a frame",
            "frames",
            "unplug it and plug it in again, check the cable",
        )

    def close(self) -> None:
        if self._capture is not None:
            with quiet_libraries():
                self._capture.release()
            self._capture = None

    def _open(self, options: V4l2Options) -> Any:
        import cv2

        settings = [cv2.CAP_PROP_BUFFERSIZE, 1]
        if options.format != "auto":
            settings += [cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*options.format)]
        if options.size is not None:
            settings += [cv2.CAP_PROP_FRAME_WIDTH, options.size.width, cv2.CAP_PROP_FRAME_HEIGHT, options.size.height]
        with quiet_libraries():
            # One after the other and not in the constructor, which refuses a camera for a setting that it lacks.
            capture = cv2.VideoCapture(self.name, cv2.CAP_V4L2)
            for key, value in zip(settings[::2], settings[1::2], strict=True):
                capture.set(key, value)
            if options.fps is not None:
                capture.set(cv2.CAP_PROP_FPS, options.fps)
        if capture.isOpened():
            return capture
        capture.release()
        raise _busy(self.name) or CameraError(
            f"{self.name}: OpenCV cannot open it", "a camera that streams", f"try: v4l2-ctl -d {self.name} --all"
        )

    def _check(self, options: V4l2Options) -> None:
        """Whether the driver took what was asked: it takes the nearest that it has, and says nothing."""
        import cv2

        self.width = int(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH))
        self.height = int(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        fps = float(self._capture.get(cv2.CAP_PROP_FPS))
        self.fps = fps if 0 < fps < 10_000 else None
        code = int(self._capture.get(cv2.CAP_PROP_FOURCC))
        given = code.to_bytes(4, "little", signed=code < 0).decode("ascii", "replace")
        look = f"v4l2-ctl -d {self.name} --list-formats-ext names what it has"
        if options.size is not None and (self.width, self.height) != (options.size.width, options.size.height):
            raise CameraSetupError(
                f"{self.name}: gives {self.width}x{self.height} instead of {options.size}", "a size that it has", look
            )
        if options.format != "auto" and given.isprintable() and given.strip("\0") and given != options.format:
            raise CameraSetupError(
                f"{self.name}: gives {given} instead of {options.format}",
                "a format that it has",
                f"format=auto, or {look}",
            )


def capabilities_of(path: Path) -> tuple[str, bool]:
    """A video device's own name, and whether it gives pictures (a USB camera has a second device that gives none).

    Raises:
        OSError: it cannot be opened, or is no video device.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        answer = bytearray(_CAPABILITY.size)
        fcntl.ioctl(descriptor, _QUERYCAP, answer)
    finally:
        os.close(descriptor)
    _, card, _, _, capabilities, device_capabilities = _CAPABILITY.unpack(answer)
    own = device_capabilities if capabilities & _DEVICE_CAPS else capabilities
    return card.rstrip(b"\0").decode("utf-8", "replace"), bool(own & _VIDEO_CAPTURE)


def tell_capabilities(parent: Any, arguments: dict[str, Any]) -> None:
    """In a child process, for a driver may hang: tells the parent {"name", "captures"}, or {"errno"} where it fails."""
    try:
        name, captures = capabilities_of(Path(arguments["device"]))
        parent.send({"name": name, "captures": captures})
    except OSError as error:
        parent.send({"errno": error.errno or errno.EIO})


def holders(device: Path, root: Path = Path("/")) -> list[str]:
    """Other processes that hold a device: "1234 (motion)". Only those that this user may look at."""
    found = []
    real = os.path.realpath(device)
    for process in sorted(root.glob("proc/[0-9]*")):
        if process.name == str(os.getpid()):
            continue
        try:
            held = any(os.readlink(link) == real for link in (process / "fd").iterdir())
            if held:
                found.append(f"{process.name} ({(process / 'comm').read_text().strip()})")
        except OSError:
            continue
    return found


def _look_at(path: Path) -> None:
    """Tells absent, not allowed, no camera and busy apart, before OpenCV says the same for all."""
    try:
        if not stat.S_ISCHR(path.stat().st_mode):
            raise CameraSetupError(f"{path}: no device", "a video device such as /dev/video0", "correct the source")
        _, captures = capabilities_of(path)
    except FileNotFoundError:
        raise CameraAbsentError(
            f"{path}: not there", "a connected camera", "plug the camera in; fer-edge doctor lists those that are there"
        ) from None
    except PermissionError:
        raise CameraSetupError(
            f"{path}: no permission",
            "a user in the group video",
            "sudo usermod -aG video $USER, then log in again; for a service: SupplementaryGroups=video",
        ) from None
    except OSError as error:
        if error.errno == errno.EBUSY:
            raise _busy(str(path)) or _held(str(path), "another process") from error
        if error.errno in (errno.ENOTTY, errno.EINVAL):
            raise CameraSetupError(
                f"{path}: no video device", "a camera", "fer-edge doctor lists the cameras that are there"
            ) from error
        raise CameraError(f"{path}: {error.strerror}", "a working camera", "unplug it and plug it in again") from error
    if not captures:
        raise CameraSetupError(
            f"{path}: a video device that gives no pictures",
            "a camera",
            "fer-edge doctor lists the cameras that are there",
        )


def _busy(path: str) -> CameraError | None:
    found = holders(Path(path))
    return _held(path, f"process {', '.join(found)}") if found else None


def _held(path: str, by: str) -> CameraError:
    return CameraError(f"{path}: {by} holds it", "a camera that nobody else uses", "end that program")
