"""Illumination normalisation: a crop as it would look, or nearly so, under other light.

Training, calibration and the board call `normalize` on the crop at the model's own size, after `edge_runtime.preprocess`
and before the model. Which method a model was trained with is part of its bundle.

    none                     the crop as it is
    histogram_equalization   grey levels spread evenly over the face
    clahe                    the same tile by tile, with limited contrast (Zuiderveld 1994)
    difference_of_gaussians  gamma, band-pass, contrast equalization (Tan & Triggs 2010, section III)
    isotropic_diffusion      reflectance = face / smoothed face (Gross & Brajovic 2003, with constant conductivity)
    dct                      log face without its lowest cosine frequencies (Chen, Er & Wu 2006)

The first two are integers and table look-ups: the same bits everywhere. OpenCV blends the tiles of `clahe` in float32,
where a fused multiply-add may move a pixel by one grey level. The last three are float64 until one rounding; arithmetic
of other machines differs in the twelfth digit, so a pixel moves, by one level, only where it lies that close to a half.
The self-test of a bundle allows one level.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import UsageError

__all__ = ["ILLUMINATIONS", "NO_ILLUMINATION", "check_illumination", "normalize", "normalize_all"]

NO_ILLUMINATION = "none"

_CLAHE_CLIP = 4.0
"""Times the mean of a tile's histogram. At OpenCV's usual 2, a tile of 12 × 12 px is hardly equalized at all."""
_CLAHE_TILES = (4, 4)
"""So that a tile of a face of 48 px still holds 144 pixels; the usual 8 × 8 would leave 36."""

_GAMMA = 0.2
_NARROW_SIGMA_PX, _WIDE_SIGMA_PX = 1.0, 2.0
"""Tan & Triggs' own gamma and widths, in pixels whatever the size of the face."""

_DIFFUSION_LENGTH = 1 / 12
"""How far light is taken to be smooth, as a share of the face's shorter side: 4 px of 48, about the height of an eye."""

_DCT_ORDER = 5
"""Frequencies u + v up to this go: the mean and 20 others. The count is the paper's free parameter; more takes the
shape of the mouth away with the light."""

_STEEPNESS = 4.0
"""Mean deviations at which tanh bends (tau of Tan & Triggs, there 10 of a smaller unit)."""
_LEAST_CONTRAST = 2e-3
"""Deviation below which a face counts as flat: the noise of a grey wall is not stretched to a picture."""

Method = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]


def check_illumination(name: object) -> str:
    """`name`, where it is one of ILLUMINATIONS. Raises UsageError with the nearest right one."""
    if isinstance(name, str) and name in _METHODS:
        return name
    near = difflib.get_close_matches(str(name).lower(), ILLUMINATIONS, n=1)
    mend = f"did you mean {near[0]!r}?" if near else "use one of those, or upgrade fer-edge where a newer one made it"
    raise UsageError(f"illumination {name!r}", f"one of {', '.join(ILLUMINATIONS)}", mend)


def normalize(face: NDArray[np.uint8], name: str) -> NDArray[np.uint8]:
    """One face with its illumination normalised.

    Args:
        face: uint8 (H, W), (H, W, 1), or BGR (H, W, 3). Of a BGR face, the luminance Y of Y'CrCb is normalised and the
            colour differences stay, so that a grey face in three channels stays grey.
        name: of the method.

    Returns:
        uint8 of the same shape; the same array for "none".

    Raises:
        UsageError: an unknown name, or an array of another dtype or shape.
    """
    method = _METHODS[check_illumination(name)]
    _check_faces(face, face.shape, "a face")
    if method is None:
        return face
    if face.ndim == 3 and face.shape[2] == 3:
        parts = cv2.cvtColor(face, cv2.COLOR_BGR2YCrCb)
        parts[..., 0] = method(np.ascontiguousarray(parts[..., 0]))
        colour: NDArray[np.uint8] = cv2.cvtColor(parts, cv2.COLOR_YCrCb2BGR)
        return colour
    return method(np.ascontiguousarray(face.reshape(face.shape[:2]))).reshape(face.shape)


def normalize_all(pixels: NDArray[np.uint8], name: str) -> NDArray[np.uint8]:
    """`normalize` of each of N faces: uint8 (N, H, W) or (N, H, W, 1 or 3) in and out; the same array for "none"."""
    check_illumination(name)
    _check_faces(pixels, pixels.shape[1:], "faces")
    if name == NO_ILLUMINATION:
        return pixels
    normalized = np.empty_like(pixels)
    for index, face in enumerate(pixels):
        normalized[index] = normalize(face, name)
    return normalized


def _check_faces(array: NDArray[np.uint8], shape: tuple[int, ...], what: str) -> None:
    grey = len(shape) == 2 or (len(shape) == 3 and shape[2] == 1)
    if array.dtype != np.uint8 or not (grey or (len(shape) == 3 and shape[2] == 3)) or 0 in shape:
        raise UsageError(
            f"{what} {array.dtype} {array.shape}",
            "uint8 (H, W), (H, W, 1) or BGR (H, W, 3), not empty",
            "cut it out with edge_runtime.preprocess",
        )


def _histogram_equalization(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    equalized: NDArray[np.uint8] = cv2.equalizeHist(grey)
    return equalized


def _clahe(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    equalized: NDArray[np.uint8] = cv2.createCLAHE(_CLAHE_CLIP, _CLAHE_TILES).apply(grey)
    return equalized


def _difference_of_gaussians(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    light = ((np.arange(256) / 255) ** _GAMMA)[grey]
    narrow, wide = (
        cv2.GaussianBlur(light, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
        for sigma in (_NARROW_SIGMA_PX, _WIDE_SIGMA_PX)
    )
    return _with_equal_contrast(narrow - wide)


def _isotropic_diffusion(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    # The light L minimises the sum of (L - I)² + length² |∇L|²: the linear system (1 - length² ∇²) L = I. Mirrored
    # borders make it diagonal in cosine frequencies, where the second difference is 4 sin². L lies between the
    # darkest and the brightest pixel, so one grey level added to both keeps the quotient finite.
    height, width = grey.shape
    length_px = _DIFFUSION_LENGTH * min(height, width)
    down, right = (4 * np.sin(np.pi * np.arange(side) / (2 * side)) ** 2 for side in (height, width))
    damping = 1 + length_px**2 * (down[:, None] + right[None, :])
    face = grey.astype(np.float64) + 1
    light = _from_frequencies(_frequencies(face) / damping)
    return _with_equal_contrast(face / light - 1)


def _dct(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    # The paper stays in the logarithm, too: its exponential would bring back dark and bright sides.
    frequencies = _frequencies(np.log(np.arange(256) + 1.0)[grey])
    height, width = grey.shape
    frequencies[np.add.outer(np.arange(height), np.arange(width)) <= _DCT_ORDER] = 0
    return _with_equal_contrast(_from_frequencies(frequencies))


def _with_equal_contrast(detail: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Signed detail as grey levels 1 to 255 about 128, in the same contrast for each face.

    Tan & Triggs' contrast equalization, with the mean of the deviations where they have the tenth power of the mean of
    tenth roots: that one vanishes, and saturates the face, where a border of even grey surrounds it.
    """
    deviation = max(float(np.abs(detail).mean()), _LEAST_CONTRAST)
    grey: NDArray[np.uint8] = np.rint(128 + 127 * np.tanh(detail / (_STEEPNESS * deviation))).astype(np.uint8)
    return grey


def _frequencies(picture: NDArray[np.float64]) -> NDArray[np.float64]:
    """The orthonormal two-dimensional DCT-II, for sides of any length; `cv2.dct` takes even ones only."""
    height, width = picture.shape
    frequencies: NDArray[np.float64] = _cosines(height) @ picture @ _cosines(width).T
    return frequencies


def _from_frequencies(frequencies: NDArray[np.float64]) -> NDArray[np.float64]:
    height, width = frequencies.shape
    picture: NDArray[np.float64] = _cosines(height).T @ frequencies @ _cosines(width)
    return picture


@functools.lru_cache(maxsize=4)
def _cosines(side: int) -> NDArray[np.float64]:
    """The matrix (side, side) of the orthonormal DCT-II: row u is the cosine of frequency u."""
    rows, columns = np.arange(side)[:, None], np.arange(side)[None, :]
    matrix: NDArray[np.float64] = np.sqrt(2 / side) * np.cos(np.pi * (2 * columns + 1) * rows / (2 * side))
    matrix[0] /= np.sqrt(2)
    matrix.flags.writeable = False
    return matrix


_METHODS: dict[str, Method | None] = {
    NO_ILLUMINATION: None,
    "histogram_equalization": _histogram_equalization,
    "clahe": _clahe,
    "difference_of_gaussians": _difference_of_gaussians,
    "isotropic_diffusion": _isotropic_diffusion,
    "dct": _dct,
}

ILLUMINATIONS = tuple(_METHODS)
"""The names, in the order in which they are listed to people."""
