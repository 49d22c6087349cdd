"""A result as Markdown, for a pull request or a release's notes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from convert.parity.answers import ModelFacts, latency_ratio, size_ratio
from convert.parity.measures import Comparison
from convert.parity.recalls import ClassChange
from convert.parity.result import Judged, ParityResult
from convert.parity.verdict import Outcome, Verdict
from convert.parity.words import UNKNOWN, allowed_words, count_words, measured_words, ms_words, times_words

__all__ = ["broken", "cell", "cost_rows", "table", "to_markdown"]


def to_markdown(result: ParityResult) -> str:
    """The file `summary.md`: what was judged, then for each candidate the lines of the gate, the measures, the classes."""
    data, reference = result.data, result.reference
    parts = [
        f"# Parity: {result.outcome.value}",
        f"{result.faces:,} faces of {cell(data.source)}, {cell(data.split)} ({result.left_out:,} left out), against"
        f" **{cell(reference.name)}**, judged by the gate {cell(result.gate.name)}.",
    ]
    for judged in result.candidates:
        parts += _candidate(judged)
    if result.refused:
        parts.append("## Not compared")
        parts.append("\n".join(f"- {cell(each.reason)}" for each in result.refused))
    for signals in result.signals:
        worst = ", ".join(f"{layer.layer} {layer.sqnr_db:.1f} dB" for layer in signals.worst())
        parts.append(
            f"Signal to noise of {cell(signals.candidate)} against {cell(signals.against)}, {len(signals.layers)}"
            f" tensors on {signals.faces} faces; the worst: {cell(worst) or 'none, they are equal'}."
        )
    hashes = [("data", data.sha256), ("gate", result.gate.sha256), (reference.name, reference.facts.sha256)]
    hashes += [(each.name, each.comparison.candidate.facts.sha256) for each in result.candidates]
    parts += ["## Hashes", table(("what", "sha256"), [(name, f"`{sha256}`") for name, sha256 in hashes])]
    parts.append(f"Preprocessing version {data.preprocess}.")
    return "\n\n".join(parts) + "\n"


def _candidate(judged: Judged) -> Iterator[str]:
    comparison = judged.comparison
    yield f"## {cell(judged.name)}: {judged.verdict.outcome.value}"
    if comparison.candidate.only_answer is not None:
        yield f"It answers {cell(comparison.candidate.only_answer)} for every face."
    rows = [(line.key, measured_words(line), allowed_words(line), line.outcome.value) for line in judged.verdict.lines]
    yield table(("line", "measured", "allowed", ""), rows)
    yield from broken(judged.verdict)
    yield table(("measure", "reference", "candidate", "change"), _measures(comparison))
    classes = [_class(each) for each in comparison.classes]
    yield table(("recall", "faces", "reference", "candidate", "change"), classes)


def broken(verdict: Verdict) -> Iterator[str]:
    """The lines that did not pass, in words."""
    for line in verdict.lines:
        if line.outcome in (Outcome.FAILED, Outcome.NOT_JUDGED):
            yield f"- {cell(line.text)}"


def _class(each: ClassChange) -> tuple[str, ...]:
    if not (each.reference and each.candidate and each.paired):
        return (each.name, "0", UNKNOWN, UNKNOWN, UNKNOWN)
    recalls = (f"{100 * each.reference.value:.1f} %", f"{100 * each.candidate.value:.1f} %")
    return (each.name, str(each.faces), *recalls, f"{each.paired.difference:+.2f} points")


def _measures(comparison: Comparison) -> list[tuple[str, str, str, str]]:
    one, other, paired, drift = comparison.reference, comparison.candidate, comparison.paired, comparison.drift
    change = f"{paired.difference:+.2f} points (95 % interval {paired.low:+.2f} to {paired.high:+.2f})"
    return [
        ("accuracy", str(one.accuracy), str(other.accuracy), change),
        ("McNemar's exact p", "", "", f"{paired.p_value:.3g} ({paired.lost} lost, {paired.won} won)"),
        ("answered alike", "", "", str(comparison.agreement)),
        ("flipped faces", "", "", f"{len(comparison.flips)}"),
        ("mean and largest |Δp|", "", "", f"{drift.mean:.5f}, {drift.largest:.4f}"),
        ("Jensen–Shannon divergence", "", "", f"{drift.divergence:.3g} bits"),
        (
            "expected calibration error",
            f"{100 * one.reliability.expected_error:.2f} %",
            f"{100 * other.reliability.expected_error:.2f} %",
            f"{100 * (other.reliability.expected_error - one.reliability.expected_error):+.2f} points",
        ),
        *cost_rows(one.facts, other.facts),
    ]


def cost_rows(one: ModelFacts, other: ModelFacts) -> list[tuple[str, str, str, str]]:
    """What a model costs beside another: arithmetic, bytes, multiply-accumulates, time."""
    return [
        ("arithmetic", one.arithmetic, other.arithmetic, ""),
        (
            "size in bytes",
            count_words(one.size_bytes),
            count_words(other.size_bytes),
            times_words(size_ratio(one, other)),
        ),
        ("multiply-accumulates", count_words(one.macs), count_words(other.macs), ""),
        ("latency", ms_words(one.latency_ms), ms_words(other.latency_ms), times_words(latency_ratio(one, other))),
    ]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of Markdown; its cells are escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(cell, line))} |" for line in lines)


def cell(text: str) -> str:
    """Text that cannot break out of its cell."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
