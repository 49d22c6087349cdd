"""The frames of a detectors' page in which a face was lost or won, with what both sides found drawn in."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from convert.detector_parity.measures import Change, DetectorComparison
from edge_runtime.detectors.decode import Found
from edge_runtime.framesets import FrameSet, Marks
from edge_runtime.pages import Html, counted, picture, section, tag

__all__ = ["changed_frames", "drawn"]

_SIDE_PX = 320
_FACE, _REFERENCE, _CANDIDATE = (80, 220, 60), (60, 60, 255), (255, 170, 40)
"""BGR: what is there green, what the reference found red, what the candidate found blue."""


def changed_frames(
    comparison: DetectorComparison,
    frames: FrameSet,
    reference: Sequence[Found],
    candidate: Sequence[Found],
    shown: int,
) -> Html:
    """Up to `shown` frames, those with the most lost faces first."""
    name = comparison.candidate.name
    if not comparison.changes:
        return section("Changed frames", tag("p", f"{name} finds the faces that {comparison.reference.name} finds."))
    items = []
    for change in comparison.changes[:shown]:
        found = [
            side[change.frame].at(side[change.frame].scores >= comparison.threshold) for side in (reference, candidate)
        ]
        items.append(_item(change, drawn(frames.image(change.frame), frames.marks[change.frame], *found)))
    count = len(comparison.changes)
    of = f"{counted(len(items))} of {counted(count)} frames" if len(items) < count else f"{counted(count)} frames"
    note = (
        f"{of} in which a face was lost or won, from a score of {comparison.threshold:.3f} on. Green: what is there; red:"
        f" {comparison.reference.name}; blue: {name}."
    )
    return section("Changed frames", tag("ul", *items, class_="gallery frames"), note=note)


def drawn(image: NDArray[np.uint8], marks: Marks, reference: Found, candidate: Found) -> NDArray[np.uint8]:
    """A BGR copy of a frame, at most _SIDE_PX wide, with the faces that are there and the boxes of both sides."""
    scale = min(1.0, _SIDE_PX / image.shape[1])
    colour = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) if image.ndim == 2 else image.copy()
    if scale < 1:
        colour = cv2.resize(colour, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    for boxes, shade, thickness in (
        (marks.boxes, _FACE, 1),
        (reference.boxes, _REFERENCE, 2),
        (candidate.boxes, _CANDIDATE, 1),
    ):
        for left, top, right, bottom in np.rint(boxes * scale).astype(int).tolist():
            cv2.rectangle(colour, (left, top), (right - 1, bottom - 1), shade, thickness)
    result: NDArray[np.uint8] = colour
    return result


def _item(change: Change, pixels: NDArray[np.uint8]) -> Html:
    words = f"{change.lost} lost, {change.won} won"
    alt = f"Frame {change.frame}: {words}; boxes of what is there, of the reference and of the candidate"
    caption = tag("figcaption", tag("b", words), f"frame {change.frame}")
    return tag("li", tag("figure", picture(pixels, alt, _SIDE_PX), caption))
