"""Drawn views: every face of a set distorted once, by a number from which the same view can be drawn again.

A student and its teachers must see the same view. So it is drawn before the step instead of within the net's graph, and
rounded to uint8, as every picture is that a board sees.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from train.augment import Augment

__all__ = ["CHUNK", "DrawnView", "chunks", "draw", "draw_chunk"]

CHUNK = 1024
"""Faces that are drawn at once. The draws follow from it: another number gives other views."""


@dataclass(frozen=True)
class DrawnView:
    """One view of every face: its number, the side in pixels of what is seen, and how a smaller side is made.

    `kind` is that of a stage: "crop" or "resize".
    """

    number: int
    size: int
    kind: str

    def __str__(self) -> str:
        return f"view-{self.number:03d}-{self.size}-{self.kind}"


def chunks(count: int) -> list[slice]:
    """The places 0 … count - 1 in pieces of CHUNK."""
    return [slice(start, min(start + CHUNK, count)) for start in range(0, count, CHUNK)]


def draw(augment: Augment, pixels: NDArray[np.uint8], view: DrawnView, seed: int) -> NDArray[np.uint8]:
    """The view of all `pixels` (N, H, W, C): uint8 (N, size, size, C), the same whenever it is drawn."""
    drawn = np.empty((len(pixels), view.size, view.size, pixels.shape[3]), np.uint8)
    for place in chunks(len(pixels)):
        drawn[place] = draw_chunk(augment, pixels, view, seed, place)
    return drawn


def draw_chunk(
    augment: Augment, pixels: NDArray[np.uint8], view: DrawnView, seed: int, place: slice
) -> NDArray[np.uint8]:
    """One of the chunks of `draw`."""
    random = (
        np.random.SeedSequence([seed, view.number, place.start]).generate_state(2) >> 1
    )  # fits every backend's state
    augment.size, augment.view = view.size, view.kind
    augment.seed_generator.state.assign(random.astype("int64"))
    drawn: NDArray[np.float32] = np.asarray(augment(pixels[place], training=True))
    return np.rint(drawn).astype(np.uint8)
