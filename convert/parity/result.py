"""The whole result of a parity run: every side, every measure, every line of the gate, and what it was measured on.

`schema.json` beside this file describes `ParityResult.as_json()`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.parity.answers import Answers
from convert.parity.errors import ParityError
from convert.parity.evidence import Probe, probes_as_json
from convert.parity.gate import Gate
from convert.parity.measures import Comparison, Side, compare
from convert.parity.refused import Refused
from convert.parity.signals import Signals
from convert.parity.verdict import Outcome, Verdict, judge, overall_outcome

__all__ = ["RESULT_FORMAT", "SCHEMA", "DataFacts", "Judged", "ParityResult", "Refused", "measure_parity"]

RESULT_FORMAT = 1
SCHEMA = Path(__file__).with_name("schema.json")


@dataclass(frozen=True)
class DataFacts:
    """What the sides were measured on.

    Attributes:
        source: file or folder name, without its path.
        split: its name in the data.
        sha256: of the faces, as `FaceSet.sha256` gives it.
        label_names: of the classes, in the order of the outputs.
        preprocess: version of the preprocessing that the sides' faces went through.
    """

    source: str
    split: str
    sha256: str
    label_names: tuple[str, ...]
    preprocess: int


@dataclass(frozen=True)
class Judged:
    """A candidate's measures, what the gate says of them, and the evidence that `explain` weighs."""

    comparison: Comparison
    verdict: Verdict
    probes: tuple[Probe, ...] = ()

    @property
    def name(self) -> str:
        return self.comparison.candidate.name

    def as_json(self) -> dict[str, Any]:
        return {
            **self.comparison.as_json(),
            "verdict": self.verdict.as_json(),
            "probes": probes_as_json(self.probes),
        }


@dataclass(frozen=True)
class ParityResult:
    """Candidates against one reference.

    Attributes:
        data: that was answered.
        left_out: faces labelled -1, of which nothing is measured.
        gate: that judged.
        reference: the side that the others are held against.
        candidates: in the order given, at least one.
        environment: versions and machine of this comparison, as text.
        refused: candidates that could not be compared.
        signals: of the candidates whose tensors were compared one by one.
    """

    data: DataFacts
    left_out: int
    gate: Gate
    reference: Side
    candidates: tuple[Judged, ...]
    environment: Mapping[str, str]
    refused: tuple[Refused, ...] = ()
    signals: tuple[Signals, ...] = ()

    @property
    def faces(self) -> int:
        """How many were judged."""
        return self.reference.accuracy.faces

    @property
    def outcome(self) -> Outcome:
        """The worst of the candidates'; one that was refused could not be judged."""
        return overall_outcome([each.verdict for each in self.candidates], len(self.refused))

    @property
    def exit_code(self) -> int:
        """0 all passed, 1 one failed, 2 one could not be judged and none failed."""
        return self.outcome.exit_code

    def as_json(self) -> dict[str, Any]:
        return {
            "format": RESULT_FORMAT,
            "outcome": self.outcome.value,
            "exit_code": self.exit_code,
            "data": {
                "source": self.data.source,
                "split": self.data.split,
                "sha256": self.data.sha256,
                "labels": list(self.data.label_names),
                "preprocess": self.data.preprocess,
                "faces": self.faces,
                "left_out": self.left_out,
            },
            "environment": dict(self.environment),
            "gate": self.gate.as_json(),
            "reference": self.reference.as_json(),
            "candidates": [each.as_json() for each in self.candidates],
            "refused": [each.as_json() for each in self.refused],
            "signals": [each.as_json() for each in self.signals],
        }

    def to_json(self) -> bytes:
        """The file `report.json`."""
        text = json.dumps(self.as_json(), indent=2, ensure_ascii=False, allow_nan=False)
        return (text + "\n").encode()


def measure_parity(
    reference: Answers,
    candidates: Sequence[Answers],
    labels: NDArray[np.int16],
    data: DataFacts,
    gate: Gate,
    environment: Mapping[str, str],
    probes: Mapping[str, tuple[Probe, ...]] | None = None,
) -> ParityResult:
    """Measures and judges each candidate.

    Args:
        reference, candidates: answers on the same faces, in the same order; their names differ.
        labels: int16 (N,), -1 leaves a face out.
        data, gate, environment: see `ParityResult`.
        probes: what `gather_probes` found, by the candidate's name.

    Raises:
        ParityError: no candidate, two sides of one name, or sides that cannot be compared.
    """
    if not candidates:
        raise ParityError("no candidate", "at least one", "name it with --candidate")
    names = [side.name for side in (reference, *candidates)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ParityError(f"two sides named {twice[0]!r}", "a name of its own for each", "rename one of the files")
    judged = []
    for candidate in candidates:
        comparison = compare(reference, candidate, labels, data.label_names)
        judged.append(Judged(comparison, judge(gate, comparison), (probes or {}).get(candidate.name, ())))
    left_out = int((labels < 0).sum())
    return ParityResult(data, left_out, gate, judged[0].comparison.reference, tuple(judged), dict(environment))
