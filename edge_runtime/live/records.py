"""What `fer-edge run` says of a face: the record of `predict`, and what only a live camera needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from edge_runtime.face import Face
from edge_runtime.live.pipeline import LiveFace
from edge_runtime.records import Record, wall_text

__all__ = ["LIVE_COLUMNS", "LiveRecord", "face_of"]

LIVE_COLUMNS = (
    "time",
    "age_ms",
    "detected",
    "searched",
    "raw_label",
    "raw_score",
    "reason",
    "problems",
    "accelerator",
    "degraded",
)
"""What a live record has beyond those of `predict`, in order."""


@dataclass(frozen=True)
class LiveRecord(Record):
    """One face of one frame of a live camera. `face` holds the label that is shown, and averages.

    Attributes:
        wall_s: when the frame was taken, on the wall's clock.
        age_s: from the frame's exposure to its result.
        person: the random name for whom it is, as events have it, which takes the place of the track's number; empty for a face not yet
            seen often enough.
        live: what this frame alone said, and how good the face is.
        accelerator: what computed it.
        degraded: what was broken at the time, such as "accelerator".
        searched: where faces were searched in this frame: "whole", "regions" or "none".
    """

    wall_s: float
    age_s: float
    person: str
    live: LiveFace
    accelerator: str
    degraded: tuple[str, ...]
    searched: str = field(kw_only=True)

    def as_dict(self) -> dict[str, Any]:
        answer, labels = self.live.probabilities, list(self.face.emotions)
        best = int(answer.argmax())
        return {
            **super().as_dict(),
            "track": self.person or None,
            "time": wall_text(self.wall_s),
            "age_ms": round(self.age_s * 1e3, 1),
            "detected": self.live.detected,
            "searched": self.searched,
            "raw_label": labels[best],
            "raw_score": round(float(answer[best]), 4),
            "reason": self.live.decision.reason,
            "problems": list(self.live.quality.problems),
            "accelerator": self.accelerator,
            "degraded": list(self.degraded),
        }


def face_of(live: LiveFace) -> Face:
    """The face as it is shown: the label that stands, and averaged probabilities."""
    decision = live.decision
    return Face(
        live.box, live.detector_score, decision.label, decision.score, decision.emotions, track=live.tracked.track
    )
