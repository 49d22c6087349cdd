"""Scores of a classifier: how its answers compare with the labels, over all faces and a class at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.intervals import Interval, accuracy_interval
from edge_runtime.labels import LabelSet
from train.errors import DataError
from train.terminal import table

__all__ = ["Scores", "score"]


@dataclass(frozen=True)
class Scores:
    """Labels and answers, class indices, int64 (N,) each; N is at least 1."""

    label_set: LabelSet
    labels: NDArray[np.int64]
    answers: NDArray[np.int64]

    @property
    def count(self) -> int:
        return len(self.labels)

    @property
    def correct(self) -> int:
        return int((self.labels == self.answers).sum())

    @property
    def accuracy(self) -> float:
        return self.correct / self.count

    @property
    def interval(self) -> Interval:
        """The 95 % interval of the accuracy."""
        return accuracy_interval(self.correct, self.count)

    def confusion(self) -> NDArray[np.int64]:
        """Counts (C, C): a row for each label, a column for each answer."""
        classes = len(self.label_set)
        flat = np.bincount(self.labels * classes + self.answers, minlength=classes * classes)
        return flat.reshape(classes, classes)

    @property
    def macro_f1(self) -> float:
        """The mean F1 of the classes that have faces here. A class without any, in another data set, does not count as 0."""
        counts = self.confusion()
        faces, answered = counts.sum(axis=1), counts.sum(axis=0)
        there = faces > 0
        return float((2 * counts.diagonal()[there] / (faces + answered)[there]).mean())

    @property
    def mean_recall(self) -> float:
        """The mean recall of the classes that have faces here; RAF-DB's papers call it average accuracy."""
        counts = self.confusion()
        faces = counts.sum(axis=1)
        there = faces > 0
        return float((counts.diagonal()[there] / faces[there]).mean())

    def report(self) -> dict[str, Any]:
        """Precision, recall, F1 and support of each class, macro and weighted, as scikit-learn names them.

        What is undefined, such as the precision of a class that was never answered, counts as 0.
        """
        return dict(self._sklearn_report(output_dict=True))

    def tables(self) -> str:
        """The report and the confusion matrix, for a terminal."""
        names = self.label_set.names
        rows = ([name, *row] for name, row in zip(names, self.confusion().tolist(), strict=True))
        return f"{self._sklearn_report(output_dict=False)}\n{table([['label / answer', *names], *rows])}"

    def summary(self) -> str:
        """The accuracy with its interval and the macro F1, in words."""
        return (
            f"accuracy {100 * self.accuracy:.2f} % ({self.correct} of {self.count}; 95 % interval {self.interval}),"
            f" macro F1 {self.macro_f1:.3f}"
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "faces": self.count,
            "correct": self.correct,
            "accuracy": self.accuracy,
            "interval": [self.interval.low, self.interval.high],
            "macro_f1": self.macro_f1,
            "mean_recall": self.mean_recall,
            "labels": list(self.label_set.names),
            "report": self.report(),
            "confusion": self.confusion().tolist(),
        }

    def _sklearn_report(self, output_dict: bool) -> Any:
        from sklearn.metrics import classification_report

        return classification_report(
            self.labels,
            self.answers,
            labels=range(len(self.label_set)),
            target_names=list(self.label_set.names),
            digits=3,
            output_dict=output_dict,
            zero_division=0,
        )


def score(probabilities: NDArray[np.floating[Any]], labels: NDArray[np.int16], label_set: LabelSet) -> Scores:
    """Scores of probabilities (N, C); faces labelled -1 are left out.

    Raises:
        DataError: no labelled face, another number of classes than the label set's, or a probability that is NaN.
    """
    if probabilities.shape != (len(labels), len(label_set)):
        raise DataError(
            f"probabilities {probabilities.shape} for {len(labels)} faces",
            f"{len(label_set)} classes of {label_set.name!r} for each",
            "name the label set that the model was trained with",
        )
    if not np.isfinite(probabilities).all():
        raise DataError("probabilities that are not numbers", "finite ones", "train the model again: it has diverged")
    known = labels >= 0
    if not known.any():
        raise DataError("no labelled face", "at least one", "take another split or another label set")
    return Scores(label_set, labels[known].astype(np.int64), probabilities[known].argmax(axis=1).astype(np.int64))
