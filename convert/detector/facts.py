"""What a detector's net reads and answers, told from its shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge_runtime.detectors.decode import Grid, output_places

__all__ = ["NetFacts"]


@dataclass(frozen=True)
class NetFacts:
    """Pixels of `width` × `height` with `channels` in, and for each of `strides` an output of scores, boxes and landmarks."""

    width: int
    height: int
    channels: int
    strides: tuple[int, ...]

    @classmethod
    def of(cls, read: Sequence[int], given: Sequence[tuple[int, ...]]) -> NetFacts:
        """The facts of a net that reads (1, H, W, C) and answers outputs of the shapes (1, rows, columns, values).

        Raises:
            ValueError: no detector; the text says what is missing.
        """
        if len(read) != 4 or read[0] != 1 or read[3] not in (1, 3) or min(read) < 1:
            raise ValueError("an input of (1, height, width, 1 or 3)")
        _, height, width, channels = read
        strides = sorted({height // shape[1] for shape in given if len(shape) == 4 and shape[3] == 1 and shape[1] > 0})
        facts = cls(width, height, channels, tuple(strides))
        levels = len(strides)
        if not levels or 0 in strides or len(given) != 3 * levels:
            raise ValueError("a score, a box and landmarks for each cell of each level")
        output_places(given, facts.grid)
        return facts

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of one picture: (height, width, channels)."""
        return self.height, self.width, self.channels

    @property
    def grid(self) -> Grid:
        """The cells."""
        return Grid.of(self.width, self.height, self.strides)

    def __str__(self) -> str:
        colours = "grey" if self.channels == 1 else "BGR"
        return f"{self.width} × {self.height} px, {colours}, strides {', '.join(map(str, self.strides))}"
