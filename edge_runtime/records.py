"""What `fer-edge predict` and `run` say of a face: one flat record, the same in every output format."""

from __future__ import annotations

import datetime
import functools
import math
from dataclasses import dataclass, field
from typing import Any

from edge_runtime.bundle import Bundle
from edge_runtime.face import Face
from edge_runtime.preprocess import NO_ALIGNMENT
from edge_runtime.version import __version__

__all__ = ["Record", "RunHeader", "wall_text"]


@dataclass(frozen=True)
class RunHeader:
    """Said once a run: which model and detector answered, and how faces were cut out."""

    bundle: str
    bundle_sha256: str
    detector: str
    labels: tuple[str, ...]
    alignment: str = NO_ALIGNMENT
    detail: int = 1

    @classmethod
    def of(cls, bundle: Bundle, detector: str, alignment: str = NO_ALIGNMENT, detail: int = 1) -> RunHeader:
        return cls(bundle.name, bundle.sha256, detector, bundle.labels.names, alignment, detail)

    def as_dict(self) -> dict[str, Any]:
        return {
            "fer_edge": __version__,
            "bundle": self.bundle,
            "sha256": self.bundle_sha256,
            "detector": self.detector,
            "alignment": self.alignment,
            "detail": self.detail,
            "labels": list(self.labels),
        }


@dataclass(frozen=True)
class Record:
    """One face of one frame.

    Attributes:
        source: the picture or video, as it was named.
        frame: from 0; 0 for a picture.
        time_s: since the start of the video; 0 for a picture.
        number: of the face in its frame, from 0, largest first.
        left_out: faces of this frame that have no record, as there were too many.
    """

    source: str
    frame: int
    time_s: float
    number: int
    face: Face
    left_out: int = field(default=0, kw_only=True)

    def as_dict(self) -> dict[str, Any]:
        face = self.face
        return {
            "source": self.source,
            "frame": self.frame,
            "time_s": round(self.time_s, 3),
            "face": self.number,
            "track": face.track,
            "box": [round(value, 1) for value in face.box.as_tuple()],
            "detector_score": round(face.detector_score, 4),
            "label": face.label,
            "score": round(face.score, 4),
            "emotions": {name: round(value, 4) for name, value in face.emotions.items()},
            "left_out": self.left_out,
        }


def wall_text(wall_s: float) -> str:
    """A time of the wall's clock as ISO 8601 in UTC with milliseconds. A clock that stands beyond a calendar gives its seconds."""
    try:
        second = math.floor(wall_s)
        return f"{_second_text(second)}.{int((wall_s - second) * 1000):03}Z"
    except (OverflowError, ValueError, OSError):
        return f"{wall_s:.3f}"


@functools.lru_cache(maxsize=2)
def _second_text(second: int) -> str:
    """A live run asks some 30 times for each."""
    return datetime.datetime.fromtimestamp(second, datetime.UTC).isoformat().removesuffix("+00:00")
