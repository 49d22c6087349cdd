"""What a candidate costs beside its reference, and what the whole page was made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from convert.parity.answers import ModelFacts
from convert.parity.result import Judged, ParityResult
from convert.parity.words import UNKNOWN, count_words, ms_words, times_words
from edge_runtime.pages import Html, facts, section, tag, wide

__all__ = ["candidate_cost", "cost", "made_by", "made_from"]


def candidate_cost(judged: Judged) -> Html:
    """Size, multiply-accumulates, latency and arithmetic of both sides."""
    comparison = judged.comparison
    sides = [(side.name, side.facts) for side in (comparison.reference, comparison.candidate)]
    return cost(sides, comparison.size_ratio, comparison.latency_ratio)


def cost(
    sides: Sequence[tuple[str, ModelFacts]], size_ratio: float | None, latency_ratio: float | None, what: str = "face"
) -> Html:
    """The same for the names and facts of two sides, the reference first; one `what` is what they answer."""
    one, other = (facts for _, facts in sides)
    macs = None if one.macs is None or other.macs is None else other.macs / one.macs
    rows = (
        ("Arithmetic", one.arithmetic, other.arithmetic, ""),
        ("Size, bytes", count_words(one.size_bytes), count_words(other.size_bytes), _ratio(size_ratio)),
        ("Multiply-accumulates", count_words(one.macs), count_words(other.macs), _ratio(macs)),
        (f"Latency, one {what}", ms_words(one.latency_ms), ms_words(other.latency_ms), _ratio(latency_ratio)),
    )
    body = [
        tag("tr", tag("th", name, scope="row"), *[tag("td", cell, class_="number") for cell in cells])
        for name, *cells in rows
    ]
    columns = [
        tag("th", name, scope="col", class_="number")
        for name in (*(name for name, _ in sides), "Candidate over reference")
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
    sides = [result.reference, *(judged.comparison.candidate for judged in result.candidates)]
    return made_from(pairs, [(side.name, side.kind, side.facts) for side in sides], result.environment)


def made_from(
    pairs: Sequence[tuple[str, str]], sides: Sequence[tuple[str, str, ModelFacts]], environment: Mapping[str, str]
) -> Html:
    """The section: what is known of the data, name, kind and facts of each side, and where all ran."""
    known = list(pairs)
    for name, kind, model in sides:
        known.append((name, f"{kind}, {model.arithmetic}"))
        known.append((f"SHA-256 of {name}", tag("code", model.sha256)))
        where = ", ".join(f"{key} {value}" for key, value in sorted(model.environment.items()))
        known.append((f"{name} ran in", where or UNKNOWN))
    known += list(environment.items())
    return section("Made from", facts(*known), note="Enough to do it again.")


def _ratio(ratio: float | None) -> str:
    return "" if ratio is None else times_words(ratio)
