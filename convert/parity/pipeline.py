"""Whole pipelines side by side on the same pictures and videos: the faces that each finds, and what it calls them.

Nobody has labelled these faces, so nothing is said of who is right: only whether a change of model or detector changes what
a user sees. Faces are matched frame by frame, the pairs that overlap most first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from convert.parity.shares import Share
from edge_runtime.face import Face
from edge_runtime.geometry import iou
from edge_runtime.labels import canonical

__all__ = ["OVERLAP", "PipelineParity", "Shot", "TrackParity", "compare_shots"]

OVERLAP = 0.5
"""Intersection over union from which two boxes are of one face (Everingham et al. 2010, Pascal VOC). Haar's and YuNet's
boxes of one face overlap by about 0.8."""


@dataclass(frozen=True)
class Shot:
    """The faces that a side found in one picture, or in one frame of a video; `frame` counts from 0."""

    source: str
    frame: int
    faces: tuple[Face, ...]


@dataclass(frozen=True)
class TrackParity:
    """One face of a video over time, as the reference follows it.

    Attributes:
        source: the video.
        track: its number there.
        frames: in which the candidate has the face too.
        alike: in how many of them both give it one label.
        reference_changes, candidate_changes: how often either side's label changes from one of them to the next.
    """

    source: str
    track: int
    frames: int
    alike: int
    reference_changes: int
    candidate_changes: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class PipelineParity:
    """A candidate against the reference.

    Attributes:
        shots: pictures and frames that both saw.
        matched: faces that both found.
        alike: of these, how many both give one label.
        only_reference, only_candidate: faces that one side alone found.
        mean_overlap, least_overlap: of the matched boxes, 0 to 1; None where there is none.
        tracks: of videos; those that the candidate never has are left out.
    """

    shots: int
    matched: int
    alike: int
    only_reference: int
    only_candidate: int
    mean_overlap: float | None
    least_overlap: float | None
    tracks: tuple[TrackParity, ...]

    @property
    def faces(self) -> int:
        """Those that either side found."""
        return self.matched + self.only_reference + self.only_candidate

    @property
    def agreement(self) -> Share | None:
        """Of the faces that either side found, those that both found and name alike; None where there is no face."""
        return Share(self.alike, self.faces) if self.faces else None

    def as_json(self) -> dict[str, Any]:
        agreement = self.agreement
        return {
            "shots": self.shots,
            "matched": self.matched,
            "alike": self.alike,
            "only_reference": self.only_reference,
            "only_candidate": self.only_candidate,
            "mean_overlap": self.mean_overlap,
            "least_overlap": self.least_overlap,
            "agreement": None if agreement is None else agreement.as_json(),
            "tracks": [track.as_json() for track in self.tracks],
        }


def compare_shots(reference: Sequence[Shot], candidate: Sequence[Shot]) -> PipelineParity:
    """Compares what two sides found.

    Args:
        reference, candidate: of the same pictures and frames, in the same order; faces of videos have their `track`.
    """
    overlaps: list[float] = []
    alike = only_reference = only_candidate = 0
    over_time: dict[tuple[str, int], list[tuple[str, str]]] = {}
    for one, other in zip(reference, candidate, strict=True):
        if (one.source, one.frame) != (other.source, other.frame):
            raise ValueError(f"{one.source} {one.frame} beside {other.source} {other.frame}: expected the same shots")
        pairs = list(_matched(one.faces, other.faces))
        only_reference += len(one.faces) - len(pairs)
        only_candidate += len(other.faces) - len(pairs)
        for overlap, was, now in pairs:
            names = canonical(was.label), canonical(now.label)
            overlaps.append(overlap)
            alike += names[0] == names[1]
            if was.track is not None:
                over_time.setdefault((one.source, was.track), []).append(names)
    return PipelineParity(
        len(reference),
        len(overlaps),
        alike,
        only_reference,
        only_candidate,
        sum(overlaps) / len(overlaps) if overlaps else None,
        min(overlaps, default=None),
        tuple(_track(source, track, names) for (source, track), names in sorted(over_time.items())),
    )


def _matched(ours: Sequence[Face], theirs: Sequence[Face]) -> Iterator[tuple[float, Face, Face]]:
    """Overlap and both faces of each pair, the largest overlap first; each face is in one pair at most."""
    pairs = sorted(
        ((iou(one.box, other.box), i, j) for i, one in enumerate(ours) for j, other in enumerate(theirs)),
        key=lambda pair: (-pair[0], pair[1], pair[2]),
    )
    taken: set[int] = set()
    given: set[int] = set()
    for overlap, i, j in pairs:
        if overlap >= OVERLAP and i not in taken and j not in given:
            taken.add(i)
            given.add(j)
            yield overlap, ours[i], theirs[j]


def _track(source: str, track: int, names: Sequence[tuple[str, str]]) -> TrackParity:
    alike = sum(one == other for one, other in names)
    changes = [sum(before[side] != after[side] for before, after in pairwise(names)) for side in (0, 1)]
    return TrackParity(source, track, len(names), alike, changes[0], changes[1])
