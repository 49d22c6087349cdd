"""A video file as a camera: OpenCV's FFmpeg, frame by frame, with media time."""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from devices.base import Frame
from devices.cameras.container import HEAD_BYTES, Extent, container_of, extent_of
from devices.errors import CameraError
from devices.quiet import quiet_libraries

__all__ = ["MAX_FRAME_PIXELS", "VideoFile"]

MAX_FRAME_PIXELS = 50_000_000
"""Larger frames are refused (8K has 33 million pixels): on a small board they mean a forged or broken file."""

_MOST_FAILURES = 250  # damaged packets in a row, some ten seconds, before the rest is given up
_EXPECTED = "a video that FFmpeg reads: MP4, MOV, AVI, MKV, WebM, MPEG"


class VideoFile:
    """The frames of a video file, in order, turned upright where the file says how.

        with VideoFile("clip.mp4") as video:
            for frame in video:
                ...

    Where a video breaks off, every frame that could be read comes first; then `read` and iteration raise CameraError,
    which says how many of how many that were. So results of the frames before are in the caller's hands already.

    Args:
        path: an MP4, MOV, AVI, MKV, WebM, MPEG, … file.

    Attributes:
        fps: frames a second as the file tells it, or None.
        frame_count: number of frames as the file tells it, or None. Some containers know only their length in seconds;
            then it is an estimate.
        width, height: of a frame, in pixels.
        frames_read: how many frames came so far.

    Raises:
        CameraError: the file is missing, unreadable, empty, half-written, no video, or its frames are absurdly large.
    """

    live = False

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.name = os.fspath(path)
        self.frames_read = 0
        self._gaps = 0
        self._last_time_s = 0.0
        self._end: CameraError | None = None
        self._ended = False
        self._capture: Any = None
        self._size_bytes, self._extent, container = _look_at(Path(self.name))
        self._capture = self._open(container)
        try:
            self._read_properties()
        except CameraError:
            self.close()
            raise

    def read(self) -> Frame | None:
        """The next frame, or None after the last. Raises CameraError, this time and each time after, where the video breaks off."""
        if self._end is not None:
            raise self._end
        if self._ended:
            return None
        if self._capture is None:
            raise CameraError(f"{self.name}: read after close", "an open video", "open it again")
        failures = 0
        while failures < _MOST_FAILURES:
            with quiet_libraries():
                good, image = self._capture.read()
            if good:
                self._gaps += failures > 0
                self._last_time_s = self._time_s()
                self.frames_read += 1
                return Frame(image, self._last_time_s, self.frames_read - 1)
            failures += 1
        self._ended = True
        self._end = self._judge_end()
        self._release()
        if self._end is not None:
            raise self._end
        return None

    def close(self) -> None:
        """Closes the file; afterwards `read` gives no more frames. May be called twice."""
        self._release()

    def __iter__(self) -> Iterator[Frame]:
        while (frame := self.read()) is not None:
            yield frame

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self, container: str) -> Any:
        import cv2

        # FFmpeg's decoding threads write to the terminal between our calls too, so its level is what keeps it quiet. OpenCV
        # reads the variable at each opening, of a writer as well: it stays. Whoever set it before keeps their choice.
        os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
        # An absolute path: "concat:x.mp4" would otherwise be taken as an FFmpeg protocol.
        with quiet_libraries():
            capture = cv2.VideoCapture(os.path.abspath(self.name), cv2.CAP_FFMPEG)
        if capture.isOpened():
            capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)  # the default, but in OpenCV 4.11
            return capture
        capture.release()
        if self._extent.promised_bytes > self._size_bytes:
            raise CameraError(
                f"{self.name}: cut off, {self._size_bytes} of {self._extent.promised_bytes} bytes",
                "a whole video",
                "copy or record it again",
            )
        raise CameraError(
            f"{self.name}: {container} file that OpenCV {cv2.__version__} cannot open",
            _EXPECTED,
            "convert it to MP4 with another program",
        )

    def _read_properties(self) -> None:
        import cv2

        def value(key: int) -> float | None:
            number = float(self._capture.get(key))
            return number if math.isfinite(number) and 0 < number < 1e9 else None

        self.fps = value(cv2.CAP_PROP_FPS)
        count = value(cv2.CAP_PROP_FRAME_COUNT)
        self.frame_count = None if count is None else round(count)
        self.width = round(value(cv2.CAP_PROP_FRAME_WIDTH) or 0)
        self.height = round(value(cv2.CAP_PROP_FRAME_HEIGHT) or 0)
        if not 0 < self.width * self.height <= MAX_FRAME_PIXELS:
            raise CameraError(
                f"{self.name}: frames of {self.width} × {self.height} pixels",
                f"1 to {MAX_FRAME_PIXELS // 1_000_000} megapixels",
                "check the file, or convert it to a smaller size",
            )

    def _time_s(self) -> float:
        import cv2

        time_s = float(self._capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000
        if self.frames_read == 0:
            return time_s if math.isfinite(time_s) and time_s > 0 else 0.0
        if math.isfinite(time_s) and time_s > self._last_time_s:
            return time_s
        return self._last_time_s + 1 / (self.fps or 25)  # raw streams carry no times

    def _judge_end(self) -> CameraError | None:
        read, count = self.frames_read, self.frame_count
        lacks_frames = count is None or read < count
        cut_off = self._extent.promised_bytes > self._size_bytes and lacks_frames
        # A count may be an estimate and sound may outlast the picture, so less than two seconds or a tenth is no alarm.
        length_s = count / self.fps if count and self.fps else 0.0
        early = lacks_frames and self._last_time_s + max(2.0, length_s / 10) < length_s
        if read and not cut_off and not early and not self._gaps:
            return None
        of = f"{read} of {count}" if count is not None else str(read)
        if cut_off:
            what = f"the file is cut off, {self._size_bytes} of {self._extent.promised_bytes} bytes"
        elif self._gaps and not early:
            what = f"damaged in {self._gaps} place{'s'[: self._gaps != 1]}"
        else:
            what = "the rest cannot be decoded"
        return CameraError(f"{self.name}: {of} frames read, {what}", "a whole video", "copy or record it again")

    def _release(self) -> None:
        if self._capture is not None:
            with quiet_libraries():
                self._capture.release()
            self._capture = None


def _look_at(path: Path) -> tuple[int, Extent, str]:
    """Size, extent and container of a file. Raises CameraError for everything that is no video or only half of one."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a device or pipe"
            raise CameraError(f"{path}: {kind}", "a video file", "name a file")
        with open(path, "rb") as file:
            head = file.read(HEAD_BYTES)
            container = container_of(head)
            extent = extent_of(file, container, status.st_size) if container else Extent(status.st_size)
    except (OSError, ValueError) as error:  # ValueError: a name with a null character
        raise CameraError(
            f"{path}: {getattr(error, 'strerror', None) or error}", "a readable video file", "check the path"
        ) from error
    try:
        os.path.abspath(path).encode()
    except UnicodeEncodeError:  # OpenCV 4.14 ends the whole process with a segmentation fault
        raise CameraError(
            f"{path}: a name that is no text", "a name in UTF-8", "rename the file or its folder"
        ) from None
    if not head:
        raise CameraError(f"{path}: 0 bytes", _EXPECTED, "copy or record it again")
    if container is None:
        raise CameraError(
            f"{path}: no video, it starts with {head[:8]!r}", _EXPECTED, "check that this is the file you mean"
        )
    if not extent.indexed:
        raise CameraError(
            f"{path}: half-written, {status.st_size} bytes of MP4 without its whole index (moov)",
            "a video that was closed when its recording ended",
            "copy or record it again",
        )
    return status.st_size, extent, container
