"""Who is who in front of a live camera, through missed detections and irregular frames. `tracker.py` serves recorded videos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge_runtime.geometry import Box
from edge_runtime.live.assignment import FORBIDDEN, assign
from edge_runtime.live.motion import Motion
from edge_runtime.settings.deciding import TrackingSettings

__all__ = ["LiveTracker", "Tracked", "Tracking"]

GATE = 18.47
"""The 99.9 % point of chi square with four degrees of freedom: one true pair in a thousand is turned away."""


@dataclass(frozen=True)
class Tracked:
    """A face with its track.

    Attributes:
        track: its number, from 1; never given twice.
        box: where it was found, or where it is expected between detections.
        confirmed: seen often enough to count as a person.
        unseen_s: seconds since it was last found; 0 in a frame that found it.
    """

    track: int
    box: Box
    confirmed: bool
    unseen_s: float = 0.0


@dataclass(frozen=True)
class Tracking:
    """What one frame's detections meant: `faces` in the order of the boxes, and the tracks that `ended` before it."""

    faces: tuple[Tracked, ...]
    ended: tuple[int, ...]


@dataclass
class _Track:
    motion: Motion
    seen_s: float
    detections: int = 1
    missed: bool = False


class LiveTracker:
    """Gives each detected face the number of its track. Deterministic; it reads no clock.

    A detection continues the track that makes it most likely, all pairs weighed at once. A track ends that was looked for in
    vain and is unseen for `forget_after_s`: where frames are seconds apart, nobody is somebody new in each.
    """

    def __init__(self, settings: TrackingSettings | None = None) -> None:
        self._settings = settings or TrackingSettings()
        self._tracks: dict[int, _Track] = {}
        self._last = 0

    def update(self, boxes: Sequence[Box], time_s: float) -> Tracking:
        """Takes in the boxes found in the frame of `time_s` (monotonic seconds). An empty box is refused (ValueError)."""
        if any(box.area <= 0 for box in boxes):
            raise ValueError("an empty box cannot be tracked: expected a positive width and height")
        ended = self._forget(time_s)  # whoever was missed before and is too late now
        numbers = list(self._tracks)
        costs = [[self._cost(self._tracks[number], box, time_s) for box in boxes] for number in numbers]
        continued = {index: numbers[row] for row, index in assign(costs)}
        faces = []
        for index, box in enumerate(boxes):
            number = continued.get(index)
            if number is None:
                self._last += 1
                number = self._last
                self._tracks[number] = _Track(Motion(box, time_s), time_s)
            else:
                track = self._tracks[number]
                track.motion.correct(box, time_s)
                track.seen_s, track.detections, track.missed = time_s, track.detections + 1, False
            faces.append(Tracked(number, box, self._confirmed(self._tracks[number])))
        for number in set(numbers).difference(continued.values()):
            self._tracks[number].missed = True
        return Tracking(tuple(faces), ended + self._forget(time_s))

    def expected(self, time_s: float) -> tuple[Tracked, ...]:
        """Where every living track's face is at `time_s`, for frames without detection. Changes nothing."""
        return tuple(
            Tracked(number, track.motion.expected(time_s), self._confirmed(track), max(0.0, time_s - track.seen_s))
            for number, track in self._tracks.items()
            if time_s - track.seen_s <= self._settings.forget_after_s
        )

    def close(self) -> tuple[int, ...]:
        """Ends every track and says which; for the end of a run and the loss of a camera."""
        ended = tuple(self._tracks)
        self._tracks.clear()
        return ended

    def _forget(self, time_s: float) -> tuple[int, ...]:
        late = self._settings.forget_after_s
        ended = tuple(number for number, track in self._tracks.items() if track.missed and time_s - track.seen_s > late)
        for number in ended:
            del self._tracks[number]
        return ended

    def _cost(self, track: _Track, box: Box, time_s: float) -> float:
        expected = track.motion.expected(time_s)
        (x, y), (found_x, found_y) = expected.center, box.center
        far = max(abs(found_x - x), abs(found_y - y)) > self._settings.reach * track.motion.size
        distance, cost = track.motion.surprise(box, time_s)
        return FORBIDDEN if far or distance > GATE else cost

    def _confirmed(self, track: _Track) -> bool:
        return track.detections >= self._settings.confirm_detections
