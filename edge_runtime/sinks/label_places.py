"""Where the labels of a picture's faces go: beside their boxes, and not over other faces where there is room."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["Bar", "place_label"]

Bar = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels; right and bottom are exclusive."""


def place_label(box: Bar, size: tuple[int, int], canvas: tuple[int, int], taken: Sequence[Bar]) -> Bar:
    """The place of a label of `size` (width, height) beside a face's box.

    Above the box where nothing is hidden there, else below it, then beside it; where every place hides something, the one
    that hides least. Always within the canvas, as far as the label fits into it.

    Args:
        box: of the face.
        size: of the label.
        canvas: (width, height) of the picture.
        taken: boxes of all faces, and labels that have their place.
    """
    left, top, right, bottom = box
    wide, high = size
    corners = [
        (left, top - high),
        (right - wide, top - high),
        (left, bottom),
        (right - wide, bottom),
        (right, top),
        (left - wide, top),
        (left, top),
    ]
    places = []
    for x, y in corners:
        x, y = max(0, min(x, canvas[0] - wide)), max(0, min(y, canvas[1] - high))
        places.append((x, y, x + wide, y + high))
    return min(places, key=lambda place: sum(_shared(place, other) for other in taken))


def _shared(one: Bar, other: Bar) -> int:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return max(0, wide) * max(0, high)
