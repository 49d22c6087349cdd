"""A result as Markdown, for a pull request or a release's notes."""

from __future__ import annotations

from collections.abc import Iterator

from convert.detector_parity.measures import DetectorComparison
from convert.detector_parity.result import DetectorResult, JudgedDetector
from convert.detector_parity.words import (
    ap_words,
    boxes_words,
    drop_words,
    landmark_words,
    recall_words,
    rise_words,
    size_words,
)
from convert.parity.markdown import broken, cell, cost_rows, table
from convert.parity.words import allowed_words, measured_words

__all__ = ["to_markdown"]


def to_markdown(result: DetectorResult) -> str:
    """The file `summary.md`: what was judged, then for each candidate the lines of the gate and the measures."""
    reference = result.reference
    parts = [
        f"# Parity: {result.outcome.value}",
        f"{cell(str(result.data))}, against **{cell(reference.name)}**, judged by the gate {cell(result.gate.name)}.",
    ]
    for judged in result.candidates:
        parts += _candidate(judged)
    if result.refused:
        parts.append("## Not compared")
        parts.append("\n".join(f"- {cell(each.reason)}" for each in result.refused))
    hashes = [("data", result.data.sha256), ("gate", result.gate.sha256), (reference.name, reference.facts.sha256)]
    hashes += [(each.name, each.comparison.candidate.facts.sha256) for each in result.candidates]
    parts += ["## Hashes", table(("what", "sha256"), [(name, f"`{sha256}`") for name, sha256 in hashes])]
    return "\n\n".join(parts) + "\n"


def _candidate(judged: JudgedDetector) -> Iterator[str]:
    yield f"## {cell(judged.name)}: {judged.verdict.outcome.value}"
    rows = [(line.key, measured_words(line), allowed_words(line), line.outcome.value) for line in judged.verdict.lines]
    yield table(("line", "measured", "allowed", ""), rows)
    yield from broken(judged.verdict)
    yield table(("measure", "reference", "candidate", "change"), _measures(judged.comparison))


def _measures(comparison: DetectorComparison) -> list[tuple[str, str, str, str]]:
    one, other = comparison.reference, comparison.candidate
    sure = f"{comparison.lost} faces lost, {comparison.won} won from a score of {comparison.threshold:.3f} on"
    return [
        ("input", size_words(one), size_words(other), ""),
        ("average precision", ap_words(one), ap_words(other), f"{drop_words(comparison.drop)} points"),
        (
            "recall at one false face a picture",
            recall_words(one),
            recall_words(other),
            f"{drop_words(comparison.recall_drop)} points",
        ),
        ("landmark error", landmark_words(one), landmark_words(other), f"{rise_words(comparison)} of both's faces"),
        ("boxes given by both", "", "", f"{boxes_words(comparison)}; {sure}"),
        *cost_rows(one.facts, other.facts),
    ]
