"""The Raspberry Pi's own camera, through picamera2, which is imported when the camera is opened."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from devices.base import Deadlines, Frame, Opening
from devices.cameras.source import Source
from devices.errors import CameraError, CameraSetupError
from devices.spec import Size

__all__ = ["PiCamera", "list_cameras", "why_missing"]

# 24 bits a pixel whose bytes in memory are blue, green, red, as OpenCV has them: libcamera names formats by their place in
# a little-endian word. Source: "The Picamera2 Library", appendix A, and picamera2/request.py, where RGB888 is PIL's "BGR".
_BGR_IN_MEMORY = "RGB888"
# The image processor of a Pi 4 and older scales the second stream into this format only (same source, section 4.2).
_SMALL_FORMAT = "YUV420"
_BUFFERS = 4
_AF_CONTINUOUS = 2  # libcamera, control AfMode: AfModeContinuous
_OLDEST_S = 10.0


@dataclass(frozen=True)
class PiCameraOptions:
    """What may stand behind "?".

    Attributes:
        size: of a frame.
        fps: frames a second; the sensor exposes no longer than that allows.
        lores: size of a second, smaller picture of the same view that the image processor scales for free.
        rotate: 180 for a camera that hangs upside down.
        autofocus: continuous (where the camera can) or off.
        exposure_us, gain: fixed exposure in microseconds, and fixed gain; without them automatic.
        brightness, contrast, saturation, sharpness: of the image processor; without them its defaults.
    """

    size: Size = Size(640, 480)  # noqa: RUF009 - frozen
    fps: float = 30.0
    lores: Size | None = None
    rotate: Literal["0", "180"] = "0"
    autofocus: Literal["continuous", "off"] = "continuous"
    exposure_us: int | None = None
    gain: float | None = None
    brightness: float | None = None
    contrast: float | None = None
    saturation: float | None = None
    sharpness: float | None = None

    def __post_init__(self) -> None:
        ranges = {
            "fps": (self.fps, 1, 240),
            "exposure_us": (self.exposure_us, 1, 1_000_000),
            "gain": (self.gain, 1, 64),
            "brightness": (self.brightness, -1, 1),
            "contrast": (self.contrast, 0, 32),
            "saturation": (self.saturation, 0, 32),
            "sharpness": (self.sharpness, 0, 16),
        }
        for name, (value, least, most) in ranges.items():
            if value is not None and not least <= value <= most:
                raise ValueError(f"{name}={value:g}: expected {least} to {most}")
        if self.lores is not None:
            if self.lores.width > self.size.width or self.lores.height > self.size.height:
                raise ValueError(f"lores={self.lores}: expected at most size={self.size}")
            if self.lores.width % 2 or self.lores.height % 2:
                raise ValueError(f"lores={self.lores}: expected even sides, as {_SMALL_FORMAT} has")


class PiCamera(Source):
    """A camera on the board's ribbon cable, or any other that libcamera knows.

    Args:
        target: its number, as `rpicam-hello --list-cameras` counts.

    Raises:
        CameraError: not there, busy, or it stops.
        CameraSetupError: picamera2 is not installed, or not for this Python.
    """

    Options = PiCameraOptions
    example = "picamera2:0?size=640x480&fps=30"
    default_target = "0"
    deadlines = Deadlines(open_s=15.0)

    def __init__(
        self, target: str = "0", options: PiCameraOptions | None = None, opening: Opening | None = None
    ) -> None:
        self._options = options or PiCameraOptions()
        self.name = f"picamera2:{target}"
        self.fps = self._options.fps
        self._count = (opening or Opening()).frames_before
        self._camera: Any = None
        picamera2 = _import_picamera2()
        try:
            self._open(picamera2, int(target))
        except CameraError:
            self.close()
            raise
        except Exception as error:  # picamera2 raises RuntimeError, IndexError, ValueError and others
            self.close()
            reason = f"{error} ({error.__cause__})" if error.__cause__ else str(error)
            busy = "busy" in reason.lower() or "acquire" in reason.lower() or "did not complete" in reason
            raise CameraError(
                f"{self.name}: {reason}",
                "a camera that nobody else uses" if busy else "settings that the camera has",
                "end the program that holds it (rpicam-hello, motion, another fer-edge)"
                if busy
                else "try without settings, then one by one",
            ) from error

    @staticmethod
    def check_target(target: str, options: PiCameraOptions) -> str:
        """The camera's number. Raises ValueError for what is none."""
        if not target.isdigit() or len(target) > 2:
            raise ValueError(f"camera {target!r}: expected its number, 0 for the first")
        return target

    def read(self) -> Frame | None:
        if self._camera is None:
            raise CameraError(f"{self.name}: read after close", "an open camera", "open it again")
        try:
            request = self._camera.capture_request()
            try:
                image = request.make_array("main")
                small = request.make_array("lores") if self._options.lores else None
                metadata = request.get_metadata()
            finally:
                request.release()
        except Exception as error:
            raise CameraError(f"{self.name}: {error}", "frames", "check the ribbon cable and the power") from error
        self._count += 1
        return Frame(image, _monotonic_s(metadata.get("SensorTimestamp")), self._count - 1, self._in_bgr(small))

    def close(self) -> None:
        if self._camera is not None:
            camera, self._camera = self._camera, None
            camera.stop()
            camera.close()

    def _open(self, picamera2: Any, number: int) -> None:
        from libcamera import Transform

        known = picamera2.Picamera2.global_camera_info()
        if number >= len(known):
            raise CameraError(
                f"{self.name}: not among the {len(known)} cameras that libcamera sees",
                "a connected camera",
                "switch the board off, seat the ribbon cable, then: rpicam-hello --list-cameras",
            )
        options = self._options
        self._camera = picamera2.Picamera2(camera_num=number)
        main = {"size": (options.size.width, options.size.height), "format": _BGR_IN_MEMORY}
        lores = None
        if options.lores is not None:
            lores = {"size": (options.lores.width, options.lores.height), "format": _SMALL_FORMAT}
        turned = options.rotate == "180"
        configuration = self._camera.create_video_configuration(
            main=main,
            lores=lores,
            transform=Transform(hflip=turned, vflip=turned),
            controls=self._controls(),
            buffer_count=_BUFFERS,
            queue=False,  # a frame that was finished before it was asked for is old
        )
        self._camera.configure(configuration)
        given = self._camera.camera_configuration()["main"]
        if tuple(given["size"]) != main["size"] or given["format"] != _BGR_IN_MEMORY:
            width, height = given["size"]
            raise CameraSetupError(
                f"{self.name}: gives {width}x{height} {given['format']} instead of {options.size} {_BGR_IN_MEMORY}",
                "a size that it has",
                f"write size={width}x{height}",
            )
        self._camera.start()

    def _controls(self) -> dict[str, Any]:
        options = self._options
        frame_us = round(1e6 / options.fps)
        wanted = {
            "FrameDurationLimits": (frame_us, frame_us),
            "AfMode": _AF_CONTINUOUS if options.autofocus == "continuous" else None,
            "ExposureTime": options.exposure_us,
            "AnalogueGain": options.gain,
            "Brightness": options.brightness,
            "Contrast": options.contrast,
            "Saturation": options.saturation,
            "Sharpness": options.sharpness,
        }
        has = self._camera.camera_controls
        controls = {name: value for name, value in wanted.items() if value is not None}
        missing = [name for name in controls if name not in has and name not in ("AfMode", "FrameDurationLimits")]
        if missing:
            raise CameraSetupError(
                f"{self.name}: has no {', '.join(missing)}", "controls that the camera has", "leave that setting out"
            )
        return {name: value for name, value in controls.items() if name in has}

    def _in_bgr(self, planes: Any) -> Any:
        """The second stream's picture from its planes, whose rows may be padded."""
        if planes is None or self._options.lores is None:
            return None
        import cv2

        return cv2.cvtColor(planes, cv2.COLOR_YUV420p2BGR)[:, : self._options.lores.width]


def why_missing(root: Path = Path("/")) -> str:
    """The mend for a Python that cannot import picamera2.

    Args:
        root: where the system's packages are; another folder for a made-up board.
    """
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if (root / "usr/lib/python3/dist-packages/picamera2").is_dir():
        return (
            "the system has it, this environment does not see it: make it again with "
            f"/usr/bin/python3 -m venv --system-site-packages (this is Python {version})"
        )
    return "sudo apt install -y python3-picamera2, then an environment made with --system-site-packages"


def list_cameras(parent: Any, arguments: dict[str, Any]) -> None:  # noqa: ARG001 - as every entry of a child
    """In a child process: tells the parent what libcamera sees, as {"cameras": [{"number", "model", "id"}]}."""
    known = _import_picamera2().Picamera2.global_camera_info()
    cameras = [
        {"number": number, "model": str(info.get("Model", "unknown")), "id": str(info["Id"])}
        for number, info in enumerate(known)
    ]
    parent.send({"cameras": cameras})


def _import_picamera2() -> Any:
    try:
        import picamera2
    except Exception as error:  # a numpy of another version makes its parts raise ValueError
        missing = isinstance(error, ModuleNotFoundError) and error.name == "picamera2"
        found = "not installed for this Python" if missing else f"cannot be imported ({error})"
        raise CameraSetupError(f"picamera2: {found}", "Raspberry Pi OS's picamera2", why_missing()) from error
    return picamera2


def _monotonic_s(sensor_ns: int | None) -> float:
    """When the sensor exposed the frame.

    libcamera counts SensorTimestamp from boot, as `time.monotonic` does but for the time that a board sleeps; where the two
    don't go together, the time of arrival is taken.
    """
    now = time.monotonic()
    if sensor_ns is not None and 0 <= now - sensor_ns / 1e9 < _OLDEST_S:
        return sensor_ns / 1e9
    return now
