"""From a probability a frame to a label that stands still: averages over time, hysteresis, and "uncertain" as an answer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from edge_runtime.live.quality import Quality
from edge_runtime.settings.deciding import SmoothingSettings

__all__ = ["SETTLING", "UNCERTAIN", "UNCLEAR", "Decider", "Decision", "Smoother"]

UNCERTAIN = "uncertain"
"""The label of a face that no expression can be claimed for."""

SETTLING, UNCLEAR = "settling", "unclear"
"""Why an answer is uncertain: the face is new, or no expression stands out. A face's quality gives further reasons."""

FIRST_FRAME_S = 1 / 15
"""How long a track's first frame counts for, which has no frame before it to tell."""


@dataclass(frozen=True)
class Decision:
    """What is said of a track now.

    Attributes:
        label: an expression of the bundle, or "uncertain".
        score: the averaged probability of the label; of the most probable expression where uncertain.
        emotions: the averaged probabilities, in the bundle's order.
        reason: why it is uncertain; empty for an expression.
        since_s: the time (monotonic seconds) of the frame that brought this label.
    """

    label: str
    score: float
    emotions: Mapping[str, float]
    reason: str
    since_s: float

    @property
    def certain(self) -> bool:
        return self.label != UNCERTAIN


class Smoother:
    """One track's probabilities over time. Deterministic; it reads no clock.

    Averages weigh a frame by the time it stands for, so 10 and 30 frames a second give the same answer. A shown label
    stays until another leads it clearly, or until it lost its ground for a while.

    Args:
        labels: the bundle's names, in the order of its probabilities.
        settings: how calm and how sure.
    """

    def __init__(self, labels: Sequence[str], settings: SmoothingSettings | None = None) -> None:
        self._labels, self._settings = tuple(labels), settings or SmoothingSettings()
        self._sum = [0.0] * len(self._labels)
        self._mean = self._sum
        self._weight = 0.0
        self._first_s: float | None = None
        self._counted_s = 0.0
        self._shown: int | None = None
        self._since_s = 0.0
        self._doubt_since_s: float | None = None
        self._reason = SETTLING

    def update(
        self, probabilities: NDArray[np.floating] | Sequence[float], time_s: float, refused: str = ""
    ) -> Decision:
        """Takes in one frame's answer and says what stands now.

        Args:
            probabilities: one a label.
            time_s: of the frame, monotonic seconds; an earlier time than before counts as the same.
            refused: why this frame must not count, such as "blurred"; its probabilities are not looked at then.

        Raises:
            ValueError: not one finite probability a label.
        """
        if self._first_s is None:
            self._since_s = self._counted_s = time_s
        if not refused:
            self._average(np.asarray(probabilities, float), time_s)
        self._judge(time_s, refused)
        return self._decision()

    def _average(self, probabilities: NDArray[np.float64], time_s: float) -> None:
        # A handful of numbers: Python's own are quicker here than an array's.
        answer = probabilities.tolist()
        if probabilities.shape != (len(self._sum),) or not all(map(math.isfinite, answer)):
            raise ValueError(f"probabilities {probabilities}: expected {len(self._labels)} finite ones")
        elapsed = FIRST_FRAME_S if self._first_s is None else max(0.0, time_s - self._counted_s)
        if self._first_s is None:
            self._first_s = time_s
        self._counted_s = max(self._counted_s, time_s)
        kept = math.exp(-elapsed / self._settings.time_constant_s)
        self._sum = [kept * sum_ + (1 - kept) * new for sum_, new in zip(self._sum, answer, strict=True)]
        self._weight = kept * self._weight + (1 - kept)
        self._mean = [sum_ / self._weight for sum_ in self._sum]

    def _judge(self, time_s: float, refused: str) -> None:
        settings = self._settings
        if self._weight == 0:
            self._reason = refused or SETTLING
            return
        if refused:
            self._doubt(time_s, refused)
            return
        mean = self._mean
        best = mean.index(max(mean))
        lead = mean[best] - max((*mean[:best], *mean[best + 1 :]), default=0.0)
        clear = mean[best] >= settings.threshold and lead >= settings.margin
        if self._shown is None:
            settled = self._first_s is not None and time_s - self._first_s >= settings.settle_s
            if clear and settled:
                self._show(best, time_s)
            else:
                self._reason = SETTLING if not settled else UNCLEAR
        elif best != self._shown and clear and mean[best] - mean[self._shown] >= settings.switch_lead:
            self._show(best, time_s)
        elif mean[self._shown] < settings.threshold - settings.hold or (
            mean[best] - mean[self._shown] >= max(settings.switch_lead, settings.margin)
        ):
            self._doubt(time_s, UNCLEAR)
        else:
            self._doubt_since_s = None

    def _show(self, label: int, time_s: float) -> None:
        self._shown, self._since_s, self._reason, self._doubt_since_s = label, time_s, "", None

    def _doubt(self, time_s: float, reason: str) -> None:
        """A label is not taken back for a passing moment: a change of expression, a blink, a turn of the head."""
        if self._shown is None:
            self._reason = reason
            return
        if self._doubt_since_s is None:
            self._doubt_since_s = time_s
        if time_s - self._doubt_since_s >= self._settings.uncertain_after_s:
            self._shown, self._since_s, self._reason, self._doubt_since_s = None, time_s, reason, None

    def _decision(self) -> Decision:
        emotions = MappingProxyType(dict(zip(self._labels, self._mean, strict=True)))
        if self._shown is None:
            return Decision(UNCERTAIN, max(self._mean, default=0.0), emotions, self._reason, self._since_s)
        return Decision(self._labels[self._shown], self._mean[self._shown], emotions, "", self._since_s)


class Decider:
    """The smoothers of all tracks that live.

    Args:
        labels: the bundle's names.
        settings: of each smoother.
    """

    def __init__(self, labels: Sequence[str], settings: SmoothingSettings | None = None) -> None:
        self._labels, self._settings = tuple(labels), settings or SmoothingSettings()
        self._smoothers: dict[int, Smoother] = {}

    def __len__(self) -> int:
        return len(self._smoothers)

    def decide(
        self,
        track: int,
        probabilities: NDArray[np.floating] | Sequence[float],
        time_s: float,
        quality: Quality | None = None,
    ) -> Decision:
        """What is said of a track after this frame; a face of poor quality does not count, and says why."""
        if track not in self._smoothers:
            self._smoothers[track] = Smoother(self._labels, self._settings)
        refused = "" if quality is None or quality.usable else quality.problems[0]
        return self._smoothers[track].update(probabilities, time_s, refused)

    def forget(self, tracks: Iterable[int]) -> None:
        """Drops the tracks that ended."""
        for track in tracks:
            self._smoothers.pop(track, None)
