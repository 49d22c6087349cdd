"""Thresholds that decide whether a detector may ship: a TOML file in which every key is named."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convert.parity.errors import GateError
from convert.parity.gate import OFF, SHARED_LIMITS, check_keys, parse_thresholds
from edge_runtime.tables import read_table

__all__ = ["GATES", "KEYS", "LINES", "DetectorGate", "parse_detector_gate", "read_detector_gate"]

GATES = Path(__file__).parent / "gates"

_LIMITS = {
    "ap_drop_points": (100.0, "points from 0 to 100"),
    "ap_drop_upper_points": (100.0, "points from 0 to 100"),
    "recall_drop_points": (100.0, "points from 0 to 100"),
    "landmark_error_rise": (math.inf, "a share of the reference's error, at least 0"),
    "agreement": (1.0, "a share from 0 to 1"),
    **SHARED_LIMITS,
}
LINES = tuple(_LIMITS)
"""The lines that are judged, in order; each may be "off"."""

KEYS = ("smallest_px", *LINES)
"""Every key of a gate file; each must be there."""


@dataclass(frozen=True)
class DetectorGate:
    """Thresholds; None is "off". `convert.detector_parity.verdict` says how each line is judged.

    Attributes:
        name: of the gate, for reports.
        sha256: of its file.
        smallest_px: faces of fewer pixels of the frame's height do not count.
        ap_drop_points: most points of average precision that may be lost, as measured.
        ap_drop_upper_points: the same at the upper end of the drop's 95 % interval.
        recall_drop_points: most points of recall at one false face a picture that may be lost.
        landmark_error_rise: most by which the landmark error may grow, as a share of the reference's.
        agreement: least share of the boxes of either side that both give, 0 to 1.
        latency_ratio, size_ratio: most of candidate over reference.
        size_bytes: most bytes of the candidate.
    """

    name: str
    sha256: str
    smallest_px: float
    ap_drop_points: float | None
    ap_drop_upper_points: float | None
    recall_drop_points: float | None
    landmark_error_rise: float | None
    agreement: float | None
    latency_ratio: float | None
    size_ratio: float | None
    size_bytes: float | None

    def allowed(self, line: str) -> float | None:
        """The threshold of one of `LINES`; None is "off"."""
        value: float | None = getattr(self, line)
        return value

    def as_json(self) -> dict[str, Any]:
        values = {key: getattr(self, key) for key in KEYS}
        return {
            "name": self.name,
            "sha256": self.sha256,
            "thresholds": {key: OFF if value is None else value for key, value in values.items()},
        }


def read_detector_gate(name_or_path: str | Path) -> DetectorGate:
    """Reads a gate by name or path.

    Raises:
        GateError: no such file, no TOML, or what `parse_detector_gate` refuses.
    """
    file = read_table(name_or_path, GATES, "gate for face detectors", GateError)
    return parse_detector_gate(file.table, file.path.stem, file.sha256, file.path.name)


def parse_detector_gate(table: Mapping[str, Any], name: str, sha256: str, where: str) -> DetectorGate:
    """Makes a gate of what TOML gave; `where` is its file, for messages.

    Raises:
        GateError: an unknown key, a missing one, a value of another type or range, or nothing that is judged.
    """
    check_keys(table, KEYS, LINES, where)
    thresholds = parse_thresholds(table, _LIMITS, where)
    smallest = table["smallest_px"]
    if type(smallest) not in (int, float) or not 0 <= smallest < math.inf:
        raise GateError(
            f"{where}: smallest_px = {smallest!r}", "pixels of the frame, 0 for every face", "correct its value"
        )
    return DetectorGate(name, sha256, smallest_px=float(smallest), **thresholds)
