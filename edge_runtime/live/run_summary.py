"""What a live run came to, for its last line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge_runtime.detectors.regions import REGIONS, WHOLE

__all__ = ["RunSummary"]


@dataclass(frozen=True)
class RunSummary:
    """Counts of one run.

    Attributes:
        frames: that the camera gave, up to the end.
        processed: that passed the whole pipeline.
        newer: dropped because a newer one was there.
        refused: torn ones and ones of a wrong size.
        faces: in all processed frames together.
        outages: how often the camera was lost.
        seconds: of the run.
        ages_ms: from a frame's exposure to its result: the 50th and 99th percentile of the last ones; empty without a result.
        lost: output → lines or events that it lost.
        unfinished: what did not end in time and was left behind.
        searches: where faces were searched ("whole", "regions", "none") → in how many processed frames.
    """

    frames: int = 0
    processed: int = 0
    newer: int = 0
    refused: int = 0
    faces: int = 0
    outages: int = 0
    seconds: float = 0.0
    ages_ms: tuple[float, ...] = ()
    lost: Mapping[str, int] = field(default_factory=dict)
    unfinished: tuple[str, ...] = ()
    searches: Mapping[str, int] = field(default_factory=dict)

    @property
    def accounted(self) -> bool:
        """Whether every frame that came in was processed or dropped."""
        return self.frames == self.processed + self.newer + self.refused

    def line(self) -> str:
        """All of it in one line."""
        parts = [
            f"{self.frames} frame{'s' * (self.frames != 1)}: {self.processed} processed, {self.newer + self.refused} dropped"
            f" ({self.newer} for a newer one, {self.refused} refused); {self.faces} face{'s' * (self.faces != 1)}",
            f"{self.seconds:.1f} s, {self.processed / max(self.seconds, 1e-9):.1f} results/s",
        ]
        if self.ages_ms:
            parts.append(f"age of a result p50 {self.ages_ms[0]:.0f} ms, p99 {self.ages_ms[1]:.0f} ms")
        if self.searches.get(REGIONS):
            parts.append(f"searched whole {self.searches.get(WHOLE, 0)}, about known faces {self.searches[REGIONS]}")
        if self.outages:
            parts.append(f"camera lost {self.outages} time{'s' * (self.outages != 1)}")
        parts += [f"{count} lost by {name}" for name, count in self.lost.items()]
        if self.unfinished:
            parts.append(f"did not end in time: {', '.join(self.unfinished)}")
        return "; ".join(parts)
