"""The measures on a parity page: accuracies on one scale, the gate line by line, classes, confusions, confidence, signals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from convert.parity.measures import Side
from convert.parity.page_head import sign
from convert.parity.recalls import ClassChange
from convert.parity.result import Judged, ParityResult
from convert.parity.signals import Signals
from convert.parity.verdict import Line, Outcome, Verdict
from convert.parity.words import allowed_words, line_value, measured_words
from edge_runtime.pages import (
    Html,
    Mark,
    Span,
    bar,
    bar_chart,
    counted,
    css_colour,
    diagonal_chart,
    facts,
    histogram,
    interval_chart,
    matrix,
    section,
    swatch,
    tag,
    wide,
)

__all__ = ["accuracies", "classes", "confidence", "confusions", "gate_lines", "signal_bars"]

_BINS = 41
_WORST = 16


def accuracies(result: ParityResult) -> Html:
    """Each side's accuracy, and each candidate's difference against what the gate allows, with intervals."""
    sides = [result.reference, *(judged.comparison.candidate for judged in result.candidates)]
    spans = [_accuracy(side, at) for at, side in enumerate(sides)]
    differences = []
    for at, judged in enumerate(result.candidates, 1):
        paired = judged.comparison.paired
        said = f"{paired.difference:+.2f} points ({paired.low:+.2f} to {paired.high:+.2f})"
        differences.append(Span(judged.name, paired.low, paired.difference, paired.high, said, at))
    marks = [Mark(0.0, "the reference")]
    upper = result.gate.accuracy_drop_upper_points
    if upper is not None:
        marks.append(Mark(-upper, f"the interval may reach {-upper:+g}"))
    note = "A dot is what was measured on these faces, the band its 95 % interval. The difference is paired: both sides"
    note += " saw the same faces, so it is known better than either accuracy."
    return section(
        "Accuracy",
        interval_chart("Accuracy, %", spans, "% of the faces"),
        interval_chart("Difference to the reference, points", differences, "points of accuracy", marks),
        note=note,
    )


def _accuracy(side: Side, colour: int) -> Span:
    share = side.accuracy
    low, high = 100 * share.interval.low, 100 * share.interval.high
    said = f"{100 * share.value:.2f} % ({share.interval})"
    return Span(side.name, min(low, 100 * share.value), 100 * share.value, max(high, 100 * share.value), said, colour)


def gate_lines(verdict: Verdict, gate: str) -> Html:
    """Every line: measured, allowed, by how much, and how it was judged."""
    rows = []
    for line in verdict.lines:
        numbers = (measured_words(line), allowed_words(line), _margin(line))
        rows.append(
            tag(
                "tr",
                tag("th", line.key.replace("_", " "), scope="row"),
                *[tag("td", words, class_="number") for words in numbers],
                tag("td", sign(line.outcome)),
            )
        )
    names = ("Measured", "Allowed", "By how much")
    columns = [tag("th", name, scope="col", class_="number") for name in names]
    top = tag("tr", tag("th", "Line", scope="col"), *columns, tag("th", "Judged", scope="col"))
    table = wide(tag("table", tag("thead", top), tag("tbody", *rows)), "Lines of the gate")
    passed = [tag("li", f"{line.text}.") for line in verdict.lines if line.outcome is not Outcome.OFF]
    more = tag("details", tag("summary", "Each line in words"), tag("ul", *passed))
    return section("Gate", table, more, note=f"What {gate} asks of {verdict.candidate}, line by line.")


def _margin(line: Line) -> str:
    if line.excess is not None:
        return f"{'short by' if line.key == 'agreement' else 'over by'} {_apart(line.key, line.excess)}"
    if line.outcome is Outcome.PASSED and line.measured is not None and line.allowed is not None:
        return f"{_apart(line.key, abs(line.allowed - line.measured))} to spare"
    return f"about {counted(line.faces_needed)} faces needed" if line.faces_needed is not None else ""


def _apart(key: str, value: float) -> str:
    return f"{100 * value:.2f} points" if key == "agreement" else line_value(key, value)


def classes(judged: Judged) -> Html:
    """Recall of each class on both sides, and its change."""
    rows = [_class(each) for each in judged.comparison.classes]
    columns = [tag("th", name, scope="col") for name in ("Expression", "Reference, %", "Candidate, %")]
    columns += [tag("th", name, scope="col", class_="number") for name in ("Change, points", "95 % interval", "Faces")]
    table = tag("table", tag("thead", tag("tr", *columns)), tag("tbody", *rows))
    return section("Expressions", wide(table, "Recall of each expression"), note="Of its faces, how many are found.")


def _class(each: ClassChange) -> Html:
    name = tag("th", swatch(each.name), each.name, scope="row")
    if not (each.reference and each.candidate and each.paired):
        return tag("tr", name, tag("td", "no faces", colspan=4), tag("td", "0", class_="number"))
    change = f"{each.paired.difference:+.2f}"
    return tag(
        "tr",
        name,
        tag("td", bar(each.reference.value)),
        tag("td", bar(each.candidate.value, css_colour(each.name))),
        tag("td", change, class_="number"),
        tag("td", f"{each.paired.low:+.1f} to {each.paired.high:+.1f}", class_="number"),
        tag("td", counted(each.faces), class_="number"),
    )


def confusions(judged: Judged, names: tuple[str, ...]) -> Html:
    """Both sides' confusion matrices, side by side where there is room."""
    parts = []
    for side in (judged.comparison.reference, judged.comparison.candidate):
        parts.append(
            tag("div", tag("h3", side.name), matrix(names, side.confusion, f"Confusion matrix of {side.name}"))
        )
    note = "Per cent of each label’s faces. Rest the pointer on a cell for the count."
    return section("Confusion", tag("div", *parts, class_="pair"), note=note)


def confidence(judged: Judged, one: NDArray[np.float32], other: NDArray[np.float32]) -> Html:
    """Both sides' reliability, and how the probability of the reference's answer moved."""
    comparison = judged.comparison
    charts = []
    for side in (comparison.reference, comparison.candidate):
        bins = [(each.confidence, each.accuracy, each.faces) for each in side.reliability.bins]
        charts.append(diagonal_chart(f"{side.name}: right, % of the faces", bins, "sure, %"))
    top = one.argmax(axis=1)[:, None]
    moved = (np.take_along_axis(other, top, 1) - np.take_along_axis(one, top, 1))[:, 0].astype(np.float64)
    reach = max(0.01, float(np.abs(moved).max()))
    edges = np.linspace(-reach, reach, _BINS + 1)
    counts, _ = np.histogram(np.clip(moved, -reach, reach), edges)
    drift = histogram("How the probability of the reference’s answer moved", edges.tolist(), counts.tolist(), "Δp")
    known = facts(
        ("Calibration error, reference", f"{100 * comparison.reference.reliability.expected_error:.2f} %"),
        ("Calibration error, candidate", f"{100 * comparison.candidate.reliability.expected_error:.2f} %"),
        ("Mean |Δp|", f"{comparison.drift.mean:.5f} over all classes"),
        ("Largest |Δp|", f"{comparison.drift.largest:.4f}, row {comparison.drift.largest_row}"),
        ("Jensen–Shannon divergence", f"{comparison.drift.divergence:.3g} bits"),
    )
    note = (
        "On the dotted line it is right as often as it is sure. Heights below grow with the square root of the count."
    )
    return section("Confidence", tag("div", *charts, class_="charts"), drift, known, note=note)


def signal_bars(signals: Signals) -> Html:
    """Signal to noise of the candidate's worst tensors, in the order of the net."""
    worst = {layer.tensor for layer in signals.worst(_WORST)}
    bars = [(layer.layer, layer.sqnr_db) for layer in signals.layers if layer.tensor in worst]
    known = [(name, decibels) for name, decibels in bars if decibels is not None]
    if not known:
        return section("Signal", tag("p", f"All {len(signals.layers)} tensors are equal to those in float32."))
    clipped = [layer for layer in signals.layers if layer.clipped > 0.01]
    words = "; ".join(f"{layer.layer} {100 * layer.clipped:.1f} %" for layer in clipped[:6])
    said = [tag("p", f"Cut off by their range: {words} of the float values.", class_="note")] if words else []
    note = f"How far each tensor lies from {signals.against} in float32, on {signals.faces} faces; 10 dB less is three"
    note += f" times the error. The {len(known)} worst of {len(signals.layers)} tensors, from input to output."
    return section("Signal", bar_chart("Signal to noise, dB", known, "dB"), *said, note=note)
