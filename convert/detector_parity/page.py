"""The page of a detectors' parity run, `parity.html`: one file for people, with its verdict, curves and changed frames.

It holds frames of the data: do not pass it on where their licence does not let them travel.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from convert.detector_parity.contest import DetectorFinding
from convert.detector_parity.measures import DetectorSide
from convert.detector_parity.page_frames import changed_frames
from convert.detector_parity.result import DetectorResult, JudgedDetector
from convert.detector_parity.words import ap_words, boxes_words, drop_words, landmark_words, recall_words, rise_words
from convert.parity.page import PAGE
from convert.parity.page_cost import cost, made_from
from convert.parity.page_head import broken_lines, sign
from convert.parity.page_measures import gate_lines
from convert.parity.words import times_words
from edge_runtime.files import write_whole
from edge_runtime.framesets import FrameSet
from edge_runtime.pages import Html, Line, Mark, Span, counted, interval_chart, line_chart, page, section, tag, wide

__all__ = ["detector_page", "write_detector_page"]

_RECALLS = np.linspace(0, 1, 51)
_MOST_FRAMES = 12


def write_detector_page(folder: Path, finding: DetectorFinding, frames: FrameSet) -> Path:
    """Writes the page into a report's folder, which is there. Raises OutputError."""
    path = folder / PAGE
    write_whole(path, detector_page(finding, frames).encode())
    return path


def detector_page(finding: DetectorFinding, frames: FrameSet) -> Html:
    """The whole page."""
    result = finding.result
    parts = [_precision(result)]
    shown = max(2, _MOST_FRAMES // len(result.candidates))
    for judged, seen in zip(result.candidates, finding.candidates, strict=True):
        if len(result.candidates) > 1:
            parts.append(section(judged.name, tag("p", f"What follows is about {judged.name}.")))
        comparison = judged.comparison
        sides = [(side.name, side.facts) for side in (comparison.reference, comparison.candidate)]
        parts += [
            gate_lines(judged.verdict, result.gate.name),
            changed_frames(comparison, frames, finding.reference.found, seen.found, shown),
            cost(sides, comparison.size_ratio, comparison.latency_ratio, "frame"),
        ]
    parts.append(_made_by(result))
    return page(f"Parity: {result.outcome.value}", _head(result), *parts)


def _head(result: DetectorResult) -> Html:
    names = [judged.name for judged in result.candidates]
    compared = names[0] if len(names) == 1 else f"{len(names)} candidates"
    words = f"{result.data}; judged by the gate {result.gate.name}, with intervals of 95 %."
    pieces = [
        tag("p", "fer-edge, a parity report of face detectors", class_="eyebrow"),
        tag("h1", f"{compared} against {result.reference.name}"),
        tag("div", sign(result.outcome, "p", "verdict"), tag("p", words, class_="note"), class_="hero"),
    ]
    for judged in result.candidates:
        pieces += broken_lines(judged.verdict, len(names) == 1)
    pieces += [
        tag("p", f"{refused.name} could not be compared: {refused.reason}.", class_="warning")
        for refused in result.refused
    ]
    if len(names) > 1:
        pieces.append(tag("div", _overview(result), class_="sheet"))
    else:
        pieces.append(_stats(result.candidates[0]))
    return tag("header", *pieces)


def _stats(judged: JudgedDetector) -> Html:
    comparison = judged.comparison
    one, other = comparison.reference, comparison.candidate
    change = f"{counted(comparison.lost)} lost, {counted(comparison.won)} won"
    stats = [
        ("Average precision", f"{100 * other.average_precision.value:.2f} %", f"the reference {ap_words(one)}"),
        ("Difference", f"{0.0 - comparison.drop.value:+.2f}", f"points; {drop_words(comparison.drop)}"),
        ("Recall", recall_words(other), f"at one false face a picture; the reference {recall_words(one)}"),
        ("Landmark error", landmark_words(other), f"of the eyes’ distance; {rise_words(comparison)}"),
        ("Boxes alike", boxes_words(comparison), "of those that either side gives"),
        ("Faces", change, f"from a score of {comparison.threshold:.3f} on"),
        ("Size", times_words(comparison.size_ratio), "of the reference’s file"),
        ("Latency", times_words(comparison.latency_ratio), "of the reference’s, one frame, one machine"),
    ]
    pairs = [tag("div", tag("dt", name), tag("dd", value, tag("small", note))) for name, value, note in stats]
    return tag("dl", *pairs, class_="stats")


def _overview(result: DetectorResult) -> Html:
    rows = []
    for judged in result.candidates:
        comparison = judged.comparison
        cells = (
            ap_words(comparison.candidate),
            drop_words(comparison.drop),
            landmark_words(comparison.candidate),
            times_words(comparison.size_ratio),
            times_words(comparison.latency_ratio),
        )
        numbers = [tag("td", cell, class_="number") for cell in cells]
        rows.append(tag("tr", tag("th", judged.name, scope="row"), tag("td", sign(judged.verdict.outcome)), *numbers))
    names = ("Average precision", "Difference, points", "Landmark error", "Size", "Latency")
    columns = [tag("th", name, scope="col", class_="number") for name in names]
    top = tag("tr", tag("th", "Candidate", scope="col"), tag("th", "Verdict", scope="col"), *columns)
    return wide(tag("table", tag("thead", top), tag("tbody", *rows)), "All candidates")


def _precision(result: DetectorResult) -> Html:
    """Each side's average precision and curve, and each candidate's difference against what the gate allows."""
    sides = [result.reference, *(judged.comparison.candidate for judged in result.candidates)]
    spans = [_span(side, at) for at, side in enumerate(sides)]
    differences = []
    for at, judged in enumerate(result.candidates, 1):
        drop = judged.comparison.drop
        differences.append(Span(judged.name, -drop.high, -drop.value, -drop.low, f"{drop_words(drop)} points", at))
    marks = [Mark(0.0, "the reference")]
    upper = result.gate.ap_drop_upper_points
    if upper is not None:
        marks.append(Mark(-upper, f"the interval may reach {-upper:+g}"))
    note = (
        "A dot is what was measured on these frames, the band its 95 % interval, by resampling frames. The difference"
    )
    note += " is paired: both sides saw the same frames."
    curves = [Line(side.name, _curve(side)) for side in sides]
    return section(
        "Average precision",
        interval_chart("Average precision, %", spans, "% at an overlap of one half"),
        interval_chart("Difference to the reference, points", differences, "points of average precision", marks),
        line_chart("Precision over recall, %", curves, "recall, %", size=(560, 320)),
        note=note,
    )


def _span(side: DetectorSide, colour: int) -> Span:
    one = side.average_precision
    return Span(side.name, 100 * one.low, 100 * one.value, 100 * one.high, ap_words(side), colour)


def _curve(side: DetectorSide) -> tuple[tuple[float, float], ...]:
    """The best precision at each recall that the side reaches, in per cent."""
    curve = side.curve
    falling = np.maximum.accumulate(curve.precision[::-1])[::-1]
    reached = [int(np.searchsorted(curve.recall, recall)) for recall in _RECALLS]
    points = [
        (100 * float(recall), 100 * float(falling[at]))
        for recall, at in zip(_RECALLS, reached, strict=True)
        if at < len(falling)
    ]
    return tuple(points) or ((0.0, 0.0),)


def _made_by(result: DetectorResult) -> Html:
    data = result.data
    pairs: Sequence[tuple[str, str]] = [
        ("Frames", str(data)),
        ("SHA-256 of the frames", tag("code", data.sha256)),
        ("Drawn from", tag("code", data.source_sha256)),
        ("SHA-256 of the gate", tag("code", result.gate.sha256)),
    ]
    sides = [result.reference, *(judged.comparison.candidate for judged in result.candidates)]
    return made_from(pairs, [(side.name, side.kind, side.facts) for side in sides], result.environment)
