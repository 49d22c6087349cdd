"""What is measured of a detector against another, on the same frames with known faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from convert.detector.facts import NetFacts
from convert.parity.answers import ModelFacts
from convert.parity.shares import Share
from edge_runtime.detectors.decode import Found
from edge_runtime.framesets import (
    Curve,
)

__all__ = [
    "DRAWS",
    "SEED",
    "Change",
    "DetectorComparison",
    "DetectorSide",
    "Estimate",
    "Landmarks",
    "Seen",
]

SEED, DRAWS = 20130704, 1000
"""Of the bootstrap over frames (Efron 1979): faces of one frame are lost together."""


@dataclass(frozen=True)
class Estimate:
    """A value and its 95 % interval; `low` ≤ `value` ≤ `high`."""

    value: float
    low: float
    high: float

    def as_json(self) -> dict[str, Any]:
        return {"value": self.value, "interval": [self.low, self.high]}


@dataclass(frozen=True)
class Seen:
    """One side: its name and kind, what its net reads, what is known of its model, and what it found in each frame."""

    name: str
    kind: str
    net: NetFacts
    facts: ModelFacts
    found: Sequence[Found]


@dataclass(frozen=True)
class DetectorSide:
    """What one side reaches on its own; shares 0..1.

    Attributes:
        name, kind, net, facts: of the side.
        average_precision: at an overlap of one half.
        recall_at_one, threshold_at_one: where it has one false face a picture.
        landmark_error: of the faces that it finds, as a share of the distance of the eyes; None where none is known.
        curve: all thresholds.
    """

    name: str
    kind: str
    net: NetFacts
    facts: ModelFacts
    average_precision: Estimate
    recall_at_one: float
    threshold_at_one: float
    landmark_error: float | None
    curve: Curve

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "kind": self.kind,
            "input": {"width": self.net.width, "height": self.net.height, "channels": self.net.channels},
            "strides": list(self.net.strides),
            "model": self.facts.as_json(),
            "average_precision": self.average_precision.as_json(),
            "recall_at_one_false_a_picture": self.recall_at_one,
            "threshold_at_one_false_a_picture": self.threshold_at_one,
            "landmark_error": self.landmark_error,
            "curve": self.curve.as_table(),
        }


@dataclass(frozen=True)
class Landmarks:
    """Landmarks of the faces that both sides find.

    Attributes:
        faces: how many.
        reference, candidate: mean error of each, as a share of the distance of the eyes.
        rise: how much the candidate's is larger, as a share of the reference's.
    """

    faces: int
    reference: float
    candidate: float
    rise: Estimate

    def as_json(self) -> dict[str, Any]:
        return {
            "faces": self.faces,
            "reference": self.reference,
            "candidate": self.candidate,
            "rise": self.rise.as_json(),
        }


@dataclass(frozen=True)
class Change:
    """A frame in which one side finds a face that the other does not: how many were lost, and how many won."""

    frame: int
    lost: int
    won: int

    def as_json(self) -> dict[str, Any]:
        return {"frame": self.frame, "lost": self.lost, "won": self.won}


@dataclass(frozen=True)
class DetectorComparison:
    """A candidate against its reference.

    Attributes:
        reference, candidate: each side on its own.
        faces, frames: that were judged.
        drop: of average precision, in points, lost where positive; paired: both sides on the same resamples.
        recall_drop: the same of recall at one false face a picture.
        landmarks: None where no face with known landmarks is found by both.
        threshold: from which boxes are compared one by one: where the reference has one false face a picture.
        agreement: of the boxes that either side gives from there on, those that both give; None where there is no box.
        mean_overlap: of these, intersection over union; None where there is none.
        changes: frames in which a face was lost or won, the most lost first.
        latency_ratio, size_ratio: candidate over reference; None where not known.
    """

    reference: DetectorSide
    candidate: DetectorSide
    faces: int
    frames: int
    drop: Estimate
    recall_drop: Estimate
    landmarks: Landmarks | None
    threshold: float
    agreement: Share | None
    mean_overlap: float | None
    changes: tuple[Change, ...]
    latency_ratio: float | None
    size_ratio: float | None

    @property
    def lost(self) -> int:
        """Faces that only the reference finds."""
        return sum(change.lost for change in self.changes)

    @property
    def won(self) -> int:
        """Faces that only the candidate finds."""
        return sum(change.won for change in self.changes)

    def as_json(self) -> dict[str, Any]:
        return {
            "side": self.candidate.as_json(),
            "average_precision_drop_points": self.drop.as_json(),
            "recall_drop_points": self.recall_drop.as_json(),
            "bootstrap": {"seed": SEED, "draws": DRAWS},
            "landmarks": None if self.landmarks is None else self.landmarks.as_json(),
            "threshold": self.threshold,
            "agreement": None if self.agreement is None else self.agreement.as_json(),
            "mean_overlap": self.mean_overlap,
            "lost": self.lost,
            "won": self.won,
            "changes": [change.as_json() for change in self.changes],
            "latency_ratio": self.latency_ratio,
            "size_ratio": self.size_ratio,
        }
