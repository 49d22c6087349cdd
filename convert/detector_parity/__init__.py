"""What a conversion cost a face detector, on frames with known faces, and whether it may ship.

    one = Seen("model.keras", "keras", found, facts)
    other = Seen("int8.tflite", "tflite", found_by_int8, other_facts)
    result = measure_detectors(one, [other], frames, read_detector_gate("detector"), {})
    sys.exit(result.exit_code)  # 0 passed, 1 failed, 2 could not be judged

Only numpy is needed: whoever runs the nets hands in what they found.
"""

from convert.detector_parity.gate import DetectorGate, read_detector_gate
from convert.detector_parity.measures import DetectorComparison, DetectorSide, Estimate, Seen
from convert.detector_parity.result import DetectorResult, JudgedDetector, measure_detectors
from convert.detector_parity.verdict import judge_detector

__all__ = [
    "DetectorComparison",
    "DetectorGate",
    "DetectorResult",
    "DetectorSide",
    "Estimate",
    "JudgedDetector",
    "Seen",
    "judge_detector",
    "measure_detectors",
    "read_detector_gate",
]
