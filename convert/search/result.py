"""What a search found: the table of sensitivities, every trial, and the cheapest form that passed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from convert.calibration import Calibration
from convert.parity.gate import Gate
from convert.parity.result import DataFacts
from convert.parity.verdict import Outcome
from convert.search.attempt import Attempt
from convert.search.sensitivity import Sensitivity

__all__ = ["FORMAT", "Search"]

FORMAT = 1


@dataclass(frozen=True)
class Search:
    """One search.

    Attributes:
        model: file name of the Keras model, and model_sha256 of its bytes.
        gate: that judged every trial.
        data: the split that they were judged on, and faces, how many of it count.
        calibration: the faces that set the ranges; `sample` of them measured the sensitivities.
        all_float: the float32 form, held against itself.
        attempts: in the order in which they were tried; nothing kept comes first.
        sensitivities: in the order of the net; none where nothing had to be kept.
        unnamed: tensors of operators that no recipe can keep, since no layer's name is in them.
        found: the cheapest attempt that passed, or None.
        environment: versions and machine, as text.
    """

    model: str
    model_sha256: str
    gate: Gate
    data: DataFacts
    faces: int
    calibration: Calibration
    sample: int
    all_float: Attempt
    attempts: tuple[Attempt, ...]
    sensitivities: tuple[Sensitivity, ...]
    unnamed: tuple[str, ...]
    found: Attempt | None
    environment: Mapping[str, str]

    @property
    def outcome(self) -> Outcome:
        """Passed where something was found; else what the gate says of `nearest`."""
        return Outcome.PASSED if self.found is not None else self.nearest.outcome

    @property
    def nearest(self) -> Attempt:
        """Of the attempts that did not pass, the one that kept most; only where nothing was found."""
        return max((each for each in self.attempts if not each.passed), key=lambda each: len(each.kept))

    def as_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "outcome": self.outcome.value,
            "model": {"source": self.model, "sha256": self.model_sha256},
            "gate": self.gate.as_json(),
            "data": {
                "source": self.data.source,
                "split": self.data.split,
                "sha256": self.data.sha256,
                "labels": list(self.data.label_names),
                "preprocess": self.data.preprocess,
                "faces": self.faces,
            },
            "calibration": self.calibration.as_table(),
            "environment": dict(self.environment),
            "sensitivity": {
                "faces": self.sample,
                "of": "calibration",
                "seed": self.calibration.seed,
                "units": [each.as_json() for each in self.sensitivities],
                "unnamed": list(self.unnamed),
            },
            "float32": self.all_float.as_json(),
            "trials": [each.as_json() for each in self.attempts],
            "found": None if self.found is None else self.attempts.index(self.found),
        }

    def to_json(self) -> bytes:
        """The file `search.json`."""
        return (json.dumps(self.as_json(), indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
