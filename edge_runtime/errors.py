"""Errors of the runtime. Each message has three parts: what was received, what was expected, what to do.

ExplainedError             of `devices`
└── FerEdgeError
    ├── UsageError         a wrong argument or combination of arguments
    ├── PictureError       a picture file or bytes that cannot be used
    ├── FaceSetError       a data set of ready-cropped faces that cannot be used
    ├── FrameSetError      a set of frames with known faces that cannot be used
    ├── LabelError         a label or label set that is unknown or disagrees
    ├── BundleError        a model bundle that is damaged, incomplete or of another kind
    ├── DetectorError      a face detector that is unknown or cannot be opened
    ├── ConfigError        a setting in a file, the environment or a flag that cannot be used
    ├── InterpreterError   no TFLite interpreter, or a model that it refuses
    ├── OutputError        a result that cannot be written
    └── ServiceError       a systemd service that cannot be installed, removed or asked
"""

from __future__ import annotations

from devices.errors import ExplainedError

__all__ = [
    "BundleError",
    "ConfigError",
    "DetectorError",
    "ExplainedError",
    "FaceSetError",
    "FerEdgeError",
    "FrameSetError",
    "InterpreterError",
    "LabelError",
    "OutputError",
    "PictureError",
    "ServiceError",
    "UsageError",
]


class FerEdgeError(ExplainedError):
    """Base of every error of the runtime."""


class UsageError(FerEdgeError):
    """A wrong argument or combination of arguments."""


class PictureError(FerEdgeError):
    """A picture file or bytes that cannot be used."""


class FaceSetError(FerEdgeError):
    """A data set of ready-cropped faces that cannot be used."""


class FrameSetError(FerEdgeError):
    """A set of frames with known faces that cannot be used."""


class LabelError(FerEdgeError):
    """A label or label set that is unknown or disagrees."""


class BundleError(FerEdgeError):
    """A model bundle that is damaged, incomplete or of another kind."""


class ConfigError(FerEdgeError):
    """A setting in a file, the environment or a flag that cannot be used."""


class DetectorError(FerEdgeError):
    """A face detector that is unknown or cannot be opened."""


class InterpreterError(FerEdgeError):
    """No TFLite interpreter, or a model that it refuses."""


class OutputError(FerEdgeError):
    """A result that cannot be written."""


class ServiceError(FerEdgeError):
    """A systemd service that cannot be installed, removed or asked."""
