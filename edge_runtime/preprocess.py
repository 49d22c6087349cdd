"""THE preprocessing: a frame and a face become the uint8 crop that the model reads.

Training, calibration, parity and the board all call these functions, so a face looks the same everywhere. They do only
what needs the frame's geometry (crop, align, resize, colour order). Everything per pixel (scaling, softmax) is in the model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import UsageError
from edge_runtime.geometry import Box, Landmarks, Point, Similarity, fit_similarity

__all__ = [
    "ALIGNMENTS",
    "NO_ALIGNMENT",
    "PREPROCESS_VERSION",
    "SIMILARITY",
    "TEMPLATE",
    "Framing",
    "align_face",
    "check_alignment",
    "crop_face",
    "cut_face",
    "fit_face",
    "grown",
    "lie_of",
]

PREPROCESS_VERSION = 1
"""Part of every bundle. A change below that changes a pixel raises it."""

NO_ALIGNMENT, SIMILARITY = "none", "similarity"
ALIGNMENTS = (NO_ALIGNMENT, SIMILARITY)
"""How a face is cut out: along the frame's own axes, or turned, scaled and moved so that its landmarks lie as in FER2013."""

TEMPLATE = Landmarks((0.313, 0.383), (0.682, 0.380), (0.495, 0.582), (0.343, 0.751), (0.655, 0.749))
"""Where the landmarks of FER2013's faces lie in their crops, as shares of its side: medians of YuNet's points over 2,771 Training
faces placed in larger pictures, as `python -m benchmarks.framing fer2013.csv --detector yunet:MODEL.onnx` prints them.
"""

MOST_MISFIT = 0.1
"""Landmarks of which more than this share is left over are not aligned by. A head turned by 60° to a side comes to it, as its
eyes and the corners of its mouth are then half as far apart as from the front."""

LEAST_SIDE_PX = 8
"""A smaller face has landmarks less than three pixels apart, and their angle is noise."""

MOST_SAMPLES = 4
"""Samples a pixel of an aligned crop, along each side. A larger face is shrunk first, so that the largest costs no more memory."""


@dataclass(frozen=True)
class Framing:
    """How the square that the model sees follows from a detector's box.

    The side is `scale` × the box's `side` ("width" or "height"); its centre is the box's centre, moved right and down by
    shares of that side. One per detector, measured where the detector finds the faces of the training set
    (`benchmarks/framing.py` prints it).
    """

    side: str
    scale: float
    right: float = 0.0
    down: float = 0.0

    def __post_init__(self) -> None:
        if self.side not in ("width", "height") or not 0.1 < self.scale < 10:
            raise ValueError(f"framing {self}: expected a side of width or height and a scale of 0.1 to 10")

    def square(self, box: Box) -> Box:
        """The square in frame coordinates; it may reach outside the frame."""
        side = (box.width if self.side == "width" else box.height) * self.scale
        x, y = box.center
        x, y = x + self.right * side, y + self.down * side
        return Box(x - side / 2, y - side / 2, x + side / 2, y + side / 2)


def check_alignment(name: str) -> str:
    """The name itself. Raises UsageError, listing ALIGNMENTS, for any other."""
    if name not in ALIGNMENTS:
        raise UsageError(f"alignment {name!r}", f"one of {', '.join(ALIGNMENTS)}", "correct its name")
    return name


def cut_face(
    image: NDArray[np.uint8],
    box: Box,
    landmarks: Landmarks | None,
    framing: Framing,
    size: int,
    channels: int,
    alignment: str = NO_ALIGNMENT,
) -> NDArray[np.uint8]:
    """A detected face as the model reads it.

    Args:
        image: BGR uint8 (H, W, 3), or grey uint8 (H, W).
        box: in pixels of the frame.
        landmarks: likewise, where the detector gives them.
        framing: of the detector.
        size: side of the crop in pixels.
        channels: 1 for grey, 3 for BGR.
        alignment: one of ALIGNMENTS. With "similarity", a face without landmarks, or with ones that `align_face` refuses, is cut
            by its box.

    Returns:
        uint8 (size, size, channels).
    """
    aligned = None
    if alignment == SIMILARITY and landmarks is not None:
        aligned = align_face(image, landmarks, size, channels)
    return crop_face(image, framing.square(box), size, channels) if aligned is None else aligned


def align_face(image: NDArray[np.uint8], landmarks: Landmarks, size: int, channels: int) -> NDArray[np.uint8] | None:
    """Cuts out a face so that its eyes and the corners of its mouth lie as in `TEMPLATE`, in the sense of least squares.

    The nose is left out: it moves sideways as soon as the head turns. Where the face is larger than the crop, each pixel is
    the mean of several samples; parts outside the frame repeat its border.

    Args:
        image: BGR uint8 (H, W, 3), or grey uint8 (H, W).
        landmarks: in pixels of the frame.
        size: side of the crop in pixels.
        channels: 1 for grey, 3 for BGR.

    Returns:
        uint8 (size, size, channels); None where the landmarks do not say how the face lies: one is outside the frame (a
        face cut by the border), they fall together, are mirrored, or fit no face seen from the front.
    """
    height, width = image.shape[:2]
    if not all(0 <= x <= width and 0 <= y <= height for x, y in landmarks.as_tuple()):
        return None
    fit = lie_of(landmarks)
    if fit is None or fit.misfit > MOST_MISFIT or fit.scale < LEAST_SIDE_PX:
        return None
    # Only what is looked at is converted; two pixels more are what a sample between pixels reads.
    edges = [fit.turn * corner + fit.shift for corner in (0, 1, 1j, 1 + 1j)]
    left, right = _reach([edge.real for edge in edges], width)
    top, bottom = _reach([edge.imag for edge in edges], height)
    inside = _with_channels(np.ascontiguousarray(image[top:bottom, left:right]), channels)
    shrink = min(1.0, MOST_SAMPLES * size / fit.scale)
    across, down = (max(1, round(side * shrink)) for side in (right - left, bottom - top))
    right_scale, down_scale = across / (right - left), down / (bottom - top)
    if shrink < 1:
        inside = cv2.resize(inside, (across, down), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    # The hundredth keeps a face of just a multiple of the crop's side from another row of samples.
    side = size * max(1, math.ceil(fit.scale * shrink / size - 0.01))
    # From the middle of a sample to the pixels of `inside`, whose pixel (0, 0) has its own middle at half a pixel.
    step, start = fit.turn / side, fit.turn * complex(0.5, 0.5) / side + fit.shift - complex(left, top)
    matrix = np.array(
        [
            [step.real * right_scale, -step.imag * right_scale, start.real * right_scale - 0.5],
            [step.imag * down_scale, step.real * down_scale, start.imag * down_scale - 0.5],
        ]
    )
    samples = cv2.warpAffine(
        inside,
        matrix,
        (side, side),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return fit_face(samples.astype(np.uint8, copy=False), size, channels)


def _reach(places: list[float], length: int) -> tuple[int, int]:
    """The pixels about some places along one side of a frame, at least one."""
    first = max(0, min(round(min(places)) - 2, length - 1))
    return first, max(first + 1, min(round(max(places)) + 2, length))


def lie_of(landmarks: Landmarks) -> Similarity | None:
    """Where the square of an aligned crop lies: from shares of its side to pixels of the frame. None where points fall together."""
    return fit_similarity(_corners(TEMPLATE), _corners(landmarks))


def _corners(landmarks: Landmarks) -> tuple[Point, ...]:
    """What a face is aligned by: its eyes and the corners of its mouth."""
    return landmarks.right_eye, landmarks.left_eye, landmarks.right_mouth, landmarks.left_mouth


def crop_face(image: NDArray[np.uint8], square: Box, size: int, channels: int) -> NDArray[np.uint8]:
    """Cuts a square out of a frame and scales it to the model's input.

    Args:
        image: BGR uint8 (H, W, 3), or grey uint8 (H, W).
        square: what to cut, in pixels; parts outside the frame repeat its border.
        size: side of the crop in pixels.
        channels: 1 for grey, 3 for BGR.

    Returns:
        uint8 (size, size, channels).
    """
    height, width = image.shape[:2]
    left, top = round(square.left), round(square.top)
    right, bottom = max(left + 1, round(square.right)), max(top + 1, round(square.bottom))
    inside = image[max(0, min(top, height - 1)) : max(1, bottom), max(0, min(left, width - 1)) : max(1, right)]
    # Colour is converted before borders and scaling: the fewest pixels pass through each step.
    inside = _with_channels(inside, channels)
    above, below = max(0, -top), max(0, bottom - height)
    before, behind = max(0, -left), max(0, right - width)
    if above or below or before or behind:
        inside = cv2.copyMakeBorder(inside, above, below, before, behind, cv2.BORDER_REPLICATE)
    return fit_face(inside, size, channels)


def fit_face(face: NDArray[np.uint8], size: int, channels: int) -> NDArray[np.uint8]:
    """Scales a ready-cropped face (H, W) or (H, W, C) to uint8 (size, size, channels).

    Shrinking averages over the area (no aliasing), growing interpolates linearly; a face of that size stays as it is.
    """
    face = _with_channels(face, channels)
    height, width = face.shape[:2]
    if (height, width) != (size, size):
        shrinks = height >= size and width >= size
        face = cv2.resize(face, (size, size), interpolation=cv2.INTER_AREA) if shrinks else grown(face, (size, size))
    return face.reshape(size, size, channels)


def grown(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """A picture scaled linearly to (width, height), the same on every processor. OpenCV for ARM has a kernel of its own for one channel, which is off by up to two grey levels in
    a fourth of all pixels; two channels go the way that they go on every processor (`python -m boards arm64`)."""
    grey = image.ndim == 2 or image.shape[2] == 1
    wide = cv2.merge([image, image]) if grey else image
    scaled: NDArray[np.uint8] = cv2.resize(wide, size, interpolation=cv2.INTER_LINEAR)
    return scaled[..., 0] if grey else scaled


def _with_channels(image: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    grey = image.ndim == 2 or image.shape[2] == 1
    if channels == 1:
        return image.reshape(image.shape[:2]) if grey else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) if grey else image
