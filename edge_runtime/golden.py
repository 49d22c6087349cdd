"""The golden self-test: made-up frames with the crops and outputs that they gave where the bundle was packed.

Each stage is compared by itself, so that a failure names its cause: the crops tell colour order and resizing, the
stored inputs for stored crops tell the illumination normalisation, the stored outputs for stored inputs tell the
kernels, and the stored names tell the order of the labels. Inputs are stored where the bundle normalises; elsewhere the
crops are the inputs.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.archives import DamagedArchiveError, read_archive
from edge_runtime.bundle import Bundle, InputFacts
from edge_runtime.errors import BundleError
from edge_runtime.geometry import Box
from edge_runtime.illumination import NO_ILLUMINATION, normalize, normalize_all
from edge_runtime.interpreter import Model
from edge_runtime.labels import LabelSet
from edge_runtime.preprocess import crop_face

__all__ = ["Golden", "Verdict", "check", "made_up_frames", "make_golden", "read_golden"]

SEED = 20260101
COUNT = 8
_DRAWN = 64

FRAME_SIZE = (160, 120)
KERNEL_TOLERANCE = 0.1
"""Another kernel may move a probability by this much and still pass, if each decision stays: int8 without XNNPACK moves
them by up to 0.07 on the golden faces."""

_CLEAR_LEAD = 2 * KERNEL_TOLERANCE
"""No kernel that passes overturns it."""

CROP_TOLERANCE = 1
"""Grey levels by which another processor may scale a pixel otherwise and still pass: OpenCV averages areas in float32, and on
ARM it multiplies and adds in one step, so that a mean halfway between two levels falls on either side."""

ILLUMINATION_TOLERANCE = 1
"""Grey levels by which another machine's rounding may move a normalised pixel; see `edge_runtime.illumination`."""

Crop = Callable[[NDArray[np.uint8], Box, int, int], NDArray[np.uint8]]
Normalize = Callable[[NDArray[np.uint8], str], NDArray[np.uint8]]
Run = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


@dataclass(frozen=True)
class Golden:
    """What `golden.npz` holds.

    Attributes:
        frames: uint8 (N, H, W, 3) BGR.
        squares: float64 (N, 4), what to cut out of each frame.
        crops: uint8 (N, S, S, C), as they are cut out.
        inputs: the crops with their illumination normalised; None in a bundle that does not normalise.
        probabilities: float32 (N, L).
        names: of the L outputs.
    """

    frames: NDArray[np.uint8]
    squares: NDArray[np.float64]
    crops: NDArray[np.uint8]
    probabilities: NDArray[np.float32]
    names: tuple[str, ...]
    inputs: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class Verdict:
    """The outcome of one self-test.

    cause: "" where it passed, else "colour order", "resize", "illumination", "label order" or "kernel".
    exact: whether every scaled or normalised pixel and every probability is the same to the last bit.
    largest_difference: of the probabilities for the stored crops or inputs, 0..1.
    message: one line for a person.
    """

    passed: bool
    exact: bool
    cause: str
    largest_difference: float
    message: str


def make_golden(run: Run, labels: LabelSet, facts: InputFacts) -> bytes:
    """The bytes of `golden.npz`: seeded frames, their crops, and what `run` answers for them once they are normalised.

    Of the drawings, the first are taken that `run` decides by a clear lead: of two labels that are almost the same
    to it, another kernel may take the other one.
    """
    frames, squares = made_up_frames(_DRAWN)
    crops = np.stack(
        [
            crop_face(frame, Box(*square), facts.size, facts.channels)
            for frame, square in zip(frames, squares, strict=True)
        ]
    )
    inputs = normalize_all(crops, facts.illumination)
    answers = np.concatenate([run(pixels[None]) for pixels in inputs]).astype(np.float32)
    chosen = _decided(answers)
    members: dict[str, Any] = {"frames": frames[chosen], "squares": squares[chosen], "crops": crops[chosen]}
    members |= {"probabilities": answers[chosen], "names": np.array(labels.names)}
    if facts.illumination != NO_ILLUMINATION:
        members["inputs"] = inputs[chosen]
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **members)
    return buffer.getvalue()


def _decided(answers: NDArray[np.float32]) -> NDArray[np.intp]:
    """The first `COUNT` answers with a clear lead; where there are fewer, those with the largest leads."""
    ordered = np.sort(answers, axis=1)
    leads = ordered[:, -1] - ordered[:, -2] if answers.shape[1] > 1 else ordered[:, -1]
    order = np.argsort(-np.minimum(leads, _CLEAR_LEAD), kind="stable")
    return np.sort(order[:COUNT])


def read_golden(data: bytes) -> Golden:
    """Parses `golden.npz`. Raises BundleError where members are missing or disagree."""
    try:
        archive = read_archive(data)
        members = {name: archive[name] for name in ("frames", "squares", "crops", "probabilities", "names")}
        if "inputs" in archive:
            members["inputs"] = archive["inputs"]
    except (DamagedArchiveError, KeyError) as error:
        raise BundleError(
            f"golden.npz: {error}", "frames, squares, crops, probabilities and names", "pack the bundle again"
        ) from error
    lengths = {len(member) for name, member in members.items() if name != "names"}
    if len(lengths) != 1 or lengths == {0}:
        raise BundleError(
            "golden.npz: members of different length", "one crop and one output a frame", "pack the bundle again"
        )
    names = tuple(str(name) for name in members.pop("names"))
    return Golden(names=names, **members)


def check(
    bundle: Bundle, model: Model, crop: Crop = crop_face, run: Run | None = None, normalize: Normalize = normalize
) -> Verdict:
    """Runs the self-test of `bundle` on `model`.

    Args:
        crop: how this program cuts faces.
        model: of the bundle's `program`.
        run: pixels uint8 (1, S, S, C) to probabilities float32 (1, L); None takes the model's own.
        normalize: how this program normalises a crop by the bundle's method.
    """
    golden = read_golden(bundle.golden)
    run = run or (lambda batch: bundle.probabilities(model.dequantized(model.run(batch))))
    if golden.names != bundle.labels.names:
        return _failed(
            "label order",
            f"the manifest names {', '.join(bundle.labels.names)}, the golden outputs {', '.join(golden.names)}",
        )
    size, channels = bundle.input.size, bundle.input.channels
    squares = [Box(*(float(value) for value in square)) for square in golden.squares]
    crops = np.stack(
        [crop(frame, square, size, channels) for frame, square in zip(golden.frames, squares, strict=True)]
    )
    if crops.shape != golden.crops.shape:
        return _failed("resize", f"crops of {crops.shape[1:]} instead of {golden.crops.shape[1:]}")
    scaled = int(np.abs(crops.astype(np.int16) - golden.crops).max())
    if scaled > CROP_TOLERANCE:
        swapped = np.stack(
            [
                crop(np.ascontiguousarray(frame[..., ::-1]), square, size, channels)
                for frame, square in zip(golden.frames, squares, strict=True)
            ]
        )
        if np.array_equal(swapped, golden.crops) or np.array_equal(swapped[..., ::-1], golden.crops):
            return _failed("colour order", "crops match once red and blue are swapped: frames must be BGR")
        return _failed("resize", f"crops differ by up to {scaled} grey levels: cropping or scaling is not the bundle's")
    illumination = bundle.input.illumination
    if (golden.inputs is None) != (illumination == NO_ILLUMINATION):
        stored = "without" if golden.inputs is None else "with"
        return _failed(
            "illumination", f"the manifest says {illumination!r}, the golden faces are {stored} normalised ones"
        )
    inputs = golden.crops if golden.inputs is None else golden.inputs
    normalized = np.stack([normalize(pixels, illumination) for pixels in golden.crops])
    off = int(np.abs(normalized.astype(np.int16) - inputs).max()) if normalized.shape == inputs.shape else 255
    if off > ILLUMINATION_TOLERANCE:
        return _failed("illumination", f"{illumination} differs from the bundle's by up to {off} grey levels")
    answers = np.concatenate([run(pixels[None]) for pixels in inputs])
    difference = (
        float(np.abs(answers - golden.probabilities).max()) if answers.shape == golden.probabilities.shape else 1.0
    )
    if difference == 0 and off == 0 and scaled == 0:
        return Verdict(True, True, "", 0.0, f"{len(crops)} golden faces, bit-exact")
    order = _permutation(answers, golden.probabilities)
    if order is not None:
        shown = ", ".join(bundle.labels.names[index] for index in order)
        return _failed("label order", f"outputs match once reordered as {shown}", difference)
    same = bool((answers.argmax(axis=1) == golden.probabilities.argmax(axis=1)).all())
    if same and difference <= KERNEL_TOLERANCE:
        moved = [f"crops differ by {scaled} grey level"] * (scaled > 0)
        moved += [f"another kernel moves probabilities by up to {difference:.4f}"] * (difference > 0)
        moved += [f"{illumination} rounds otherwise by {off} grey level"] * (off > 0)
        return Verdict(
            True, False, "", difference, f"{len(crops)} golden faces, same decisions; {', and '.join(moved)}"
        )
    return _failed(
        "kernel",
        f"probabilities of stored crops differ by up to {difference:.4f}: another interpreter, delegate or model",
        difference,
    )


def _failed(cause: str, message: str, difference: float = 1.0) -> Verdict:
    return Verdict(False, False, cause, difference, f"{cause}: {message}")


def _permutation(answers: NDArray[np.float32], expected: NDArray[np.float32]) -> list[int] | None:
    """The order of the columns of `answers` that gives `expected`, where that isn't the given one.

    It must fit exactly, or to within the tolerance where the given order does not: two classes that are almost never
    answered may change places in a kernel's last bits.
    """
    if answers.shape != expected.shape:
        return None
    classes = answers.shape[1]
    distance = np.abs(answers[:, :, None] - expected[:, None, :]).max(axis=0)
    order = [-1] * classes
    pairs = ((float(distance[i, j]), i != j, i, j) for i in range(classes) for j in range(classes))
    for _, _, column, place in sorted(pairs):
        if order[place] < 0 and column not in order:
            order[place] = column
    given = list(range(classes))
    misfit = float(distance[order, given].max())
    allowed = KERNEL_TOLERANCE if float(distance[given, given].max()) > KERNEL_TOLERANCE else 0.0
    return order if order != given and misfit <= allowed else None


def made_up_frames(count: int = COUNT, seed: int = SEED) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Coloured, face-like drawings whose red, green and blue differ, with squares that shrink, grow and leave the frame.

    Returns:
        uint8 (count, 120, 160, 3) BGR, and float64 (count, 4): left, top, right, bottom of each square.
    """
    random = np.random.default_rng(seed)
    width, height = FRAME_SIZE
    frames, squares = [], []
    for _ in range(count):
        coarse = random.integers(0, 256, (6, 8, 3), dtype=np.uint8)
        # Flat blocks, as gradients would make the file thirty times as large.
        frame = cv2.resize(coarse, FRAME_SIZE, interpolation=cv2.INTER_NEAREST)
        side = float(random.uniform(24, 110))
        x, y = float(random.uniform(0.3, 0.7)) * width, float(random.uniform(0.3, 0.7)) * height
        _draw_face(frame, (x, y), side, random)
        frames.append(frame)
        squares.append((x - side / 2, y - side / 2, x + side / 2, y + side / 2))
    return np.stack(frames), np.array(squares, np.float64)


def _draw_face(frame: NDArray[np.uint8], center: tuple[float, float], side: float, random: np.random.Generator) -> None:
    def at(right: float, down: float) -> tuple[int, int]:
        return round(center[0] + right * side), round(center[1] + down * side)

    def length(share: float) -> int:
        return max(1, round(share * side))

    skin = tuple(int(level) for level in random.integers(60, 250, 3))
    dark: Any = tuple(level // 4 for level in skin)
    cv2.ellipse(frame, at(0, 0), (length(0.38), length(0.48)), 0, 0, 360, skin, -1)
    open_eye = float(random.uniform(0.02, 0.08))
    for eye in (-0.17, 0.17):
        cv2.ellipse(frame, at(eye, -0.1), (length(0.08), length(open_eye)), 0, 0, 360, dark, -1)
        cv2.line(
            frame, at(eye - 0.09, -0.2 + float(random.uniform(-0.05, 0.05))), at(eye + 0.09, -0.2), dark, length(0.03)
        )
    cv2.line(frame, at(0, -0.05), at(0, 0.1), dark, length(0.02))
    smile = float(random.uniform(-0.15, 0.15))
    cv2.ellipse(
        frame,
        at(0, 0.25 - smile / 2),
        (length(0.17), length(abs(smile) + 0.02)),
        0,
        *((0, 180) if smile > 0 else (180, 360)),
        dark,
        length(0.04),
    )
