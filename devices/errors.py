"""Errors of the devices. Each message has three parts: what was received, what was expected, what to do.

ExplainedError          base of every error of the project that a user can cause or mend
└── DeviceError
    └── CameraError     a camera or video file that cannot be opened, or that stops before its end
"""

from __future__ import annotations

__all__ = ["CameraError", "DeviceError", "ExplainedError", "one_line"]


class ExplainedError(Exception):
    """Base of every error that a user can cause or mend; its message is one line.

    Args:
        received: what was found, and where ("clip.mp4: 0 bytes").
        expected: what would have been right ("a video file").
        mend: what to do about it ("copy the file again").
    """

    def __init__(self, received: str, expected: str, mend: str) -> None:
        self.received = received
        self.expected = expected
        self.mend = mend
        super().__init__(one_line(f"{received}; expected {expected}; {mend}"))


class DeviceError(ExplainedError):
    """Base of every error of a camera, an accelerator or a board."""


class CameraError(DeviceError):
    """A camera or video file that cannot be opened, or that stops before its end."""


def one_line(text: str) -> str:
    """`text` as one line that any terminal takes.

    A file name may hold a line break, an escape sequence or bytes that are no text; those come out as backslash escapes.
    """
    if text.isprintable():
        return text
    return "".join(mark if mark.isprintable() else mark.encode("unicode_escape").decode("ascii") for mark in text)
