"""The golden self-test of a detector's bundle: made-up frames, what they were scaled to, and what the net said.

frames      uint8 (N, H, W, 3), BGR
pixels      uint8 (N, height, width, channels): the frames as the net reads them
answers     float32 (N, A, 15): score, distances and landmarks of every cell
"""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edge_runtime.archives import DamagedArchiveError, read_archive
from edge_runtime.detectors.detector_bundle import DetectorBundle, DetectorFacts
from edge_runtime.detectors.letterbox import letterbox
from edge_runtime.errors import BundleError
from edge_runtime.golden import Verdict, made_up_frames

__all__ = ["check_detector", "make_detector_golden"]

SCORE_TOLERANCE, LENGTH_TOLERANCE = 0.1, 0.5
"""Another kernel may move a score by this much, and a length by so many strides, and still pass."""

Answer = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""What the net reads, uint8 (height, width, channels), to what it says of every cell, float32 (A, 15)."""


def make_detector_golden(answer: Answer, facts: DetectorFacts) -> bytes:
    """The bytes of `golden.npz`."""
    frames, _ = made_up_frames()
    pixels = np.stack([_scaled(frame, facts) for frame in frames])
    buffer = io.BytesIO()
    answers = np.stack([answer(each) for each in pixels])
    np.savez_compressed(buffer, frames=frames, pixels=pixels, answers=answers.astype(np.float32))
    return buffer.getvalue()


def check_detector(bundle: DetectorBundle, answer: Answer) -> Verdict:
    """Whether this machine scales and answers as the one where the bundle was packed.

    Raises:
        BundleError: no golden members, or ones that disagree.
    """
    frames, expected_pixels, expected = _read(bundle)
    pixels = np.stack([_scaled(frame, bundle.facts) for frame in frames])
    if pixels.shape != expected_pixels.shape or not np.array_equal(pixels, expected_pixels):
        swapped = np.stack([_scaled(np.ascontiguousarray(frame[..., ::-1]), bundle.facts) for frame in frames])
        if swapped.shape == expected_pixels.shape and np.array_equal(swapped, expected_pixels):
            return _failed("colour order", "frames match once red and blue are swapped: they must be BGR")
        return _failed("resize", "frames are not scaled as where the bundle was packed")
    answers = np.stack([answer(each) for each in expected_pixels])
    if answers.shape != expected.shape:
        return _failed("kernel", f"answers {answers.shape[1:]} instead of {expected.shape[1:]}")
    scores = float(np.abs(answers[..., 0] - expected[..., 0]).max())
    lengths = float(np.abs(answers[..., 1:] - expected[..., 1:]).max())
    if scores == 0 and lengths == 0:
        return Verdict(True, True, "", 0.0, f"{len(frames)} golden frames, bit-exact")
    moved = f"scores by up to {scores:.4f} and lengths by {lengths:.4f} strides"
    if scores <= SCORE_TOLERANCE and lengths <= LENGTH_TOLERANCE:
        return Verdict(True, False, "", scores, f"{len(frames)} golden frames; another kernel moves {moved}")
    return _failed("kernel", f"it moves {moved}: another interpreter, delegate or model", scores)


def _read(bundle: DetectorBundle) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float32]]:
    try:
        archive = read_archive(bundle.golden)
        frames, pixels, answers = (archive[name] for name in ("frames", "pixels", "answers"))
    except (DamagedArchiveError, KeyError) as error:
        raise BundleError(
            f"bundle {bundle.name}: golden.npz: {error}", "frames, pixels and answers", "pack the bundle again"
        ) from error
    if not len(frames) == len(pixels) == len(answers) or not len(frames):
        raise BundleError(
            f"bundle {bundle.name}: {len(frames)} golden frames, {len(answers)} answers", "as many", "pack it again"
        )
    return frames, pixels, answers


def _scaled(frame: NDArray[np.uint8], facts: DetectorFacts) -> NDArray[np.uint8]:
    return letterbox(frame, facts.width, facts.height, facts.channels)[0]


def _failed(cause: str, message: str, difference: float = 1.0) -> Verdict:
    return Verdict(False, False, cause, difference, f"{cause}: {message}")
