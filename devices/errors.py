"""Errors of the devices. Each message has three parts: what was received, what was expected, what to do.

ExplainedError          base of every error of the project that a user can cause or mend
└── DeviceError
    ├── SpecError              a camera or accelerator named in a way that cannot be read
    ├── CameraError            a camera or video file that cannot be opened, or that stops before its end
    │   ├── CameraAbsentError  a camera that is not where it should be; it may come
    │   └── CameraSetupError   a camera that no waiting brings back: something must be installed, allowed or corrected
    └── AcceleratorError       an accelerator that is absent, lost, or answers too late
"""

from __future__ import annotations

__all__ = [
    "AcceleratorError",
    "CameraAbsentError",
    "CameraError",
    "CameraSetupError",
    "DeviceError",
    "ExplainedError",
    "SpecError",
    "one_line",
]


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


class CameraAbsentError(CameraError):
    """A camera that is not where it should be; it may come."""


class CameraSetupError(CameraError):
    """A camera that no waiting brings back: a package is missing, a permission, or a setting that it does not have."""


class SpecError(DeviceError):
    """A camera or accelerator named in a way that cannot be read."""


class AcceleratorError(DeviceError):
    """An accelerator that is absent, lost, or answers too late."""


def one_line(text: str) -> str:
    """`text` as one line that any terminal takes.

    A file name may hold a line break, an escape sequence or bytes that are no text; those come out as backslash escapes.
    """
    if text.isprintable():
        return text
    return "".join(mark if mark.isprintable() else mark.encode("unicode_escape").decode("ascii") for mark in text)
