"""One side of a comparison: what a model answered on labelled faces, and what is known of the model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.parity.errors import AnswersError

__all__ = ["KINDS", "Answers", "ModelFacts", "latency_ratio", "size_ratio"]

KINDS = ("keras", "tflite", "onnx", "bundle", "record")

_SLACK = 1e-3
"""How far float32 rows may sum from 1, beside the steps below."""

_STEP = 1 / 256
"""The step of an int8 model's output; each class may be rounded by half of one and clipped by one (255/256 is the most)."""

_CONSTANT = 1e-6
"""Probabilities that never move by more than this, over all faces, are one and the same answer."""


@dataclass(frozen=True)
class ModelFacts:
    """What is known of a model beside its answers; None where it is not known.

    Attributes:
        sha256: of the model's file, or of the bundle, in hexadecimal.
        size_bytes: of the model's file.
        arithmetic: "float32", "int8" and so on.
        macs: multiply-accumulates for one face.
        latency_ms: for one face, the median.
        environment: versions and machine, as text. Latencies are compared only where the key "machine" is there and
            the same on both sides: a Pi's milliseconds against a workstation's say nothing about a model.
    """

    sha256: str
    size_bytes: int | None
    arithmetic: str
    macs: int | None
    latency_ms: float | None
    environment: Mapping[str, str]

    def __post_init__(self) -> None:
        if not re.fullmatch("[0-9a-f]{64}", self.sha256):
            raise ValueError(f"sha256 {self.sha256!r}: expected 64 hexadecimal digits")
        for name in ("size_bytes", "macs", "latency_ms"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise ValueError(f"{name} {value}: expected a positive number, or None where it is not known")

    def as_json(self) -> dict[str, Any]:
        return {
            "sha256": self.sha256,
            "size_bytes": self.size_bytes,
            "arithmetic": self.arithmetic,
            "macs": self.macs,
            "latency_ms": self.latency_ms,
            "environment": dict(self.environment),
        }


@dataclass(frozen=True)
class Answers:
    """One side's answers; refuses what is no answer, and names the side and the first face at fault.

    A model that always names the same class, but with probabilities that move, is a bad model and not a broken one: it
    is let through here, and the gate fails it (`only_answer` tells).

    Attributes:
        name: of the side, as reports show it.
        kind: one of `KINDS`.
        probabilities: float32 (N, C), each row summing to 1 but for the rounding of an int8 output.
        rows: int64 (N,), the row or file number of each face in its data set.
        facts: of the model.

    Raises:
        AnswersError: a number that is not finite, rows that are no probabilities, or constant output.
    """

    name: str
    kind: str
    probabilities: NDArray[np.float32]
    rows: NDArray[np.int64]
    facts: ModelFacts

    def __post_init__(self) -> None:
        if not self.name or not self.name.isprintable():
            raise AnswersError(f"a side named {self.name!r}", "a printable name", "rename the file")
        if self.kind not in KINDS:
            raise AnswersError(f"{self.name}: kind {self.kind!r}", f"one of {', '.join(KINDS)}", "correct the kind")
        self._check_form()
        self._check_values()

    def __len__(self) -> int:
        return len(self.probabilities)

    @property
    def classes(self) -> int:
        """How many classes the side answers."""
        return int(self.probabilities.shape[1])

    def top(self) -> NDArray[np.int64]:
        """The class answered for each face, (N,); of equal probabilities the first."""
        top: NDArray[np.int64] = self.probabilities.argmax(axis=1)
        return top

    def only_answer(self) -> int | None:
        """The class that is answered for every face, where there is only one."""
        top = self.top()
        return int(top[0]) if (top == top[0]).all() else None

    def _check_form(self) -> None:
        found, rows = self.probabilities, self.rows
        if found.dtype != np.float32 or found.ndim != 2 or found.shape[1] < 2 or not len(found):
            raise AnswersError(
                f"{self.name}: answers {found.dtype} of shape {found.shape}",
                "float32 (faces, classes), at least one face and two classes",
                "check the model's output",
            )
        if rows.dtype != np.int64 or rows.shape != (len(found),):
            raise AnswersError(
                f"{self.name}: rows {rows.dtype} of shape {rows.shape} for {len(found)} faces",
                f"int64 ({len(found)},)",
                "give the row of each face in its data set",
            )

    def _check_values(self) -> None:
        found = self.probabilities
        broken = ~np.isfinite(found).all(axis=1)
        if broken.any():
            what = "NaN" if np.isnan(found).any() else "infinity"
            raise AnswersError(
                f"{self.name}: {what} among the answers, for {broken.sum()} of {len(found)} faces, the first at row"
                f" {self.rows[broken][0]}",
                "a finite probability for each class",
                "train or convert the model again: a weight or an operator overflows",
            )
        sums = found.sum(axis=1, dtype=np.float64)
        wrong = (np.abs(sums - 1) > self.classes * _STEP + _SLACK) | (found < -_SLACK).any(axis=1)
        wrong |= (found > 1 + _SLACK).any(axis=1)
        if wrong.any():
            raise AnswersError(
                f"{self.name}: answers that are no probabilities, for {wrong.sum()} of {len(found)} faces; row"
                f" {self.rows[wrong][0]} holds {found[wrong][0].min():.3g} to {found[wrong][0].max():.3g} and sums to"
                f" {sums[wrong][0]:.3g}",
                "from 0 to 1 and a sum of 1 for each face",
                "end the model with a softmax, or dequantize its output",
            )
        if len(found) > 1 and float(np.ptp(found, axis=0).max()) <= _CONSTANT:
            raise AnswersError(
                f"{self.name}: constant output: each of {len(found)} faces gets the same probabilities",
                "answers that depend on the face",
                "check the model's input scale, its weights and its calibration",
            )


def latency_ratio(reference: ModelFacts, candidate: ModelFacts) -> float | None:
    """Candidate over reference; None where one is not known, or both are not known to come from one machine."""
    machine = reference.environment.get("machine")
    if machine is None or machine != candidate.environment.get("machine"):
        return None  # a machine that is not named is not known to be the same
    return _ratio(candidate.latency_ms, reference.latency_ms)


def size_ratio(reference: ModelFacts, candidate: ModelFacts) -> float | None:
    """Candidate over reference; None where one is not known."""
    return _ratio(candidate.size_bytes, reference.size_bytes)


def _ratio(candidate: float | None, reference: float | None) -> float | None:
    return None if candidate is None or reference is None else candidate / reference
