"""The options of `face_detector`, readable without Keras: recipes are checked before it is imported."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Options"]


@dataclass(frozen=True)
class Options:
    """width multiplies every channel count; expansions, channels and repeats are those of the stages at strides 4 to 32."""

    width: float = 1.0
    stem: int = 16
    channels: tuple[int, ...] = (24, 40, 72, 112)
    repeats: tuple[int, ...] = (1, 3, 3, 2)
    expansion: int = 3
    head: int = 48

    def __post_init__(self) -> None:
        if len(self.channels) != 4 or len(self.repeats) != 4 or min(*self.channels, *self.repeats) < 1:
            raise ValueError(f"channels {self.channels} and repeats {self.repeats}: four each, for strides 4 to 32")
        if not (0.1 <= self.width <= 4 and 1 <= self.expansion <= 8 and self.stem >= 1 and self.head >= 1):
            raise ValueError(f"width {self.width} or expansion {self.expansion}: 0.1 to 4, and 1 to 8")
