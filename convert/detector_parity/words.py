"""Figures of a detectors' result as every report says them."""

from __future__ import annotations

from convert.detector_parity.measures import DetectorComparison, DetectorSide, Estimate
from convert.parity.words import UNKNOWN

__all__ = [
    "ap_words",
    "boxes_words",
    "drop_words",
    "landmark_words",
    "recall_words",
    "rise_words",
    "rounded",
    "size_words",
]


def ap_words(side: DetectorSide) -> str:
    """Average precision with its interval."""
    one = side.average_precision
    return f"{100 * one.value:.2f} % ({100 * one.low:.1f} to {100 * one.high:.1f})"


def recall_words(side: DetectorSide) -> str:
    return f"{100 * side.recall_at_one:.2f} %"


def landmark_words(side: DetectorSide) -> str:
    """The landmark error of the faces that a side finds."""
    return UNKNOWN if side.landmark_error is None else f"{100 * side.landmark_error:.2f} %"


def drop_words(drop: Estimate) -> str:
    """A change in points, candidate less reference, with its interval."""
    value, low, high = (rounded(-each) for each in (drop.value, drop.high, drop.low))
    return f"{value:+.2f} ({low:+.2f} to {high:+.2f})"


def rise_words(comparison: DetectorComparison) -> str:
    """The change of the landmark error on the faces that both sides find."""
    if comparison.landmarks is None:
        return UNKNOWN
    rise = comparison.landmarks.rise
    value, low, high = (rounded(100 * each) for each in (rise.value, rise.low, rise.high))
    return f"{value:+.2f} % ({low:+.2f} to {high:+.2f})"


def boxes_words(comparison: DetectorComparison) -> str:
    """The boxes that both give, of those that either gives."""
    return UNKNOWN if comparison.agreement is None else f"{100 * comparison.agreement.value:.2f} %"


def size_words(side: DetectorSide) -> str:
    """What a side reads."""
    return f"{side.net.width} × {side.net.height}"


def rounded(value: float) -> float:
    """To two decimals, and no zero with a minus."""
    return round(value, 2) + 0.0
