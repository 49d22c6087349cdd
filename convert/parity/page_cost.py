"""What a candidate costs beside its reference, and what the whole page was made from."""

from __future__ import annotations

from convert.parity.result import Judged, ParityResult
from convert.parity.words import UNKNOWN, count_words, ms_words, times_words
from edge_runtime.pages import Html, facts, section, tag, wide

__all__ = ["candidate_cost", "made_by"]


def candidate_cost(judged: Judged) -> Html:
    """Size, multiply-accumulates, latency and arithmetic of both sides."""
    comparison = judged.comparison
    one, other = comparison.reference.facts, comparison.candidate.facts
    macs = None if one.macs is None or other.macs is None else other.macs / one.macs
    rows = (
        ("Arithmetic", one.arithmetic, other.arithmetic, ""),
        ("Size, bytes", count_words(one.size_bytes), count_words(other.size_bytes), _ratio(comparison.size_ratio)),
        ("Multiply-accumulates", count_words(one.macs), count_words(other.macs), _ratio(macs)),
        ("Latency, one face", ms_words(one.latency_ms), ms_words(other.latency_ms), _ratio(comparison.latency_ratio)),
    )
    body = [
        tag("tr", tag("th", name, scope="row"), *[tag("td", cell, class_="number") for cell in cells])
        for name, *cells in rows
    ]
    columns = [
        tag("th", name, scope="col", class_="number")
        for name in (comparison.reference.name, comparison.candidate.name, "Candidate over reference")
    ]
    table = tag("table", tag("thead", tag("tr", tag("th", "", scope="col"), *columns)), tag("tbody", *body))
    note = "Latencies are compared only where both were measured on one machine."
    return section("Cost", wide(table, "Size and latency"), note=note)


def made_by(result: ParityResult) -> Html:
    """Hashes of everything that was compared, and where."""
    data = result.data
    pairs: list[tuple[str, str]] = [
        ("Data", f"{data.source}, {data.split}, preprocessing version {data.preprocess}"),
        ("SHA-256 of the faces", tag("code", data.sha256)),
        ("SHA-256 of the gate", tag("code", result.gate.sha256)),
    ]
    for side in (result.reference, *(judged.comparison.candidate for judged in result.candidates)):
        pairs.append((side.name, f"{side.kind}, {side.facts.arithmetic}"))
        pairs.append((f"SHA-256 of {side.name}", tag("code", side.facts.sha256)))
        known = ", ".join(f"{name} {value}" for name, value in sorted(side.facts.environment.items()))
        pairs.append((f"{side.name} ran in", known or UNKNOWN))
    pairs += [(name, value) for name, value in result.environment.items()]
    return section("Made from", facts(*pairs), note="Enough to do it again.")


def _ratio(ratio: float | None) -> str:
    return "" if ratio is None else times_words(ratio)
