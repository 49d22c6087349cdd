"""What a running fer-edge shows the world at one moment: faces, speed, and what is broken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from devices.source_state import Phase
from edge_runtime.geometry import Box

__all__ = ["ENDED", "NOBODY", "LiveState", "ShownFace"]

NOBODY = "nobody"
"""The expression of a room without a face."""

ENDED: str = Phase.ENDED
"""What `LiveState.camera` says of a recording that is over: no more results come, and nothing is wrong with that."""


@dataclass(frozen=True)
class ShownFace:
    """One person and what is said of them now.

    `track` is the random name of `Reporter.name_of`; `box` is where the face is in the frame, in pixels.
    """

    track: str
    label: str
    score: float
    reason: str = ""
    emotions: Mapping[str, float] = field(default_factory=dict)
    box: Box | None = None


@dataclass(frozen=True)
class LiveState:
    """The newest state.

    Attributes:
        faces: largest first.
        frames_per_second: results, over the last seconds.
        faults: what is degraded → what is said about it; empty where all is well.
        accelerator: what computes now, such as "cpu"; never what was wished for.
        camera: "opening", "live", "lost", "ended" …, as `devices.source_state.Phase` has it; empty before the start.
        age_s: from the newest frame's exposure to its result.
        processed, dropped: frames so far; what a camera gave is one or the other.
    """

    faces: tuple[ShownFace, ...] = ()
    frames_per_second: float = 0.0
    faults: Mapping[str, str] = field(default_factory=dict)
    accelerator: str = "cpu"
    camera: str = ""
    age_s: float = 0.0
    processed: int = 0
    dropped: int = 0

    @property
    def expression(self) -> str:
        """What the largest face shows, or "nobody"."""
        return self.faces[0].label if self.faces else NOBODY
