"""One finished epoch, and the line that says so."""

from __future__ import annotations

from dataclasses import dataclass

from train.terminal import duration

__all__ = ["Progress"]


@dataclass(frozen=True)
class Progress:
    """One finished epoch: shares are 0..1, times seconds."""

    epoch: int
    epochs: int
    loss: float
    accuracy: float
    chosen_accuracy: float
    learning_rate: float
    images_per_s: float
    remaining_s: float

    def line(self, choosing: str) -> str:
        """For a terminal; `choosing` names the faces that the epoch was judged on."""
        digits = len(str(self.epochs))
        left = f"{duration(self.remaining_s)} left" if self.epoch < self.epochs else "done"
        return (
            f"epoch {self.epoch:{digits}d}/{self.epochs}  loss {self.loss:.4f}  accuracy {100 * self.accuracy:5.2f} %"
            f"  {choosing} {100 * self.chosen_accuracy:5.2f} %  {self.images_per_s:5.0f} images/s  {left}"
        )
