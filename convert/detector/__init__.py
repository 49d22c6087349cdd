"""Face detectors: the same steps as for a classifier, for a net with a score, a box and landmarks for each cell.

model = read_keras(Path("runs/face_detector/model.keras"))
calibration = choose_frames(read_frame_set(Path("frames.npz")), detector_facts(model, "model"), 300, seed=1)
conversion = convert_detector(model, read_recipe("int8"), calibration)
"""

from convert.detector.calibration import choose_frames
from convert.detector.facts import NetFacts
from convert.detector.pack import DetectorRequest, pack_detector
from convert.detector.source import detector_facts, resized
from convert.detector.tflite import convert_detector

__all__ = [
    "DetectorRequest",
    "NetFacts",
    "choose_frames",
    "convert_detector",
    "detector_facts",
    "pack_detector",
    "resized",
]
