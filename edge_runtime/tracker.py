"""Who is who between the frames of a video: the box that overlaps a track's last box most continues it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from edge_runtime.face import Face
from edge_runtime.geometry import Box, iou

__all__ = ["Tracker"]

OVERLAP = 0.3
FORGET_AFTER_FRAMES = 15


@dataclass
class _Track:
    box: Box
    seen_at: int


class Tracker:
    """Gives each face of a frame the number of its track, from 1. Tracks unseen for 15 frames end; numbers are not reused."""

    def __init__(self) -> None:
        self._tracks: dict[int, _Track] = {}
        self._frame = 0
        self._last = 0

    def update(self, faces: list[Face]) -> list[Face]:
        """The same faces, in the same order, with `track` set."""
        self._frame += 1
        self._tracks = {
            number: track
            for number, track in self._tracks.items()
            if self._frame - track.seen_at <= FORGET_AFTER_FRAMES
        }
        pairs = sorted(
            (
                (iou(track.box, face.box), number, index)
                for number, track in self._tracks.items()
                for index, face in enumerate(faces)
            ),
            key=lambda pair: (-pair[0], pair[1], pair[2]),
        )
        chosen: dict[int, int] = {}
        for overlap, number, index in pairs:
            if overlap >= OVERLAP and index not in chosen and number not in chosen.values():
                chosen[index] = number
        for index in range(len(faces)):
            if index not in chosen:
                self._last += 1
                chosen[index] = self._last
            self._tracks[chosen[index]] = _Track(faces[index].box, self._frame)
        return [replace(face, track=chosen[index]) for index, face in enumerate(faces)]
