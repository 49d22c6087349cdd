"""Whether a detector passes a gate, line by line.

Lines are judged as `convert.parity.verdict` judges a classifier's: passed, failed, or could not be judged.

- `ap_drop_points` and `recall_drop_points` are about these frames: the measured figure decides. But one face alone must
  not: a bound of 1 point takes 100 faces. With fewer, the line failed only if even the kinder end of the 95 % interval
  breaks the bound.
- `ap_drop_upper_points` is a claim about frames not seen: the upper end of the interval must lie within the bound. Where
  it does not, the line failed if the whole interval lies beyond it, or if the measured drop does; otherwise there are too
  few frames.
- `landmark_error_rise` is about the faces that both sides find, from LEAST_FACES on.
- A reference with no more points than the bound has nothing to lose: a candidate that finds nothing would pass, so no
  line of precision or recall can be judged.
"""

from __future__ import annotations

import math

from convert.detector_parity.gate import LINES, DetectorGate
from convert.detector_parity.measures import DetectorComparison, Estimate
from convert.detector_parity.words import rounded
from convert.parity.verdict import (
    EPSILON,
    Line,
    Outcome,
    Verdict,
    compared,
    judge_agreement,
    judge_plain,
    points,
    resolving,
    too_few,
)

__all__ = ["LEAST_FACES", "judge_detector"]

LEAST_FACES = 30
"""Fewer faces with landmarks say little of their mean error."""


def judge_detector(gate: DetectorGate, comparison: DetectorComparison) -> Verdict:
    """Judges a candidate by every line of a gate."""
    return Verdict(comparison.candidate.name, tuple(_judge(gate, comparison, key) for key in LINES))


def _judge(gate: DetectorGate, comparison: DetectorComparison, key: str) -> Line:
    allowed = gate.allowed(key)
    if allowed is None:
        return Line(key, Outcome.OFF, None, None, None, None, f"{key}: off in the gate, not judged")
    match key:
        case "ap_drop_points":
            had = comparison.reference.average_precision.value
            return _drop(key, "average precision", comparison.drop, had, allowed, comparison.faces)
        case "recall_drop_points":
            had = comparison.reference.recall_at_one
            return _drop(key, "recall", comparison.recall_drop, had, allowed, comparison.faces)
        case "ap_drop_upper_points":
            return _upper(comparison, allowed)
        case "landmark_error_rise":
            return _landmarks(comparison, allowed)
        case "agreement":
            return _agreement(comparison, allowed)
        case _:
            return _plain(comparison, key, allowed)


def _drop(key: str, what: str, drop: Estimate, had: float, allowed: float, faces: int) -> Line:
    """Judges points lost as measured; `had` is the reference's figure, 0..1."""
    said = f"{key}: a drop of {rounded(drop.value):.2f} points of {what} measured, {allowed:g} allowed"
    if 100 * had <= allowed:
        return _nothing_to_lose(key, said, had, allowed)
    needed = resolving(allowed)
    if faces >= needed or drop.low > allowed + EPSILON:
        return compared(key, drop.value, allowed, said, points)
    return too_few(key, drop.value, allowed, said, faces, needed, "one alone must not decide")


def _upper(comparison: DetectorComparison, allowed: float) -> Line:
    key, drop = "ap_drop_upper_points", comparison.drop
    said = f"{key}: a drop of {rounded(drop.low):.2f} to {rounded(drop.high):.2f} points at 95 %, up to {allowed:g} allowed"
    had = comparison.reference.average_precision.value
    if 100 * had <= allowed:
        return _nothing_to_lose(key, said, had, allowed)
    if drop.high <= allowed + EPSILON or drop.low > allowed + EPSILON or drop.value > allowed + EPSILON:
        return compared(key, drop.high, allowed, said, points)
    room = allowed - drop.value
    if room <= EPSILON:
        text = f"{said}: could not be judged, no number of faces shows a drop of {drop.value:.2f} to be at most {allowed:g}"
        return Line(key, Outcome.NOT_JUDGED, drop.high, allowed, None, None, text)
    # An interval shrinks with the square root of the number of frames.
    needed = math.ceil(comparison.faces * ((drop.high - drop.value) / room) ** 2)
    why = "at this drop, and frames like these"
    return too_few(key, drop.high, allowed, said, comparison.faces, max(needed, comparison.faces + 1), why)


def _landmarks(comparison: DetectorComparison, allowed: float) -> Line:
    key, found = "landmark_error_rise", comparison.landmarks
    if found is None:
        text = f"{key}: could not be judged, no face with known landmarks is found by both; {100 * allowed:g} % allowed"
        return Line(key, Outcome.NOT_JUDGED, None, allowed, None, None, text)
    said = (
        f"{key}: landmarks off by {100 * found.reference:.2f} % of the eyes' distance before and"
        f" {100 * found.candidate:.2f} % now, a rise of {rounded(100 * found.rise.value):.2f} %, {100 * allowed:g} % allowed"
    )
    if found.faces < LEAST_FACES and found.rise.low <= allowed + EPSILON:
        return too_few(key, found.rise.value, allowed, said, found.faces, LEAST_FACES, "found by both")
    return compared(key, found.rise.value, allowed, said, lambda value: f"{100 * value:.2f} %")


def _agreement(comparison: DetectorComparison, allowed: float) -> Line:
    if comparison.agreement is None:
        text = f"agreement: could not be judged, no side gives a box; at least {100 * allowed:g} % asked"
        return Line("agreement", Outcome.NOT_JUDGED, None, allowed, None, None, text)
    return judge_agreement(comparison.agreement, allowed, "the boxes that either side gives, given by both")


def _plain(comparison: DetectorComparison, key: str, allowed: float) -> Line:
    """Latency and size."""
    size = comparison.candidate.facts.size_bytes
    measured, unknown = {
        "latency_ratio": (comparison.latency_ratio, "the latency of both sides on one machine is not known"),
        "size_ratio": (comparison.size_ratio, "the size of both sides is not known"),
        "size_bytes": (None if size is None else float(size), "the candidate's size is not known"),
    }[key]
    return judge_plain(key, measured, allowed, unknown)


def _nothing_to_lose(key: str, said: str, had: float, allowed: float) -> Line:
    text = f"{said}: could not be judged, the reference has no more than {100 * had:.2f} points to lose"
    return Line(key, Outcome.NOT_JUDGED, None, allowed, None, None, text)
