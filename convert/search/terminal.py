"""A search for a person at a terminal: the sensitivities, the trials, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator

from convert.parity.terminal import aligned
from convert.parity.verdict import Outcome
from convert.search.attempt import Attempt
from convert.search.result import Search
from convert.search.sensitivity import Sensitivity, most_sensitive_first

__all__ = ["to_text"]

_UNITS = ("", "divergence", "alike", "signal to noise", "of the MACs", "operators")
_TRIALS = ("kept in float32", "bytes", "float MACs", "accuracy", "difference (95 %)", "alike", "|Δp|", "gate")
_UNKNOWN = "–"
_SHOWN = 20
"""Of a table with hundreds of layers, the most sensitive; `search.json` has all."""


def to_text(found: Search) -> str:
    """What `python -m convert search` prints of a search, without the last newline."""
    return "\n".join(_lines(found))


def _lines(found: Search) -> Iterator[str]:
    yield f"{found.faces:,} faces of {found.data.source}, {found.data.split}; gate {found.gate.name}"
    if found.sensitivities:
        yield ""
        yield f"Each alone in int8, on {found.sample} calibration faces:"
        ranked = most_sensitive_first(found.sensitivities)
        total = sum(each.macs for each in ranked)
        yield from aligned([_UNITS, *(_sensitivity(each, total) for each in ranked[:_SHOWN])])
        if len(ranked) > _SHOWN:
            yield f"… and {len(ranked) - _SHOWN} less sensitive ones, in search.json"
    yield ""
    trials = [_trial("everything", found.all_float)]
    trials += [_trial(_kept(each), each) for each in found.attempts]
    yield from aligned([_TRIALS, *trials])
    yield ""
    yield from _conclusion(found)


def _sensitivity(each: Sensitivity, total: int) -> tuple[str, ...]:
    share = f"{100 * each.macs / total:.1f} %" if total else _UNKNOWN
    signal = _UNKNOWN if each.sqnr_db is None else f"{each.sqnr_db:.1f} dB"
    operators = ", ".join(dict.fromkeys(each.kinds))
    if each.divergence is None or each.agreement is None:
        return (each.name, "no int8", _UNKNOWN, signal, share, operators)
    return (each.name, f"{each.divergence:.2e}", f"{100 * each.agreement:.1f} %", signal, share, operators)


def _trial(kept: str, each: Attempt) -> tuple[str, ...]:
    size = _UNKNOWN if each.size_bytes is None else f"{each.size_bytes:,}"
    cost = (kept, size, f"{100 * each.float_macs:.1f} %")
    if each.comparison is None:
        return (*cost, _UNKNOWN, _UNKNOWN, _UNKNOWN, _UNKNOWN, "refused")
    measured, paired = each.comparison, each.comparison.paired
    return (
        *cost,
        f"{100 * measured.candidate.accuracy.value:.2f} %",
        f"{paired.difference:+.2f} ({paired.low:+.2f} to {paired.high:+.2f})",
        f"{100 * measured.agreement.value:.2f} %",
        f"{measured.drift.mean:.4f}",
        {Outcome.PASSED: "passed", Outcome.FAILED: "FAILED"}.get(each.outcome, "?"),
    )


def _kept(each: Attempt) -> str:
    if not each.kept:
        return "nothing (--kind int8)" if each.kind == "int8" else "nothing"
    return (
        each.kept[0]
        if len(each.kept) == 1
        else f"{len(each.kept)}: {', '.join(each.kept[:3])}" + (", …" if len(each.kept) > 3 else "")
    )


def _conclusion(found: Search) -> Iterator[str]:
    best = found.found
    for each in found.attempts:
        if not each.kept and not each.passed and (best is not None or each is not found.nearest):
            yield f"{_kept(each)} in float32: {each.reason}"
    if best is not None and not best.kept:
        yield "nothing needs float32: int8 throughout passes"
    elif best is not None:
        layers = "layer" if len(best.kept) == 1 else "layers"
        yield f"{len(best.kept)} {layers} in float32: {', '.join(best.kept)}"
        yield (
            f"  {best.size_bytes:,} bytes, {100 * best.float_macs:.1f} % of the multiply-accumulates in float32;"
            f" all in float32 takes {found.all_float.size_bytes:,} bytes"
        )
    else:
        yield f"nothing passes; with {_kept(found.nearest)} in float32: {found.nearest.reason}"
        yield from _all_float(found.all_float)
        return
    yield f"chosen among {len(found.attempts)} trials on {found.data.split}: the figures of that split flatter it a little"


def _all_float(attempt: Attempt) -> Iterator[str]:
    if attempt.comparison is not None:
        accuracy = attempt.comparison.candidate.accuracy.value
        said = "passes" if attempt.passed else attempt.reason
        yield f"  all in float32: {100 * accuracy:.2f} % accuracy, {attempt.size_bytes:,} bytes; {said}"
