"""All measures of a candidate against a reference, on the same labelled faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.parity.answers import Answers, ModelFacts, latency_ratio, size_ratio
from convert.parity.drift import Drift, measure_drift
from convert.parity.errors import ParityError
from convert.parity.flips import DIRECTIONS, Flip, find_flips
from convert.parity.paired import Paired, compare_right
from convert.parity.recalls import ClassChange, compare_classes
from convert.parity.shares import Share
from edge_runtime.reliability import Reliability, measure_reliability

__all__ = ["Comparison", "Side", "compare", "measure_side"]


@dataclass(frozen=True)
class Side:
    """What one side reaches on its own.

    Attributes:
        name, kind, facts: of the side.
        accuracy: on the faces with a label.
        reliability: how sure it is against how right it is.
        confusion: how many faces of class i (the label) were answered j, as rows of whole numbers.
        only_answer: name of the class that it answers for every face, where there is only one.
    """

    name: str
    kind: str
    facts: ModelFacts
    accuracy: Share
    reliability: Reliability
    confusion: tuple[tuple[int, ...], ...]
    only_answer: str | None

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "kind": self.kind,
            "model": self.facts.as_json(),
            "accuracy": self.accuracy.as_json(),
            "reliability": self.reliability.as_json(),
            "confusion": [list(row) for row in self.confusion],
            "only_answer": self.only_answer,
        }


@dataclass(frozen=True)
class Comparison:
    """A candidate against its reference.

    Attributes:
        reference, candidate: each side on its own.
        paired: difference of the accuracies, in points.
        agreement: on how many faces both give the same answer, right or wrong.
        classes: recall, class by class.
        drift: of the probabilities.
        flips: faces named otherwise, the surest new answer first.
        latency_ratio, size_ratio: candidate over reference; None where either is not known, or where the two latencies
            are not known to come from one machine (the key "machine" of either environment).
    """

    reference: Side
    candidate: Side
    paired: Paired
    agreement: Share
    classes: tuple[ClassChange, ...]
    drift: Drift
    flips: tuple[Flip, ...]
    latency_ratio: float | None
    size_ratio: float | None

    def flipped(self, direction: str) -> int:
        """How many faces flipped in a direction, one of `flips.DIRECTIONS`."""
        return sum(flip.direction == direction for flip in self.flips)

    def as_json(self) -> dict[str, Any]:
        return {
            "side": self.candidate.as_json(),
            "paired": self.paired.as_json(),
            "agreement": self.agreement.as_json(),
            "classes": [each.as_json() for each in self.classes],
            "drift": self.drift.as_json(),
            "flipped": {direction: self.flipped(direction) for direction in DIRECTIONS},
            "flips": [flip.as_json() for flip in self.flips],
            "latency_ratio": self.latency_ratio,
            "size_ratio": self.size_ratio,
        }


def measure_side(answers: Answers, labels: NDArray[np.int16], names: Sequence[str]) -> Side:
    """Measures one side on labels (N,), -1 for a face that is left out.

    Raises:
        ParityError: labels that are not one a face and among `names`, or none that counts.
    """
    _check_labels(answers, labels, names)
    judged = labels >= 0
    wanted, top = labels[judged], answers.top()[judged]
    confusion = np.zeros((len(names), len(names)), np.int64)
    np.add.at(confusion, (wanted, top), 1)
    only = answers.only_answer()
    return Side(
        answers.name,
        answers.kind,
        answers.facts,
        Share(int((top == wanted).sum()), len(wanted)),
        measure_reliability(answers.probabilities[judged], wanted),
        tuple(tuple(int(count) for count in row) for row in confusion),
        None if only is None else names[only],
    )


def compare(reference: Answers, candidate: Answers, labels: NDArray[np.int16], names: Sequence[str]) -> Comparison:
    """Measures a candidate against a reference.

    Args:
        reference, candidate: answers on the same faces, in the same order.
        labels: int16 (N,), class indices; -1 leaves a face out of every measure.
        names: of the classes, in the order of the outputs.

    Raises:
        ParityError: other faces, other classes, or labels that do not fit.
    """
    if not np.array_equal(reference.rows, candidate.rows):
        raise ParityError(
            f"{candidate.name}: {len(candidate)} faces, others than the {len(reference)} of {reference.name}",
            "the same rows of one data set, in the same order",
            "let both sides answer the same data and split",
        )
    one, other = measure_side(reference, labels, names), measure_side(candidate, labels, names)
    judged = labels >= 0
    wanted, was, now = labels[judged], reference.top()[judged], candidate.top()[judged]
    return Comparison(
        one,
        other,
        compare_right(was == wanted, now == wanted),
        Share(int((was == now).sum()), len(wanted)),
        compare_classes(was, now, wanted, names),
        measure_drift(reference.probabilities[judged], candidate.probabilities[judged], reference.rows[judged]),
        find_flips(reference.probabilities, candidate.probabilities, labels, reference.rows),
        latency_ratio(reference.facts, candidate.facts),
        size_ratio(reference.facts, candidate.facts),
    )


def _check_labels(answers: Answers, labels: NDArray[np.int16], names: Sequence[str]) -> None:
    if answers.classes != len(names):
        raise ParityError(
            f"{answers.name}: {answers.classes} classes",
            f"{len(names)}: {', '.join(names)}",
            "compare models of one label set",
        )
    if labels.shape != (len(answers),):
        raise ParityError(
            f"{answers.name}: {len(answers)} answers for labels of shape {labels.shape}",
            "one label a face",
            "let the model answer every face of the data",
        )
    if not ((labels >= -1) & (labels < len(names))).all():
        raise ParityError(
            f"labels from {labels.min()} to {labels.max()}",
            f"from -1 (left out) to {len(names) - 1}",
            "map the data's labels to the model's",
        )
    if not (labels >= 0).any():
        raise ParityError("no labelled face", "at least one", "take another split or another label set")
