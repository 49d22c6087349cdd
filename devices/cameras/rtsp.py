"""Network cameras over RTSP, through OpenCV's FFmpeg."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from devices.base import Deadlines, Frame, Opening
from devices.cameras.source import Source
from devices.errors import CameraError
from devices.quiet import quiet_libraries
from devices.spec import without_password

__all__ = ["Rtsp"]

_FAILURES = 10
_VARIABLE = "OPENCV_FFMPEG_CAPTURE_OPTIONS"


@dataclass(frozen=True)
class RtspOptions:
    """What may stand behind "#".

    Attributes:
        transport: tcp (nothing is lost on the way) or udp (less delay).
        timeout_s: how long the network may be silent, on opening and between packets.
    """

    transport: Literal["tcp", "udp"] = "tcp"
    timeout_s: float = 5.0

    def __post_init__(self) -> None:
        if not 0.5 <= self.timeout_s <= 60:
            raise ValueError(f"timeout_s={self.timeout_s:g}: expected 0.5 to 60")


class Rtsp(Source):
    """An RTSP stream.

    Args:
        target: "rtsp://user:password@host:554/path"; the password is in no message.

    Raises:
        CameraError: no connection, no such stream, refused, or silent for too long.
    """

    Options = RtspOptions
    example = "rtsp://user:password@192.168.1.20:554/stream#transport=tcp"
    # The first frame comes with the first key frame, which some cameras send every five seconds only.
    deadlines = Deadlines(open_s=15.0, read_s=2.5)

    def __init__(self, target: str, options: RtspOptions | None = None, opening: Opening | None = None) -> None:
        options = options or RtspOptions()
        self.name = without_password(target)
        self._timeout_s = options.timeout_s
        self._count = (opening or Opening()).frames_before
        self._capture: Any = self._open(target, options)

    @staticmethod
    def check_target(target: str, options: RtspOptions) -> str:
        """The address as it is. Raises ValueError for what is none."""
        try:
            parts = urlsplit(target)
            good = parts.scheme.lower() in ("rtsp", "rtsps") and bool(parts.hostname) and parts.port != 0
        except ValueError:  # a port that is no number; the text of that error may hold a password
            good = False
        if not good:
            raise ValueError(
                "no address: expected rtsp://HOST[:PORT]/PATH, with '@', '/' and ':' of a password as %40, %2F, %3A"
            )
        return target

    def read(self) -> Frame | None:
        if self._capture is None:
            raise CameraError(f"{self.name}: read after close", "an open camera", "open it again")
        began = time.monotonic()
        for _ in range(_FAILURES):
            with quiet_libraries():
                good, image = self._capture.read()
            if good and image is not None:
                self._count += 1
                return Frame(image, time.monotonic(), self._count - 1)
            if time.monotonic() - began > 0.9 * self._timeout_s:
                break
        raise CameraError(f"{self.name}: the stream broke off", "a stream", "check camera and network")

    def close(self) -> None:
        if self._capture is not None:
            with quiet_libraries():
                self._capture.release()
            self._capture = None

    def _open(self, target: str, options: RtspOptions) -> Any:
        import cv2

        timeout_ms = round(options.timeout_s * 1000)
        before = os.environ.get(_VARIABLE)
        # OpenCV has no other way to tell FFmpeg. fflags: frames that FFmpeg would collect are old when they come.
        os.environ[_VARIABLE] = f"rtsp_transport;{options.transport}|fflags;nobuffer"
        os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
        began = time.monotonic()
        try:
            with quiet_libraries():
                settings = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, timeout_ms, cv2.CAP_PROP_READ_TIMEOUT_MSEC, timeout_ms]
                capture = cv2.VideoCapture(target, cv2.CAP_FFMPEG, settings)
        finally:
            if before is None:
                del os.environ[_VARIABLE]
            else:
                os.environ[_VARIABLE] = before
        if capture.isOpened():
            return capture
        capture.release()
        took_s = time.monotonic() - began
        what = f"no answer within {took_s:.0f} s" if took_s > 0.9 * options.timeout_s else "refused"
        raise CameraError(
            f"{self.name}: {what}", "an RTSP stream", "check address, path, user and password, and the network"
        )
