"""A result for a person at a terminal: one table, the lines of the gate, and what was taken for granted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from convert.parity.contest import Finding
from convert.parity.measures import Comparison, Side
from convert.parity.result import Judged, ParityResult
from convert.parity.verdict import Line, Outcome, Verdict

__all__ = ["aligned", "to_text", "verdict_lines"]

_MARKS = {Outcome.PASSED: "ok", Outcome.FAILED: "FAILED", Outcome.NOT_JUDGED: "?"}
_UNKNOWN = "–"
_HEAD = ("", "accuracy (95 %)", "difference (95 %)", "alike", "worst class", "|Δp|", "bytes", "ms a face")


def to_text(finding: Finding) -> str:
    """What `python -m convert parity` prints, without the last newline."""
    return "\n".join(_lines(finding))


def _lines(finding: Finding) -> Iterator[str]:
    result = finding.result
    data = result.data
    left_out = f", {result.left_out:,} left out" if result.left_out else ""
    yield f"{result.faces:,} faces of {data.source}, {data.split}{left_out}; gate {result.gate.name}"
    yield ""
    yield from aligned([_HEAD, _reference(result.reference), *(_row(each.comparison) for each in result.candidates)])
    for judged in result.candidates:
        yield ""
        yield from _verdict(judged, result)
    if result.refused:
        yield ""
        yield "not compared: " + ", ".join(each.name for each in result.refused)
    if finding.assumed:
        yield ""
        yield (
            f"{', '.join(finding.assumed)}: without labels of their own, taken to answer"
            f" {', '.join(finding.task.labels.names)}"
        )
    if "latency" in result.environment:
        yield f"latency: {result.environment['latency']}, on {result.environment['machine']}"
    yield f"parity: {result.outcome.value}"


def _reference(side: Side) -> tuple[str, ...]:
    return (side.name, _accuracy(side), "reference", "", "", "", _count(side.facts.size_bytes), _ms(side))


def _row(comparison: Comparison) -> tuple[str, ...]:
    paired, side = comparison.paired, comparison.candidate
    worst = max((each for each in comparison.classes if each.faces), key=lambda each: each.drop)
    return (
        side.name,
        _accuracy(side),
        f"{paired.difference:+.2f} ({paired.low:+.2f} to {paired.high:+.2f})",
        f"{100 * comparison.agreement.value:.2f} %",
        f"{worst.name} {-worst.drop:+.1f}" if worst.drop > 0 else "none lost",
        f"{comparison.drift.mean:.4f}",
        _count(side.facts.size_bytes) + _times(comparison.size_ratio),
        _ms(side) + _times(comparison.latency_ratio),
    )


def _verdict(judged: Judged, result: ParityResult) -> Iterator[str]:
    only = judged.comparison.candidate.only_answer
    yield from verdict_lines(judged.verdict, [] if only is None else [f"it answers {only} for every face"])
    for signals in result.signals:
        if signals.candidate == judged.name:
            worst = ", ".join(
                f"{layer.layer} {layer.sqnr_db:.1f} dB"
                + (f" ({100 * layer.clipped:.1f} % clipped)" if layer.clipped else "")
                for layer in signals.worst()
            )
            yield f"  least signal to noise: {worst or 'none, all tensors are equal'} (against {signals.against})"


def verdict_lines(verdict: Verdict, first: Sequence[str] = ()) -> Iterator[str]:
    """A candidate's outcome, what is to be said `first`, and each line of the gate that is not off."""
    yield f"{verdict.candidate}: {verdict.outcome.value}"
    yield from (f"  {text}" for text in first)
    for line in verdict.lines:
        if line.outcome is not Outcome.OFF:
            yield f"  {_MARKS[line.outcome]:6} {_without_outcome(line)}"


def _without_outcome(line: Line) -> str:
    return line.text.removesuffix(": passed")


def _accuracy(side: Side) -> str:
    interval = side.accuracy.interval
    return f"{100 * side.accuracy.value:.2f} % ({100 * interval.low:.1f} to {100 * interval.high:.1f})"


def _count(value: int | None) -> str:
    return _UNKNOWN if value is None else f"{value:,}"


def _ms(side: Side) -> str:
    return _UNKNOWN if side.facts.latency_ms is None else f"{side.facts.latency_ms:.3g}"


def _times(ratio: float | None) -> str:
    return "" if ratio is None else f" (× {ratio:.2g})"


def aligned(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """The lines of a table, each column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
