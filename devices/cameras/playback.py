"""A video file as a source of the live loop: frame by frame, or at the speed at which it was recorded, once or for ever."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

from devices.base import Deadlines, Frame, Opening
from devices.cameras.source import Source
from devices.cameras.video_file import VideoFile

__all__ = ["Playback"]


@dataclass(frozen=True)
class PlaybackOptions:
    """What may stand behind "?".

    Attributes:
        pace: none (every frame, as fast as it is taken, with media time) or real (as it was recorded, with monotonic time:
            who is slow misses frames).
        loop: whether it begins again at its end.
    """

    pace: Literal["none", "real"] = "none"
    loop: bool = False


class Playback(Source):
    """A video file, paced and looped; see `VideoFile` for what is refused.

    In a loop media time goes on where the round before ended.
    """

    Options = PlaybackOptions
    example = "file:clip.mp4?pace=real&loop=true"
    deadlines = Deadlines(open_s=20.0, read_s=20.0)
    retries = False
    checks = False

    def __init__(self, target: str, options: PlaybackOptions | None = None, opening: Opening | None = None) -> None:
        self._options = options or PlaybackOptions()
        self.name = target
        self.live = self._options.pace == "real"
        self._video = VideoFile(target)
        self.fps = self._video.fps
        self._count = (opening or Opening()).frames_before
        self._round_s = 0.0  # media time at which this round began
        self._last_s = 0.0
        self._began_s: float | None = None

    def read(self) -> Frame | None:
        frame = self._video.read()
        if frame is None and self._options.loop and self._video.frames_read:
            self._video.close()
            self._video = VideoFile(self.name)
            self._round_s = self._last_s + 1 / (self.fps or 25)
            frame = self._video.read()
        if frame is None:
            return None
        self._last_s = self._round_s + frame.time_s
        time_s = self._wait() if self.live else self._last_s
        self._count += 1
        return Frame(frame.image, time_s, self._count - 1)

    def close(self) -> None:
        self._video.close()

    def _wait(self) -> float:
        """Waits until the frame is due. A decoder that is slower than the recording is not hurried."""
        now = time.monotonic()
        if self._began_s is None:
            self._began_s = now - self._last_s
        due_s = self._began_s + self._last_s
        if due_s > now:
            time.sleep(due_s - now)
        return time.monotonic()
