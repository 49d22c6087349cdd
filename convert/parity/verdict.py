"""Whether a candidate passes a gate, line by line.

A line is **passed**, **failed**, or **could not be judged**; one that the gate turns off says so and counts for nothing.
Lines differ in how they treat chance:

- `accuracy_drop_upper_points` is a claim about faces not seen: the upper end of the 95 % interval of the drop must lie
  within the bound. Where it does not, the line failed if the whole interval lies beyond the bound, or if the measured drop
  reaches it on faces enough to have cleared a candidate that loses nothing. Otherwise there are too few faces, and the
  line says about how many it takes, were drop and differing faces to stay in proportion.
- `accuracy_drop_points`, `agreement` and `worst_class_recall_drop_points` are about these faces: the measured figure
  decides. But one face alone must not: a bound of 0.5 points takes 200 faces (100 / 0.5), an agreement of 97 % takes 34, a
  class 34 for 3 points. With fewer, the line failed only if even the kinder end of the 95 % interval breaks the bound. A
  bound of nothing at all (0 points, an agreement of 1) is a count, and is judged on however many faces there are.
- A class with fewer faces than that, or than `class_least_faces`, is small. No interval is asked of the others: at
  FER2013's 56 faces of disgust none could show 3 points, and a face is 1.8 of them, so one lost face passes and two fail.
- drift, latency and size are compared as they are. A latency or size that is not known cannot be judged.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from convert.parity.gate import CANNOT_JUDGE, LINES, OFF, Gate
from convert.parity.measures import Comparison
from convert.parity.recalls import ClassChange
from convert.parity.shares import Share

__all__ = [
    "EPSILON",
    "Line",
    "Outcome",
    "Verdict",
    "compared",
    "judge",
    "judge_agreement",
    "judge_plain",
    "overall_outcome",
    "points",
    "resolving",
    "too_few",
    "worst_outcome",
]

EPSILON = 1e-9
"""Rounding of a quotient must not fail a figure that equals its bound."""


class Outcome(enum.Enum):
    """Of a line, a candidate, or all of them."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_JUDGED = "could not be judged"
    OFF = "off"

    @property
    def exit_code(self) -> int:
        """0, 1 or 2; of a verdict, which is never `OFF`."""
        return {Outcome.PASSED: 0, Outcome.FAILED: 1, Outcome.NOT_JUDGED: 2}[self]


@dataclass(frozen=True)
class Line:
    """One line of a gate, judged on one candidate.

    Attributes:
        key: of the gate.
        outcome: of this line.
        measured: None where it is not known, or off.
        allowed: the threshold; None where it is off.
        excess: by how much the bound is broken, in the unit of the line; None unless it failed.
        faces_needed: about how many faces would allow a judgement, where there are too few.
        text: the whole of it in words.
    """

    key: str
    outcome: Outcome
    measured: float | None
    allowed: float | None
    excess: float | None
    faces_needed: int | None
    text: str

    def as_json(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "outcome": self.outcome.value,
            "measured": self.measured,
            "allowed": OFF if self.allowed is None else self.allowed,
            "excess": self.excess,
            "faces_needed": self.faces_needed,
            "text": self.text,
        }


@dataclass(frozen=True)
class Verdict:
    """Every line of a gate, in the gate's order."""

    candidate: str
    lines: tuple[Line, ...]

    @property
    def outcome(self) -> Outcome:
        return worst_outcome([line.outcome for line in self.lines])

    def as_json(self) -> dict[str, Any]:
        return {"outcome": self.outcome.value, "lines": [line.as_json() for line in self.lines]}


def overall_outcome(verdicts: Sequence[Verdict], refused: int) -> Outcome:
    """The worst of the candidates'; each of those that were refused could not be judged."""
    return worst_outcome([verdict.outcome for verdict in verdicts] + [Outcome.NOT_JUDGED] * refused)


def worst_outcome(outcomes: list[Outcome]) -> Outcome:
    """Failed if any failed: what is known to be bad stays so, whatever else is unknown. Then not judged, then passed.

    Raises:
        ValueError: nothing was judged at all.
    """
    judged = [outcome for outcome in outcomes if outcome is not Outcome.OFF]
    if not judged:
        raise ValueError("no outcome but 'off': expected at least one line that is judged")
    for outcome in (Outcome.FAILED, Outcome.NOT_JUDGED):
        if outcome in judged:
            return outcome
    return Outcome.PASSED


def judge(gate: Gate, comparison: Comparison) -> Verdict:
    """Judges a candidate by every line of a gate."""
    return Verdict(comparison.candidate.name, tuple(_judge(gate, comparison, key) for key in LINES))


def _judge(gate: Gate, comparison: Comparison, key: str) -> Line:
    allowed = gate.allowed(key)
    if allowed is None:
        return Line(key, Outcome.OFF, None, None, None, None, f"{key}: off in the gate, not judged")
    if key == "accuracy_drop_points":
        return _accuracy_drop(comparison, allowed)
    if key == "accuracy_drop_upper_points":
        return _accuracy_drop_upper(comparison, allowed)
    if key == "agreement":
        return judge_agreement(comparison.agreement, allowed)
    if key == "worst_class_recall_drop_points":
        return _worst_class(gate, comparison, allowed)
    return _plain(comparison, key, allowed)


def _accuracy_drop(comparison: Comparison, allowed: float) -> Line:
    key, paired = "accuracy_drop_points", comparison.paired
    said = f"{key}: a drop of {paired.drop:.2f} points measured, {allowed:g} allowed"
    needed = resolving(allowed)
    if paired.faces >= needed or paired.drop_lower > allowed + EPSILON:
        return compared(key, paired.drop, allowed, said, points)
    return too_few(key, paired.drop, allowed, said, paired.faces, needed, "one alone must not decide")


def _accuracy_drop_upper(comparison: Comparison, allowed: float) -> Line:
    key, paired = "accuracy_drop_upper_points", comparison.paired
    upper, drop = paired.drop_upper, paired.drop
    said = f"{key}: a drop of {paired.drop_lower:.2f} to {upper:.2f} points at 95 %, up to {allowed:g} allowed"
    for_a_lossless_one = paired.faces_needed(allowed, 0.0)
    beyond = drop >= allowed - EPSILON
    enough = for_a_lossless_one is not None and paired.faces >= for_a_lossless_one
    if upper <= allowed + EPSILON or paired.drop_lower > allowed + EPSILON or (beyond and enough):
        return compared(key, upper, allowed, said, points)
    needed = for_a_lossless_one if beyond else paired.faces_needed(allowed)
    if needed is None:
        text = f"{said}: could not be judged, no number of faces shows a drop of {drop:.2f} to be at most {allowed:g}"
        return Line(key, Outcome.NOT_JUDGED, upper, allowed, None, None, text)
    why = "were the candidate to lose nothing" if beyond else "at this drop"
    why += f" and {100 * paired.discordance:.2g} % of faces that one side alone names rightly"
    return too_few(key, upper, allowed, said, paired.faces, max(needed, paired.faces + 1), why)


def judge_agreement(share: Share, asked: float, alike: str = "the faces answered alike") -> Line:
    """Judges the line "agreement" on a share of faces; `alike` says in words of which."""
    key = "agreement"
    said = f"{key}: {100 * share.value:.2f} % of {alike}, at least {100 * asked:g} % asked"
    needed = resolving(100 * (1 - asked))
    if share.faces < needed and share.interval.high >= asked - EPSILON:
        return too_few(key, share.value, asked, said, share.faces, needed, "one alone must not decide")
    short = asked - share.value
    if short > EPSILON:
        text = f"{said}: failed, short by {points(100 * short)}"
        return Line(key, Outcome.FAILED, share.value, asked, short, None, text)
    return Line(key, Outcome.PASSED, share.value, asked, None, None, f"{said}: passed")


def _worst_class(gate: Gate, comparison: Comparison, allowed: float) -> Line:
    key = "worst_class_recall_drop_points"
    needed = max(gate.class_least_faces, resolving(allowed))
    judged = [each for each in comparison.classes if each.faces >= needed]
    small = [each for each in comparison.classes if each.faces < needed]
    few = ", ".join(f"{each.name} {each.faces}" for each in small)
    if gate.small_classes == CANNOT_JUDGE:
        # Known to be bad, small as it is: even the kinder end of its interval breaks the bound.
        judged += [each for each in small if each.paired and each.paired.drop_lower > allowed + EPSILON]
    worst = max(judged, key=lambda each: each.drop, default=None)
    measured = None if worst is None else worst.drop
    said = f"{key}: {_class_text(worst)}, {allowed:g} points allowed"
    failed = measured is not None and measured > allowed + EPSILON
    if not failed and small and (gate.small_classes == CANNOT_JUDGE or worst is None):
        text = f"{said}: could not be judged, too few faces of some classes ({few}); it takes {needed} of each"
        return Line(key, Outcome.NOT_JUDGED, measured, allowed, None, needed, text)
    if small and gate.small_classes != CANNOT_JUDGE:
        said += f" (left out with fewer than {needed} faces: {few})"
    # Every gate has classes: either one was judged, or all of them are small and the line above has answered.
    assert measured is not None
    return compared(key, measured, allowed, said, points)


def _class_text(worst: ClassChange | None) -> str:
    if worst is None or worst.paired is None:
        return "no class has faces enough"
    drop, step = worst.paired.drop, 100 / worst.faces
    of = f"of {worst.faces} faces, each {step:.2g} points" if worst.faces > 1 else "of one face"
    return f"{worst.name} loses most, {drop:.2f} points of recall measured ({of})"


def _plain(comparison: Comparison, key: str, allowed: float) -> Line:
    """Drift, latency and size."""
    size = comparison.candidate.facts.size_bytes
    measured, unknown = {
        "mean_drift": (comparison.drift.mean, ""),
        "max_drift": (comparison.drift.largest, ""),
        "latency_ratio": (comparison.latency_ratio, "the latency of both sides on one machine is not known"),
        "size_ratio": (comparison.size_ratio, "the size of both sides is not known"),
        "size_bytes": (None if size is None else float(size), "the candidate's size is not known"),
    }[key]
    return judge_plain(key, measured, allowed, unknown)


def judge_plain(key: str, measured: float | None, allowed: float, unknown: str) -> Line:
    """Judges a figure as it is; where it is not known, `unknown` says why."""
    if measured is None:
        text = f"{key}: could not be judged, {unknown}; {allowed:g} allowed"
        return Line(key, Outcome.NOT_JUDGED, None, allowed, None, None, text)
    form = in_bytes if key == "size_bytes" else figure
    return compared(key, measured, allowed, f"{key}: {form(measured)} measured, {form(allowed)} allowed", form)


def compared(key: str, measured: float, allowed: float, said: str, form: Callable[[float], str]) -> Line:
    """Passed where the measured figure keeps its bound, else failed; `form` writes by how much."""
    excess = measured - allowed
    if excess > EPSILON:
        return Line(key, Outcome.FAILED, measured, allowed, excess, None, f"{said}: failed, over by {form(excess)}")
    return Line(key, Outcome.PASSED, measured, allowed, None, None, f"{said}: passed")


def too_few(key: str, measured: float, allowed: float, said: str, faces: int, needed: int, why: str) -> Line:
    """Not judged, as it takes about `needed` faces."""
    text = f"{said}: could not be judged, {faces:,} faces are too few; it takes about {needed:,} ({why})"
    return Line(key, Outcome.NOT_JUDGED, measured, allowed, None, needed, text)


def resolving(points: float) -> int:
    """The fewest faces of which one is no more than `points`; 1 where the bound is nothing at all."""
    return 1 if points <= EPSILON else math.ceil(100 / points - EPSILON)


def in_bytes(value: float) -> str:
    """A number of bytes in words, as the next two write other figures."""
    return f"{value:,.0f}"


def figure(value: float) -> str:
    return f"{value:.4g}"


def points(value: float) -> str:
    return f"{value:.2f} points"
