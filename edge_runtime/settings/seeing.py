"""Settings of what is looked at, and with what."""

from __future__ import annotations

from dataclasses import dataclass

from edge_runtime.detectors import DEFAULT_DETECTOR
from edge_runtime.detectors.tiles import MOST_DETAIL
from edge_runtime.members import DEFAULT_BUNDLE
from edge_runtime.preprocess import ALIGNMENTS, NO_ALIGNMENT
from edge_runtime.settings.field import ConflictError, Settings, setting

__all__ = ["AcceleratorSettings", "DetectorSettings", "ModelSettings", "SourceSettings"]


@dataclass(frozen=True)
class SourceSettings(Settings):
    """Where frames come from."""

    title = "where frames come from"

    spec: str = setting(
        "v4l2:/dev/video0", "picamera2, v4l2:/dev/video0?size=640x480, rtsp://…, file:clip.mp4, synthetic"
    )
    stall_after_s: float = setting(2.5, "a camera silent for so many seconds counts as lost", low=0.5, high=60)
    reconnect_first_s: float = setting(1.0, "seconds before a lost camera is tried again", low=0.1, high=60)
    reconnect_most_s: float = setting(30.0, "and at most, as the wait doubles", low=0.1, high=3600)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.reconnect_most_s < self.reconnect_first_s:
            raise ConflictError(
                f"reconnect_most_s = {self.reconnect_most_s:g} is less than reconnect_first_s = {self.reconnect_first_s:g}"
            )


@dataclass(frozen=True)
class ModelSettings(Settings):
    """Which model reads expressions."""

    title = "which model reads expressions"

    bundle: str = setting(DEFAULT_BUNDLE, "name of a shipped bundle, or a bundle's folder")
    threads: int = setting(1, "of the classifier on the CPU", low=1, high=64)


@dataclass(frozen=True)
class AcceleratorSettings(Settings):
    """What computes the model."""

    title = "what computes the model"

    spec: str = setting("cpu", "cpu, or edgetpu:usb:0, edgetpu:pci:0 for a Coral")
    deadline_s: float = setting(
        3.0, "an answer that takes longer counts as a failure, and the accelerator is replaced", low=0.1, high=60
    )
    failures_before_cpu: int = setting(3, "after so many failures in a row the CPU takes over", low=1, high=100)


@dataclass(frozen=True)
class DetectorSettings(Settings):
    """What finds faces."""

    title = "what finds faces"

    spec: str = setting(DEFAULT_DETECTOR, "tflite, tflite:BUNDLE_DIR, haar or yunet:MODEL.onnx")
    detail: int = setting(
        1,
        "frames larger than the detector's input are searched also in parts, for small faces: 1 not at all",
        low=1,
        high=MOST_DETAIL,
    )
    every_frames: int = setting(
        1, "faces are searched in every n-th frame; between, they are expected where they were going", low=1, high=60
    )
    scan_every: int = setting(
        1, "every n-th search goes over the whole frame, the others only about the faces that are known", low=1, high=60
    )
    close_up: str = setting(
        "",
        "the detector of those others, such as tflite:BUNDLE_DIR with a smaller input; empty: the detector's own of half the size, or else the same",
    )
    alignment: str = setting(
        NO_ALIGNMENT,
        "similarity: faces are turned and scaled by their landmarks, where the detector gives them; none: cut by the box",
        choices=ALIGNMENTS,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.close_up and self.scan_every == 1:
            raise ConflictError(f"close_up = {self.close_up!r} is never used with scan_every = 1")
