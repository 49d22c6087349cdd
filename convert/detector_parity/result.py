"""The whole result of a detectors' parity run: every side, every measure, every line of the gate, and the frames."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from convert.detector_parity.comparing import compare_detectors, draw_frames, measure_detector
from convert.detector_parity.gate import DetectorGate
from convert.detector_parity.measures import DetectorComparison, DetectorSide, Seen
from convert.detector_parity.verdict import judge_detector
from convert.parity.errors import ParityError
from convert.parity.refused import Refused
from convert.parity.verdict import Outcome, Verdict, overall_outcome
from edge_runtime.framesets import FrameSet
from edge_runtime.members import FACE_DETECTOR

__all__ = ["RESULT_FORMAT", "DetectorResult", "FrameFacts", "JudgedDetector", "measure_detectors"]

RESULT_FORMAT = 1


@dataclass(frozen=True)
class FrameFacts:
    """What the sides were measured on.

    Attributes:
        source, split, source_sha256: see `FrameSet`.
        sha256: of the frame set.
        frames: how many; faces: how many of theirs count.
        smallest_px: from which height on they do.
    """

    source: str
    split: str
    source_sha256: str
    sha256: str
    frames: int
    faces: int
    smallest_px: float

    def __str__(self) -> str:
        return f"{self.frames:,} frames of {self.source}, {self.split}, with {self.faces:,} faces of {self.smallest_px:g} px and more"


@dataclass(frozen=True)
class JudgedDetector:
    """A candidate's measures, and what the gate says of them."""

    comparison: DetectorComparison
    verdict: Verdict

    @property
    def name(self) -> str:
        return self.comparison.candidate.name

    def as_json(self) -> dict[str, Any]:
        return {**self.comparison.as_json(), "verdict": self.verdict.as_json()}


@dataclass(frozen=True)
class DetectorResult:
    """Candidates against one reference.

    Attributes:
        data: the frames.
        gate: that judged.
        reference: the side that the others are held against.
        candidates: in the order given, at least one.
        environment: versions and machine of this comparison, as text.
        refused: candidates that could not be compared.
    """

    data: FrameFacts
    gate: DetectorGate
    reference: DetectorSide
    candidates: tuple[JudgedDetector, ...]
    environment: Mapping[str, str]
    refused: tuple[Refused, ...] = ()

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
            "kind": FACE_DETECTOR,
            "outcome": self.outcome.value,
            "exit_code": self.exit_code,
            "data": dict(vars(self.data)),
            "environment": dict(self.environment),
            "gate": self.gate.as_json(),
            "reference": self.reference.as_json(),
            "candidates": [each.as_json() for each in self.candidates],
            "refused": [each.as_json() for each in self.refused],
        }

    def to_json(self) -> bytes:
        """The file `report.json`."""
        return (json.dumps(self.as_json(), indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def measure_detectors(
    reference: Seen,
    candidates: Sequence[Seen],
    frames: FrameSet,
    gate: DetectorGate,
    environment: Mapping[str, str],
    refused: Sequence[Refused] = (),
) -> DetectorResult:
    """Measures and judges each candidate.

    Args:
        reference, candidates: what each side found in every frame, from a low score on; their names differ.
        frames: that they saw.
        gate, environment, refused: see `DetectorResult`.

    Raises:
        ParityError: no candidate, two sides of one name, other frames, or frames without a face that counts.
    """
    if not candidates:
        raise ParityError("no candidate", "at least one", "name it with --candidate")
    names = [seen.name for seen in (reference, *candidates)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ParityError(f"two sides named {twice[0]!r}", "a name of its own for each", "rename one of the files")
    for seen in (reference, *candidates):
        if len(seen.found) != len(frames):
            raise ParityError(
                f"{seen.name}: {len(seen.found)} frames looked at", f"all {len(frames)}", "look at every frame"
            )
    drawn = draw_frames(len(frames))
    one = measure_detector(reference, frames, gate.smallest_px, drawn)
    faces = int(one.matches.faces.sum())
    if not faces:
        raise ParityError(
            f"{len(frames)} frames of {frames.source} without a face of {gate.smallest_px:g} px",
            "at least one face",
            "draw others with `python -m train scenes draw`, or lower smallest_px in the gate",
        )
    judged = []
    for seen in candidates:
        comparison = compare_detectors(one, measure_detector(seen, frames, gate.smallest_px, drawn), drawn)
        judged.append(JudgedDetector(comparison, judge_detector(gate, comparison)))
    data = FrameFacts(
        frames.source, frames.split, frames.source_sha256, frames.sha256, len(frames), faces, gate.smallest_px
    )
    return DetectorResult(data, gate, one.side, tuple(judged), dict(environment), tuple(refused))
