"""Errors of the runtime. Each message has three parts: what was received, what was expected, what to do.

FerEdgeError
├── UsageError         a wrong argument or combination of arguments
├── PictureError       a picture file or bytes that cannot be used
├── VideoError         a video file that cannot be used
├── FaceSetError       a data set of ready-cropped faces that cannot be used
├── LabelError         a label or label set that is unknown or disagrees
├── BundleError        a model bundle that is damaged, incomplete or of another kind
├── DetectorError      a face detector that is unknown or cannot be opened
├── InterpreterError   no TFLite interpreter, or a model that it refuses
├── SelfTestError      the model answers differently here than where it was packed
└── OutputError        a result that cannot be written
"""

from __future__ import annotations

from devices.errors import one_line

__all__ = [
    "BundleError",
    "DetectorError",
    "FaceSetError",
    "FerEdgeError",
    "InterpreterError",
    "LabelError",
    "OutputError",
    "PictureError",
    "SelfTestError",
    "UsageError",
    "VideoError",
]


class FerEdgeError(Exception):
    """Base of every error that a user can cause or mend.

    Args:
        received: what was found, and where ("photo.jpg: 0 bytes").
        expected: what would have been right ("a JPEG, PNG, BMP, WebP, GIF or TIFF picture").
        mend: what to do about it ("copy the file again").
    """

    def __init__(self, received: str, expected: str, mend: str) -> None:
        self.received = received
        self.expected = expected
        self.mend = mend
        super().__init__(one_line(f"{received}; expected {expected}; {mend}"))


class UsageError(FerEdgeError):
    """A wrong argument or combination of arguments."""


class PictureError(FerEdgeError):
    """A picture file or bytes that cannot be used."""


class VideoError(FerEdgeError):
    """A video file that cannot be used."""


class FaceSetError(FerEdgeError):
    """A data set of ready-cropped faces that cannot be used."""


class LabelError(FerEdgeError):
    """A label or label set that is unknown or disagrees."""


class BundleError(FerEdgeError):
    """A model bundle that is damaged, incomplete or of another kind."""


class DetectorError(FerEdgeError):
    """A face detector that is unknown or cannot be opened."""


class InterpreterError(FerEdgeError):
    """No TFLite interpreter, or a model that it refuses."""


class SelfTestError(FerEdgeError):
    """The model answers differently here than where it was packed."""


class OutputError(FerEdgeError):
    """A result that cannot be written."""
