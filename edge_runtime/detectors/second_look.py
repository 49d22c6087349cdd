"""A second look at what was found: closer, and cut from the frame's own pixels, where these show more; mirrored otherwise.

A badge, a lamp or a knot of branches may look like a face at a fraction of its size or from one side, and hardly ever does so twice. A
face does, and its landmarks are the better for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.detectors.decode import Floats, Found, overlaps, suppress

__all__ = ["MOST_LOOKS", "SURE", "confirmed", "doubtful_from"]

MOST_LOOKS = 8
"""Close-ups of one frame, of which one at half the size counts half, as it takes less than half the time. The surest finds come
first; what no close-up has shown is looked for in the mirrored frame."""

SURE = 0.75
"""From this score on a first look needs no second: no badge or lamp has come so far, and most faces of a live picture do."""

_DOUBT = 0.1
"""How far from `second_look` a find is looked at mirrored: that look seldom says something else by more than twice as much."""

_LARGE_PX = 32
"""From this height on, in pixels of the input, half the scale shows enough of a face; what else looks like one seldom does so at two scales."""

_LEAST_GAIN = 1.2
"""How much larger a close-up must show a face than the first look did."""

_ROOM = 3.0
"""Heights of the face that a close-up holds."""

_SAME = 0.4
_LEAST_SCORE, _HIGH = 0.02, 0.7

Look = Callable[[NDArray[np.uint8], float], Found]
"""A frame and the lowest score to what is found in it, in the frame's pixels, the surest first."""


def doubtful_from(second_look: float) -> float:
    """The score from which a find is worth a second look: with less, that one would have to be surer than nets commonly are."""
    return max(_LEAST_SCORE, 2 * second_look - _HIGH)


@dataclass(frozen=True)
class _Glass:
    """What close-ups are looked at through: a net's input."""

    look: Look
    size: tuple[int, int]
    cost: float

    def scale(self, box: Floats) -> np.float32:
        """At which it shows a face."""
        scale: np.float32 = _scales_of(box[None], self.size)[0]
        return scale


def confirmed(
    image: NDArray[np.uint8],
    found: Found,
    look: Look,
    size: tuple[int, int],
    second_look: float,
    overlap: float,
    half_look: Look | None = None,
) -> Found:
    """The faces among the finds of a first look, the surest first.

    Args:
        image: the frame, uint8 (H, W, 3) or (H, W).
        found: what the first look, at the whole of it, found from `doubtful_from` on.
        look: how a part is looked at.
        size: (width, height) that each look scales its picture to.
        second_look: from which mean of both looks' scores it is a face. One of `SURE`, or that no close-up can show larger and
            that is not in doubt, is judged by the first look. Box and landmarks are the close-up's, or the mean of the
            frame's and its mirror image's.
        overlap: above which the less sure of two is dropped.
        half_look: a look that scales its picture to half that size. Close-ups that show the face larger in it all the same are
            left to it, and so are large faces of a mirrored frame; None looks at everything with `look`.
    """
    seen_at = _scale(image.shape[1], image.shape[0], size)
    least_scale = _LEAST_GAIN * seen_at
    glasses = [_Glass(look, size, 1.0)]
    if half_look is not None:
        glasses.insert(0, _Glass(half_look, (size[0] // 2, size[1] // 2), 0.5))
    scales = _scales_of(found.boxes, size)
    pending = (scales >= least_scale) & (found.scores < SURE)
    once = ~pending
    parts, looks = [], 0.0
    while pending.any() and looks < MOST_LOOKS:
        first = int(np.flatnonzero(pending)[found.scores[pending].argmax()])
        box = found.boxes[first]
        glass, scale = next(pair for pair in ((each, each.scale(box)) for each in glasses) if pair[1] >= least_scale)
        part = _part_about(box, scale, image.shape, glass.size)
        closer = _close_up(image, part, glass.look, doubtful_from(second_look))
        looks += glass.cost
        shown = pending & _within(found.boxes, part, image.shape) & (scales <= _LEAST_GAIN * scale)
        shown[first] = True
        parts.append(_both(found.at(shown), closer, second_look))
        pending &= ~shown
    once |= pending
    doubtful = once & (np.abs(found.scores - second_look) < _DOUBT) & (found.scores < SURE)
    large = (found.boxes[:, 3] - found.boxes[:, 1]) * seen_at >= (np.inf if half_look is None else _LARGE_PX)
    for again, chosen in ((look, doubtful & ~large), (half_look or look, doubtful & large)):
        if chosen.any():
            mirrored = again(_flipped(image), doubtful_from(second_look)).mirrored(image.shape[1])
            parts.append(_both(found.at(chosen), mirrored, second_look, first_share=0.5))
    parts.append(found.at(once & ~doubtful & (found.scores >= min(second_look, SURE))))
    return suppress(_joined(parts), overlap)


def _close_up(image: NDArray[np.uint8], part: tuple[int, int, int, int], look: Look, threshold: float) -> Found:
    """What a look at a part of the frame finds, in the frame's pixels."""
    left, top, right, bottom = part
    found = look(np.ascontiguousarray(image[top:bottom, left:right]), threshold)
    corner = np.array([left, top], np.float32)
    return Found(found.boxes + np.tile(corner, 2), found.scores, found.points + corner)


def _flipped(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    flipped: NDArray[np.uint8] = cv2.flip(image, 1)
    return flipped


def _both(first: Found, second: Found, second_look: float, first_share: float = 0.0) -> Found:
    """Of finds that were looked at again, those that the second look confirms, with the mean of both scores.

    `first_share` is what the first look has to say in the box and the landmarks.
    """
    if not len(second):
        return second
    alike = overlaps(first.boxes, second.boxes)
    nearest = alike.argmax(axis=1)
    means = (first.scores + second.scores[nearest]) / 2
    sure = (alike.max(axis=1) > _SAME) & (means >= second_look)
    one, other = first.at(sure), second.at(nearest[sure])
    boxes, points = (
        np.asarray(first_share * a + (1 - first_share) * b, np.float32)
        for a, b in ((one.boxes, other.boxes), (one.points, other.points))
    )
    return Found(boxes, means[sure].astype(np.float32), points)


def _scales_of(boxes: Floats, size: tuple[int, int]) -> Floats:
    """At which scale each box would be shown: the frame's own, or less for a face that is large there."""
    sides = np.maximum(1.0, (boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=1.0))
    scales: Floats = np.minimum(1.0, min(size) / (_ROOM * sides)).astype(np.float32)
    return scales


def _scale(width: int, height: int, size: tuple[int, int]) -> float:
    return min(size[0] / width, size[1] / height)


def _part_about(
    box: Floats, scale: np.float32, shape: tuple[int, ...], size: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the part of a frame that fills the input at a scale, about a box as far as the frame goes."""
    sides = []
    for low, high, whole, pixels in zip(box[:2], box[2:], (shape[1], shape[0]), size, strict=True):
        length = min(whole, round(pixels / float(scale)))
        start = int(np.clip(round(float(low + high) / 2 - length / 2), 0, whole - length))
        sides.append((start, start + length))
    (left, right), (top, bottom) = sides
    return left, top, right, bottom


def _within(boxes: Floats, part: tuple[int, int, int, int], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Which boxes lie in a part with half their size of room around them, or up to the frame's border."""
    room = (boxes[:, 2:] - boxes[:, :2]) / 2
    low = np.maximum(boxes[:, :2] - room, 0)
    high = np.minimum(boxes[:, 2:] + room, (shape[1], shape[0]))
    within: NDArray[np.bool_] = np.all(low >= part[:2], axis=1) & np.all(high <= part[2:], axis=1)
    return within


def _joined(parts: list[Found]) -> Found:
    return Found(
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.points for part in parts]),
    )
