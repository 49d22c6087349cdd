"""Two machines' answers for the same faces, stage by stage: the same bits, the same decisions, or how far apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boards.trial import Answer

__all__ = ["FLOAT_TOLERANCE", "SOFTMAX_STEPS", "Comparison", "Difference", "compare", "difference"]

FLOAT_TOLERANCE = 1e-4
"""By which a float32 bundle's numbers may differ between processors, whose fused operations round otherwise."""

SOFTMAX_STEPS = 1
"""Stored steps by which an int8 answer may differ where all before the softmax is bit-exact: TensorFlow Lite computes the
softmax of integers with a table of 16 bits on aarch64, and with one of floats elsewhere."""

_CROP_LEVELS = 1
"""As `edge_runtime.golden.CROP_TOLERANCE`."""


@dataclass(frozen=True)
class Difference:
    """Of how many faces any bit differs, and by how much at most."""

    faces: int
    most: float


NOTHING = Difference(0, 0.0)


@dataclass(frozen=True)
class Comparison:
    """A bundle's answers beside those of the reference machine.

    Attributes:
        name, arithmetic, shipped: of the bundle.
        selftest: the line of its self-test there; `passed`: whether that passed.
        faces: how many were answered by both; 0 of a detector.
        crops: pixels, as each machine cuts them, in grey levels.
        logits, answers: for the reference's crops: what the last softmax reads and gives, in stored steps.
        record: probabilities of `fer-edge record`, 0..1: all stages together.
        decisions: faces whose most probable label is another in the record.
    """

    name: str
    arithmetic: str
    shipped: bool
    selftest: str
    passed: bool
    faces: int
    crops: Difference
    logits: Difference
    answers: Difference
    record: Difference
    decisions: int

    @property
    def exact(self) -> bool:
        """No bit of any stage differs."""
        return bool(self.faces) and not (
            self.crops.faces or self.logits.faces or self.answers.faces or self.record.faces
        )

    @property
    def agrees(self) -> bool:
        """As its arithmetic promises: int8 to the last bit before the softmax and within SOFTMAX_STEPS behind it, others
        within FLOAT_TOLERANCE; crops within a grey level, the same decisions, and the self-test passes there."""
        if not self.faces or not self.passed or self.decisions or self.crops.most > _CROP_LEVELS:
            return self.passed and not self.faces
        if self.arithmetic == "int8":
            return not self.logits.faces and self.answers.most <= SOFTMAX_STEPS
        return self.answers.most <= FLOAT_TOLERANCE

    @property
    def verdict(self) -> str:
        """In a few words."""
        if not self.faces:
            return "self-test passed" if self.agrees else "FAILED"
        failed = "" if self.agrees else "FAILED: "
        if self.exact:
            return f"{failed}bit-exact"
        parts = []
        if self.crops.faces:
            parts.append(f"crops by {self.crops.most:g} level")
        if self.logits.faces:
            parts.append("arithmetic")
        elif self.answers.faces:
            parts.append(f"the softmax by {self.answers.most:g} step")
        if self.decisions:
            parts.append(f"{self.decisions} labels")
        return f"{failed}differs in {', '.join(parts) or 'the record'}"


def compare(answer: Answer, reference: Answer) -> Comparison:
    """An answer beside the reference machine's to the same bundle and faces."""
    subject = answer.subject
    ours, theirs = answer.stages, reference.stages
    passed = answer.passed and reference.passed
    about = (subject.name, subject.arithmetic, subject.shipped, answer.selftest)
    if ours is None or theirs is None or answer.probabilities is None or reference.probabilities is None:
        # A detector has its self-test alone, which integers pass to the last bit; a classifier without answers has failed.
        alike = subject.arithmetic != "int8" or answer.selftest == reference.selftest
        return Comparison(*about, passed and subject.detector and alike, 0, NOTHING, NOTHING, NOTHING, NOTHING, 0)
    here, there = answer.probabilities, reference.probabilities
    decisions = len(there)
    if here.shape == there.shape:
        decisions = int((here.argmax(axis=1) != there.argmax(axis=1)).sum())
    return Comparison(
        *about,
        passed,
        len(there),
        difference(ours.crops, theirs.crops),
        difference(ours.logits, theirs.logits),
        difference(ours.answers, theirs.answers),
        difference(here, there),
        decisions,
    )


def difference(one: NDArray[Any], other: NDArray[Any]) -> Difference:
    """Between two arrays (N, …) of numbers; all faces, and infinitely far, where shapes differ or a number is none."""
    if (
        one.shape != other.shape
        or one.dtype != other.dtype
        or not (np.isfinite(one).all() and np.isfinite(other).all())
    ):
        return Difference(len(other), float("inf"))
    apart = np.abs(one.astype(np.float64) - other).reshape(len(one), -1)
    return Difference(int((apart > 0).any(axis=1).sum()), float(apart.max(initial=0.0)))
