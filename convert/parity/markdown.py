"""A result as Markdown, for a pull request or a release's notes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from convert.parity.measures import Comparison
from convert.parity.recalls import ClassChange
from convert.parity.result import Judged, ParityResult
from convert.parity.verdict import Line, Outcome

__all__ = ["to_markdown"]

_UNKNOWN = "not known"


def to_markdown(result: ParityResult) -> str:
    """The file `parity.md`: what was judged, then for each candidate the lines of the gate, the measures, the classes."""
    data, reference = result.data, result.reference
    parts = [
        f"# Parity: {result.outcome.value}",
        f"{result.faces:,} faces of {_cell(data.source)}, {_cell(data.split)} ({result.left_out:,} left out), against"
        f" **{_cell(reference.name)}**, judged by the gate {_cell(result.gate.name)}.",
    ]
    for judged in result.candidates:
        parts += _candidate(judged)
    hashes = [("data", data.sha256), ("gate", result.gate.sha256), (reference.name, reference.facts.sha256)]
    hashes += [(each.name, each.comparison.candidate.facts.sha256) for each in result.candidates]
    parts += ["## Hashes", _table(("what", "sha256"), [(name, f"`{sha256}`") for name, sha256 in hashes])]
    parts.append(f"Preprocessing version {data.preprocess}.")
    return "\n\n".join(parts) + "\n"


def _candidate(judged: Judged) -> Iterator[str]:
    comparison = judged.comparison
    yield f"## {_cell(judged.name)}: {judged.verdict.outcome.value}"
    if comparison.candidate.only_answer is not None:
        yield f"It answers {_cell(comparison.candidate.only_answer)} for every face."
    rows = [(line.key, _measured(line), _allowed(line), line.outcome.value) for line in judged.verdict.lines]
    yield _table(("line", "measured", "allowed", ""), rows)
    for line in judged.verdict.lines:
        if line.outcome in (Outcome.FAILED, Outcome.NOT_JUDGED):
            yield f"- {_cell(line.text)}"
    yield _table(("measure", "reference", "candidate", "change"), _measures(comparison))
    classes = [_class(each) for each in comparison.classes]
    yield _table(("recall", "faces", "reference", "candidate", "change"), classes)


def _class(each: ClassChange) -> tuple[str, ...]:
    if not (each.reference and each.candidate and each.paired):
        return (each.name, "0", _UNKNOWN, _UNKNOWN, _UNKNOWN)
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
        ("arithmetic", one.facts.arithmetic, other.facts.arithmetic, ""),
        ("size in bytes", _count(one.facts.size_bytes), _count(other.facts.size_bytes), _times(comparison.size_ratio)),
        ("multiply-accumulates", _count(one.facts.macs), _count(other.facts.macs), ""),
        ("latency", _ms(one.facts.latency_ms), _ms(other.facts.latency_ms), _times(comparison.latency_ratio)),
    ]


def _measured(line: Line) -> str:
    return "" if line.outcome is Outcome.OFF else _UNKNOWN if line.measured is None else _value(line.key, line.measured)


def _allowed(line: Line) -> str:
    return "off" if line.allowed is None else _value(line.key, line.allowed)


def _value(key: str, value: float) -> str:
    if key.endswith("_points"):
        return f"{value:.2f} points"
    if key == "agreement":
        return f"{100 * value:.2f} %"
    return f"{value:,.0f}" if key == "size_bytes" else f"{value:.4g}"


def _count(value: int | None) -> str:
    return _UNKNOWN if value is None else f"{value:,}"


def _ms(value: float | None) -> str:
    return _UNKNOWN if value is None else f"{value:.3g} ms"


def _times(ratio: float | None) -> str:
    return _UNKNOWN if ratio is None else f"× {ratio:.3g}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
