"""Face detectors by name: `tflite` (our own, or `tflite:BUNDLE_DIR`), `haar`, `yunet:MODEL.onnx`. A new one is one file and one line in the table."""

from __future__ import annotations

import importlib

from edge_runtime.detectors.base import MOST_FACES, Detection, Detector, bounded
from edge_runtime.detectors.tiles import TiledSearch, check_detail
from edge_runtime.errors import DetectorError

__all__ = [
    "DEFAULT_DETECTOR",
    "DETAIL_OF_PICTURES",
    "DETECTORS",
    "MOST_FACES",
    "Detection",
    "Detector",
    "bounded",
    "open_detector",
]

DEFAULT_DETECTOR = "tflite"
"""What finds faces where nothing else is named: our own."""

DETAIL_OF_PICTURES = 2
"""How closely pictures and recordings are searched where nothing else is said; a camera's frames are searched once."""

DETECTORS = {
    "tflite": "edge_runtime.detectors.tflite:TFLiteDetector",
    "haar": "edge_runtime.detectors.haar:Haar",
    "yunet": "edge_runtime.detectors.yunet:YuNet",
}


def open_detector(spec: str, detail: int = 1) -> Detector:
    """The detector that `spec` names: "name" or "name:ARGUMENT".

    Args:
        spec: its name and argument.
        detail: how closely frames are searched that are larger than the detector's input (`tiles.TiledSearch`), 1 to 4. One
            that has no such input, as Haar and YuNet, searches them as they are.

    Raises:
        DetectorError: an unknown name (the known ones are listed), a missing or unusable argument, another `detail`.
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
    size = getattr(detector, "input_size", None)
    return detector if check_detail(detail) == 1 or size is None else TiledSearch(detector, size, detail)
