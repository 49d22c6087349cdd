"""Face detectors by name: `tflite` (our own, or `tflite:BUNDLE_DIR`), `haar`, `yunet:MODEL.onnx`. A new one is one file and one line in the table."""

from __future__ import annotations

import importlib

from edge_runtime.detectors.base import MOST_FACES, Detection, Detector, bounded
from edge_runtime.errors import DetectorError

__all__ = ["DEFAULT_DETECTOR", "DETECTORS", "MOST_FACES", "Detection", "Detector", "bounded", "open_detector"]

DEFAULT_DETECTOR = "tflite"
"""What finds faces where nothing else is named."""

DETECTORS = {
    "tflite": "edge_runtime.detectors.tflite:TFLiteDetector",
    "haar": "edge_runtime.detectors.haar:Haar",
    "yunet": "edge_runtime.detectors.yunet:YuNet",
}


def open_detector(spec: str) -> Detector:
    """The detector that `spec` names: "name" or "name:ARGUMENT".

    Raises:
        DetectorError: an unknown name (the known ones are listed), a missing or unusable argument.
    """
    name, _, argument = spec.partition(":")
    if name not in DETECTORS:
        raise DetectorError(
            f"detector {name!r}",
            f"one of {', '.join(DETECTORS)}",
            "use tflite, tflite:BUNDLE_DIR, haar or yunet:MODEL.onnx",
        )
    module_name, _, class_name = DETECTORS[name].partition(":")
    detector: Detector = getattr(importlib.import_module(module_name), class_name)(argument)
    return detector
