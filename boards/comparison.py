"""Two machines' answers for the same faces: the same bits, the same decisions, or how far apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from boards.trial import Answer

__all__ = ["FLOAT_TOLERANCE", "Comparison", "compare", "differences"]

FLOAT_TOLERANCE = 1e-4
"""By which a probability of a float32 bundle may differ between processors, whose fused operations round otherwise."""


@dataclass(frozen=True)
class Comparison:
    """A bundle's answers beside those of the reference machine.

    Attributes:
        name, arithmetic: of the bundle.
        selftest: the line of its self-test.
        faces, differing: how many faces were answered by both, and of how many any bit differs.
        decisions: for how many the most probable label differs.
        largest: the largest difference of a probability, 0..1.
        agrees: as its arithmetic promises: int8 to the last bit, others within FLOAT_TOLERANCE with the same decisions;
            and the self-test passes there.
    """

    name: str
    arithmetic: str
    selftest: str
    faces: int
    differing: int
    decisions: int
    largest: float
    agrees: bool

    @property
    def verdict(self) -> str:
        """In a word or two."""
        if not self.faces:
            return "self-test passed" if self.agrees else "FAILED"
        if not self.differing:
            return "bit-exact" if self.agrees else "bit-exact, but its self-test FAILED"
        return f"{self.differing} of {self.faces} faces differ{'' if self.agrees else ': FAILED'}"


def compare(answer: Answer, reference: Answer) -> Comparison:
    """An answer beside the reference machine's to the same bundle and faces."""
    subject = answer.subject
    if answer.probabilities is None or reference.probabilities is None:
        # A detector has its self-test alone; a classifier without answers has failed.
        agrees = subject.detector and answer.passed and reference.passed
        if subject.arithmetic == "int8":
            agrees = agrees and answer.selftest == reference.selftest
        return Comparison(subject.name, subject.arithmetic, answer.selftest, 0, 0, 0, 0.0, agrees)
    faces = len(reference.probabilities)
    differing, decisions, largest = differences(answer.probabilities, reference.probabilities)
    exact = differing == 0
    agrees = exact if subject.arithmetic == "int8" else decisions == 0 and largest <= FLOAT_TOLERANCE
    return Comparison(
        subject.name,
        subject.arithmetic,
        answer.selftest,
        faces,
        differing,
        decisions,
        largest,
        agrees and answer.passed,
    )


def differences(one: NDArray[np.float32], other: NDArray[np.float32]) -> tuple[int, int, float]:
    """Faces with any bit that differs, faces with another decision, and the largest difference; all of them where shapes
    differ or a number is none."""
    if one.shape != other.shape or not (np.isfinite(one).all() and np.isfinite(other).all()):
        return len(other), len(other), 1.0
    differing = int((one != other).any(axis=1).sum())
    decisions = int((one.argmax(axis=1) != other.argmax(axis=1)).sum())
    return differing, decisions, float(np.abs(one - other).max(initial=0.0))
