"""A result for a person at a terminal: one table, and the lines of the gate."""

from __future__ import annotations

from collections.abc import Iterator

from convert.detector_parity.measures import DetectorComparison, DetectorSide
from convert.detector_parity.result import DetectorResult
from convert.detector_parity.words import ap_words, boxes_words, drop_words, landmark_words, recall_words, size_words
from convert.parity.terminal import aligned, verdict_lines

__all__ = ["to_text"]

_UNKNOWN = "–"
_HEAD = ("", "input", "AP (95 %)", "points", "recall", "landmarks", "boxes alike", "bytes", "ms a frame")


def to_text(result: DetectorResult) -> str:
    """What `python -m convert parity` prints, without the last newline."""
    return "\n".join(_lines(result))


def _lines(result: DetectorResult) -> Iterator[str]:
    yield f"{result.data}; gate {result.gate.name}"
    yield ""
    rows = [_side(result.reference, "reference", "")]
    rows += [_row(judged.comparison) for judged in result.candidates]
    yield from aligned([_HEAD, *rows])
    for judged in result.candidates:
        comparison = judged.comparison
        yield ""
        yield from verdict_lines(judged.verdict)
        yield (
            f"  from a score of {comparison.threshold:.3f} on: {comparison.lost} faces lost, {comparison.won} won,"
            f" in {len(comparison.changes)} frames"
        )
    if result.refused:
        yield ""
        yield "not compared: " + ", ".join(each.name for each in result.refused)
    if "latency" in result.environment:
        yield f"latency: {result.environment['latency']}, on {result.environment['machine']}"
    yield f"parity: {result.outcome.value}"


def _side(side: DetectorSide, difference: str, boxes: str) -> tuple[str, ...]:
    size, latency = side.facts.size_bytes, side.facts.latency_ms
    return (
        side.name,
        size_words(side),
        ap_words(side),
        difference,
        recall_words(side),
        _UNKNOWN if side.landmark_error is None else landmark_words(side),
        boxes,
        _UNKNOWN if size is None else f"{size:,}",
        _UNKNOWN if latency is None else f"{latency:.3g}",
    )


def _row(comparison: DetectorComparison) -> tuple[str, ...]:
    *cells, size, latency = _side(comparison.candidate, drop_words(comparison.drop), boxes_words(comparison))
    return (*cells, size + _times(comparison.size_ratio), latency + _times(comparison.latency_ratio))


def _times(ratio: float | None) -> str:
    return "" if ratio is None else f" (× {ratio:.2g})"
