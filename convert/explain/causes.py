"""Weighs the evidence about one candidate: likely causes, the best supported first.

A cause that undoing mends (labels, colours, scale) is as likely as the share of the disagreement that is gone once it is
undone. Weights that are all zero are a fact of the file. `misfits` weighs the ranges of the integers.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from convert.explain.cause import Cause, percent
from convert.explain.misfits import weigh_ranges
from convert.explain.report import Reported
from convert.parity.evidence import (
    ColourOrder,
    InputScale,
    LabelOrder,
    Match,
    Ranges,
    Skipped,
    ZeroWeights,
)
from convert.parity.verdict import Outcome

__all__ = ["Cause", "likely_causes"]

RESTORED = 0.5
"""Undoing a cause must undo at least this share of the disagreement."""
FALL_DB, NOISY_DB = 10.0, 15.0
"""A layer loses the signal where it falls by so much, and to so little: the first layers fall from far above."""
BUDGETS = ("latency_ratio", "size_ratio", "size_bytes")
_NAMED = 6


def likely_causes(candidate: Reported) -> tuple[Cause, ...]:
    """Causes of a failed or unjudged candidate, the likeliest first; none for one that passed."""
    if candidate.outcome is Outcome.PASSED:
        return ()
    found = [*_from_probes(candidate), *_from_lines(candidate)]
    if not any(cause.likelihood >= RESTORED for cause in found):
        found += _from_signals(candidate)
    if not found:
        found += _rounding(candidate)
    return tuple(sorted(found, key=lambda cause: -cause.likelihood))


def _from_probes(candidate: Reported) -> Iterator[Cause]:
    if candidate.outcome is not Outcome.FAILED:
        return
    for probe in candidate.probes:
        match probe:
            case LabelOrder():
                yield from _label_order(probe, candidate.labels)
            case ColourOrder():
                yield from _colour_order(probe)
            case InputScale():
                yield from _input_scale(probe)
            case ZeroWeights():
                yield from _zero_weights(probe, candidate.only_answer)
            case Ranges():
                yield from weigh_ranges(probe, candidate.signals)
            case Skipped():
                pass


def _label_order(probe: LabelOrder, labels: tuple[str, ...]) -> Iterator[Cause]:
    moved = [at for at, output in enumerate(probe.order) if at != output]
    restored = probe.plain.restored(probe.reordered)
    if not moved or restored < RESTORED:
        return
    said = [f"output {probe.order[at]} ({labels[probe.order[at]]}) answers {labels[at]}" for at in moved]
    right = ", ".join(labels[probe.order.index(output)] for output in range(len(probe.order)))
    yield Cause(
        "label order",
        "Its labels stand in another order",
        restored,
        (_mended(probe.plain, probe.reordered, "with its outputs reordered"), f"Moved: {'; '.join(said)}."),
        f"name the label set that the model was trained with; by its answers its outputs are {right}",
    )


def _colour_order(probe: ColourOrder) -> Iterator[Cause]:
    restored = probe.plain.restored(probe.swapped)
    if restored >= RESTORED:
        yield Cause(
            "colour order",
            "It takes red for blue",
            restored,
            (_mended(probe.plain, probe.swapped, "on faces with red and blue swapped"),),
            "crops are BGR: let the model's first layer reverse them if its weights want RGB, and convert it again",
        )


def _input_scale(probe: InputScale) -> Iterator[Cause]:
    evidence, likelihood = [], 0.0
    best = max(probe.fed, key=lambda fed: probe.plain.restored(fed.match), default=None)
    if best is not None and probe.plain.restored(best.match) >= RESTORED:
        likelihood = probe.plain.restored(best.match)
        evidence.append(
            f"The reference answers as the candidate does when its pixels are {best.scaling}: alike on"
            f" {percent(best.match.agreement)} of {probe.faces} faces instead of {percent(probe.plain.agreement)}."
        )
    if evidence and probe.spread_candidate < 0.2 * probe.spread_reference:
        evidence.append(
            f"Its answers hardly move from face to face: by {probe.spread_candidate:.4f} where the reference's move by"
            f" {probe.spread_reference:.4f}."
        )
    if evidence:
        multiplied = best is not None and best.scaling.startswith("multiplied")
        yield Cause(
            "input scale",
            "Its inputs are not scaled at all" if multiplied else "Its inputs are scaled twice",
            likelihood,
            tuple(evidence),
            "pixels enter as 0 to 255 and the model's own Rescaling layer scales them, once: leave other scaling out,"
            " and calibrate with pixels from 0 to 255",
        )


def _zero_weights(probe: ZeroWeights, only_answer: str | None) -> Iterator[Cause]:
    if not probe.layers:
        return
    evidence = [f"All weights are zero in {_listed(probe.layers)} ({len(probe.layers)} of {probe.weights} layers)."]
    if only_answer is not None:
        evidence.append(f"It answers {only_answer} for every face.")
    yield Cause(
        "zero weights",
        "A layer's weights are zero" if len(probe.layers) == 1 else "Layers' weights are zero",
        0.97,
        tuple(evidence),
        "convert the trained model again; if its weights are zero there too, train it again from that layer's start",
    )


def _from_lines(candidate: Reported) -> Iterator[Cause]:
    """What the gate itself says: too large or slow, or too few faces to tell."""
    failed = [line for line in candidate.lines if line.outcome is Outcome.FAILED]
    budgets = [line for line in failed if line.key in BUDGETS]
    if budgets:
        yield Cause(
            "budget",
            "It is larger or slower than the gate allows",
            1.0 if len(budgets) == len(failed) else 0.3,
            tuple(f"{line.text}." for line in budgets),
            "take a narrower net or cheaper arithmetic, or allow more in the gate",
        )
    unjudged = [line for line in candidate.lines if line.outcome is Outcome.NOT_JUDGED]
    if unjudged and not failed:
        yield Cause(
            "not judged",
            "The report does not hold enough to judge it",
            1.0,
            tuple(f"{line.text}." for line in unjudged),
            "give more faces, or what the line names as not known",
        )


def _from_signals(candidate: Reported) -> Iterator[Cause]:
    """A step down of the signal-to-noise along the net that no other tensor comes near."""
    if candidate.outcome is not Outcome.FAILED:
        return
    known = [(each.tensor, each.decibels) for each in candidate.signals if each.decibels is not None]
    steps = [(before[1] - after[1], after) for before, after in pairwise(known) if after[1] <= NOISY_DB]
    step, (name, decibels) = max(steps, key=lambda each: each[0], default=(0.0, ("", 0.0)))
    if step >= FALL_DB:
        yield Cause(
            "worst layer",
            "One layer loses most of the signal",
            0.45,
            (f"Signal to noise falls by {step:.0f} dB at {name}, to {decibels:.0f} dB.",),
            "keep that layer in float with a mixed-precision recipe, and look at its weights and range",
        )


def _rounding(candidate: Reported) -> Iterator[Cause]:
    """Nothing is broken, and integers are coarser than floats."""
    ranges = [probe for probe in candidate.probes if isinstance(probe, Ranges)]
    if candidate.outcome is Outcome.FAILED and ranges and candidate.agreement >= 0.8:
        yield Cause(
            "rounding",
            f"Nothing is broken: {candidate.arithmetic} is too coarse for this net",
            0.3,
            (
                f"It agrees with the reference on {percent(candidate.agreement)} of the faces; labels are in order, no"
                f" weights are zero, and none of {len(ranges[0].tensors)} activation tensors is cut off.",
            ),
            "keep the most sensitive layers in float with a mixed-precision recipe, or train with quantization in mind",
        )


def _mended(plain: Match, after: Match, how: str) -> str:
    return (
        f"{how[0].upper()}{how[1:]} it agrees with the reference on {percent(after.agreement)} of the faces instead of"
        f" {percent(plain.agreement)}."
    )


def _listed(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
