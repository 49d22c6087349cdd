"""Weighs the ranges of a candidate's integers: one that is too narrow was clipped, several that fit no face were calibrated
on something else.

Where the report holds the tensors in float32 they are the measure: what lies upstream moves them not at all. Otherwise
what piles up at the ends of the candidate's own ranges is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from convert.explain.cause import Cause, percent
from convert.explain.report import Signal
from convert.parity.evidence import Ranges

__all__ = ["weigh_ranges"]

CUT, CUT_FLOAT = 0.05, 0.005
"""Shares of values at the end of a range, and beyond it in float32. Calibrated ranges are the widest of some hundred faces:
next to nothing lies there, but for some per cent of a few logits where calibration had few faces."""
NARROW = 1.5
"""Float values span so many times the range: chance does not reach so far beyond some hundred faces."""
ALONE = 3.0
"""One tensor was clipped by itself if it is cut off so many times as much as the next one."""
STANDS_OUT = 1.7
"""And if it is so much too narrow, measured by how well the others fit: where all are wrong one of them is the worst."""
UNUSED = 0.5
"""Of calibrated ranges faces use most, up to all; where they use less than half, a bit is lost."""
_NAMED = 6
_CALIBRATED_LEAST = 3


@dataclass(frozen=True)
class _Fit:
    """One calibrated tensor: its share cut off, its values' reach over its range's, and the share of the range they use."""

    name: str
    cut: float
    reach: float
    used: float
    said: str


def weigh_ranges(probe: Ranges, signals: tuple[Signal, ...]) -> Iterator[Cause]:
    """The cause that the ranges speak for, if any."""
    floats = _from_floats(probe, signals)
    fits = floats or _from_integers(probe)
    narrow = sorted((fit for fit in fits if fit.cut > 0), key=lambda fit: -fit.reach)
    # In the candidate's own integers all shrinks that lies behind a clipped tensor: only those before it tell.
    if narrow and _alone(narrow, fits if floats else fits[: fits.index(narrow[0])]):
        yield _clipped(narrow[0], len(fits))
        return
    used = median(fit.used for fit in fits) if len(fits) >= _CALIBRATED_LEAST else 1.0
    wide = used < UNUSED
    if not narrow and not wide:
        return
    evidence, likelihood = [], 0.0
    if narrow:
        likelihood = 0.55 + 0.4 * min(1.0, len(narrow) / max(3.0, 0.3 * len(fits)))
        named = "; ".join(f"{fit.name}, {fit.said}" for fit in narrow[:_NAMED])
        evidence.append(
            f"{len(narrow)} of {len(fits)} calibrated activation tensors are cut off by their ranges: {named}."
        )
    if wide or narrow:
        evidence.append(
            f"Of the ranges of {len(fits)} calibrated activation tensors faces use {percent(used)}, in the median."
        )
    if wide:
        likelihood = max(likelihood, 0.55 + 0.35 * (1 - used / UNUSED))
    yield Cause(
        "calibration",
        "It was calibrated on something else than faces",
        likelihood,
        tuple(evidence),
        "convert it again with --calibration: faces of the training split, at least 200, in the model's own illumination",
    )


def _alone(narrow: list[_Fit], others: list[_Fit]) -> bool:
    worst = narrow[0]
    if len(narrow) > 1 and worst.reach < ALONE * narrow[1].reach:
        return False
    return worst.reach * median([fit.used for fit in others if fit is not worst] or [1.0]) >= STANDS_OUT


def _clipped(worst: _Fit, tensors: int) -> Cause:
    return Cause(
        "clipped range",
        "The range of one activation is too narrow",
        0.6 + 0.35 * min(1.0, worst.cut / 0.1),
        (
            f"{worst.name} is cut off, {worst.said}; no other of {tensors} calibrated activation tensors comes near that.",
        ),
        "calibrate that tensor again, or keep its layer in float with a mixed-precision recipe",
    )


def _from_floats(probe: Ranges, signals: tuple[Signal, ...]) -> list[_Fit]:
    """By the tensors in float32, where the report has them."""
    calibrated = {each.name for each in probe.tensors if each.calibrated}
    fits = []
    for each in signals:
        if each.tensor not in calibrated or each.least is None or each.most is None or each.most <= each.least:
            continue
        span = each.most - each.least
        reach = 1 + max(0.0, each.high - each.most, each.least - each.low) / span
        inside = max(0.0, min(each.high, each.most) - max(each.low, each.least))
        cut = each.clipped if each.clipped >= CUT_FLOAT and reach >= NARROW else 0.0
        said = f"{each.least:.4g} to {each.most:.4g} where {percent(each.clipped)} of the values of the reference, from"
        said += f" {each.low:.4g} to {each.high:.4g}, lie beyond"
        fits.append(_Fit(each.tensor, cut, reach, inside / span, said))
    return fits


def _from_integers(probe: Ranges) -> list[_Fit]:
    """By what lies at the ends of the candidate's own ranges. How far beyond it would reach is not known: by the share."""
    fits = []
    for each in probe.tensors:
        if each.calibrated:
            cut = each.saturated if each.saturated >= CUT else 0.0
            said = f"{each.low:.4g} to {each.high:.4g}, with {percent(each.saturated)} of its values at the end"
            fits.append(_Fit(each.name, cut, 1 + 20 * cut, each.used, said))
    return fits
