"""The head of a parity page: what was decided, why, and what is likely the matter."""

from __future__ import annotations

from collections.abc import Sequence

from convert.explain.cause import Cause
from convert.explain.causes import likely_causes
from convert.explain.report import as_report
from convert.parity.result import Judged, ParityResult
from convert.parity.verdict import Outcome, Verdict
from convert.parity.words import UNKNOWN, times_words
from edge_runtime.pages import Html, counted, section, tag, wide

__all__ = ["broken_lines", "causes", "head", "sign"]

_LOOKS = {
    Outcome.PASSED: ("passed", "✓"),
    Outcome.FAILED: ("failed", "✕"),
    Outcome.NOT_JUDGED: ("unjudged", "?"),
    Outcome.OFF: ("off", "–"),
}
_MOST_CAUSES = 3


def sign(outcome: Outcome, element: str = "span", class_: str = "") -> Html:
    """An outcome as a sign, words and a colour: any one of them may be missed."""
    look, mark = _LOOKS[outcome]
    words = outcome.value if element == "span" else outcome.value.capitalize()
    return tag(
        element,
        tag("span", mark, class_="sign", aria_hidden="true"),
        words,
        class_=" ".join(filter(None, (class_, look))),
    )


def head(result: ParityResult) -> Html:
    """The verdict, the lines that broke, and a table where there are several candidates."""
    names = [judged.name for judged in result.candidates]
    compared = names[0] if len(names) == 1 else f"{len(names)} candidates"
    data = result.data
    left_out = f", {counted(result.left_out)} without a label left out" if result.left_out else ""
    words = (
        f"{counted(result.faces)} faces of {data.source}, {data.split}{left_out};"
        f" judged by the gate {result.gate.name}, with intervals of 95 %."
    )
    pieces = [
        tag("p", "fer-edge, a parity report", class_="eyebrow"),
        tag("h1", f"{compared} against {result.reference.name}"),
        tag("div", sign(result.outcome, "p", "verdict"), tag("p", words, class_="note"), class_="hero"),
    ]
    for judged in result.candidates:
        pieces += _reasons(judged, alone=len(names) == 1)
    pieces += [
        tag("p", f"{refused.name} could not be compared: {refused.reason}.", class_="warning")
        for refused in result.refused
    ]
    if len(names) > 1:
        pieces.append(tag("div", _overview(result), class_="sheet"))
    else:
        pieces.append(_stats(result.candidates[0]))
    return tag("header", *pieces)


def _reasons(judged: Judged, alone: bool) -> list[Html]:
    """The lines of the gate that did not pass, in words, the failed ones first."""
    only = judged.comparison.candidate.only_answer
    more = [] if only is None else [f"{judged.name} answers {only} for every face."]
    return broken_lines(judged.verdict, alone, more)


def broken_lines(verdict: Verdict, alone: bool, more: Sequence[str] = ()) -> list[Html]:
    """The lines that did not pass and `more` that is wrong, as a list; under the candidate's name where it is not alone."""
    items = []
    for outcome in (Outcome.FAILED, Outcome.NOT_JUDGED):
        for line in verdict.lines:
            if line.outcome is outcome:
                text = line.text if alone else f"{verdict.candidate}: {line.text}"
                items.append(tag("li", tag("span", f"{text}."), class_=_LOOKS[outcome][0]))
    items += [tag("li", tag("span", text), class_="failed") for text in more]
    return [tag("ul", *items, class_="reasons")] if items else []


def _stats(judged: Judged) -> Html:
    comparison = judged.comparison
    one, other, paired = comparison.reference.accuracy, comparison.candidate.accuracy, comparison.paired
    flips = f"{counted(comparison.flipped('lost'))} lost, {counted(comparison.flipped('won'))} won"
    stats = [
        ("Accuracy", f"{100 * other.value:.2f} %", f"{other.interval}; the reference {100 * one.value:.2f} %"),
        ("Difference", f"{paired.difference:+.2f}", f"points; {paired.low:+.2f} to {paired.high:+.2f}"),
        (
            "Answered alike",
            f"{100 * comparison.agreement.value:.2f} %",
            f"of the faces; {comparison.agreement.interval}",
        ),
        ("Flipped faces", counted(len(comparison.flips)), f"{flips}, the others wrong before and after"),
        ("McNemar’s exact p", f"{paired.p_value:.3g}", "how often chance alone splits them so unevenly"),
        ("Mean |Δp|", f"{comparison.drift.mean:.4f}", f"the largest {comparison.drift.largest:.3f}"),
        ("Size", times_words(comparison.size_ratio), "of the reference’s file"),
        ("Latency", times_words(comparison.latency_ratio), "of the reference’s, one face, one machine"),
    ]
    pairs = [tag("div", tag("dt", name), tag("dd", value, tag("small", note))) for name, value, note in stats]
    return tag("dl", *pairs, class_="stats")


def _overview(result: ParityResult) -> Html:
    rows = []
    for judged in result.candidates:
        comparison, paired = judged.comparison, judged.comparison.paired
        cells = (
            f"{100 * comparison.candidate.accuracy.value:.2f} %",
            f"{paired.difference:+.2f} ({paired.low:+.2f} to {paired.high:+.2f})",
            f"{100 * comparison.agreement.value:.2f} %",
            times_words(comparison.size_ratio).replace(UNKNOWN, "–"),
            times_words(comparison.latency_ratio).replace(UNKNOWN, "–"),
        )
        numbers = [tag("td", cell, class_="number") for cell in cells]
        rows.append(tag("tr", tag("th", judged.name, scope="row"), tag("td", sign(judged.verdict.outcome)), *numbers))
    names = ("Accuracy", "Difference, points", "Answered alike", "Size", "Latency")
    columns = [tag("th", name, scope="col", class_="number") for name in names]
    top = tag("tr", tag("th", "Candidate", scope="col"), tag("th", "Verdict", scope="col"), *columns)
    return wide(tag("table", tag("thead", top), tag("tbody", *rows)), "All candidates")


def causes(result: ParityResult) -> list[Html]:
    """What `python -m convert explain` says of the candidates that failed."""
    parts = []
    for candidate in as_report(result).candidates:
        found = likely_causes(candidate) if candidate.outcome is Outcome.FAILED else ()
        if found:
            title = "Likely causes" if len(result.candidates) == 1 else f"Likely causes: {candidate.name}"
            told = tag("ol", *map(_cause, found[:_MOST_CAUSES]))
            parts.append(section(title, told, note="By the evidence in the report, the best supported first."))
    return parts


def _cause(cause: Cause) -> Html:
    title = tag("p", tag("strong", cause.title), f" – {cause.likely}")
    return tag(
        "li", title, *[tag("p", text) for text in cause.evidence], tag("p", f"To do: {cause.mend}.", class_="note")
    )
