"""Gathers, while the models are at hand, the evidence that `python -m convert explain` weighs later.

    probes = gather_probes(reference_side, candidate_side, reference_answers, candidate_answers, task.faces)

Whatever cannot be gathered is left out with its reason: a probe never stops a comparison.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.parity.answers import Answers
from convert.parity.evidence import (
    ColourOrder,
    Fed,
    InputScale,
    LabelOrder,
    Match,
    Probe,
    Ranges,
    Skipped,
    ZeroWeights,
)
from convert.parity.ranges import measure_ranges, zero_weights
from convert.parity.record_side import RecordSide
from convert.parity.sides import ModelSide, Options, open_side
from convert.parity.task import order_in
from edge_runtime.facesets import FaceSet
from edge_runtime.illumination import normalize_all
from edge_runtime.preprocess import fit_face

__all__ = ["gather_probes", "label_order", "match"]

FACES, FACES_FOR_RANGES = 128, 48
HEALTHY = 0.98
"""With an agreement of this and more the models are not asked again: no wrong colours or scales leave so much of it."""

SCALINGS = (
    ("divided by 255", 1 / 255, 0.0),
    ("brought to -1..1", 1 / 127.5, -1.0),
    ("multiplied by 255", 255.0, 0.0),
    ("multiplied by 127.5 and shifted by as much", 127.5, 127.5),
)


def gather_probes(
    reference: ModelSide | Path | None,
    candidate: ModelSide | Path | None,
    answers_reference: Answers,
    answers_candidate: Answers,
    faces: FaceSet,
    options: Options = Options(),  # noqa: B008 - frozen
) -> tuple[Probe, ...]:
    """Gathers all evidence about one candidate: some seconds for a small net.

    Args:
        reference, candidate: the models, open or where they are; None for a record, whose model is not here. What needs
            the model is then skipped.
        answers_reference, answers_candidate: on `faces`, in their order, the classes in the order of its labels.
        faces: as the data set has them; each model's own size and illumination are made here.
        options: how models are opened.
    """
    one, other = answers_reference.probabilities, answers_candidate.probabilities
    found: list[Probe] = []
    _try(found, LabelOrder.kind, lambda: label_order(one, other))
    asked = _opened(found, candidate, answers_candidate.name, options)
    if asked is None:
        return (*found, *([] if candidate else [Skipped("model", "the candidate is a record: its model is not here")]))
    original = _opened(found, reference, answers_reference.name, options)
    content = getattr(asked, "content", None)
    if isinstance(content, bytes):
        file: bytes = content
        _try(found, ZeroWeights.kind, lambda: zero_weights(file, getattr(original, "content", None)))
        few = faces.where(_spread(len(faces), FACES_FOR_RANGES))
        _try(found, Ranges.kind, lambda: measure_ranges(file, _read(asked, few)))
    if match(one, other).agreement >= HEALTHY:
        return tuple(found)
    chosen = _spread(len(faces), FACES)
    some, one, other = faces.where(chosen), one[chosen], other[chosen]
    if faces.pixels.ndim == 4 and asked.about.input.channels == 3:
        _try(found, ColourOrder.kind, lambda: _colour_order(asked, some, one, other))
    if original is not None:
        base: ModelSide = original
        _try(found, InputScale.kind, lambda: _input_scale(base, some, one, other))
    return tuple(found)


def match(one: NDArray[np.float32], other: NDArray[np.float32]) -> Match:
    """How well two sides' probabilities (N, C) agree."""
    agreement = float((one.argmax(axis=1) == other.argmax(axis=1)).mean())
    distance = float(np.abs(one.astype(np.float64) - other).sum(axis=1).mean() / 2)
    return Match(agreement, min(1.0, distance))


def label_order(reference: NDArray[np.float32], candidate: NDArray[np.float32]) -> LabelOrder:
    """The order of the candidate's outputs that follows the reference's best, by correlation over the faces.

    Correlations, not counts: a class that is seldom the surest still rises and falls on the same faces.
    """
    related = _standardized(reference).T @ _standardized(candidate) / len(reference)
    order = _assigned(related)
    return LabelOrder(
        tuple(int(index) for index in order), match(reference, candidate), match(reference, candidate[:, order])
    )


def _assigned(related: NDArray[np.float64]) -> NDArray[np.int64]:
    """A column for each row with a large sum: the largest first, then swaps of two as long as any helps."""
    count = len(related)
    order, left = np.full(count, -1), related.copy()
    for _ in range(count):
        row, column = divmod(int(left.argmax()), count)
        order[row] = column
        left[row, :] = left[:, column] = -np.inf
    better = True
    while better:
        better = False
        for one in range(count):
            for other in range(one):
                kept = related[one, order[one]] + related[other, order[other]]
                if related[one, order[other]] + related[other, order[one]] > kept + 1e-9:
                    order[one], order[other], better = order[other], order[one], True
    return order


def _standardized(side: NDArray[np.float32]) -> NDArray[np.float64]:
    centred = side.astype(np.float64) - side.mean(axis=0, dtype=np.float64)
    deviation = centred.std(axis=0)
    scaled: NDArray[np.float64] = np.divide(centred, deviation, out=np.zeros_like(centred), where=deviation > 1e-9)
    return scaled


def _colour_order(side: ModelSide, faces: FaceSet, one: NDArray[np.float32], other: NDArray[np.float32]) -> ColourOrder:
    swapped = _answers(side, np.ascontiguousarray(_read(side, faces)[..., ::-1]), faces)
    return ColourOrder(len(faces), match(one, other), match(one, swapped))


def _input_scale(side: ModelSide, faces: FaceSet, one: NDArray[np.float32], other: NDArray[np.float32]) -> InputScale:
    """A Keras model takes any pixels; one that reads whole numbers gets them rounded, and none beyond 255."""
    read, takes_any = _read(side, faces).astype(np.float32), side.about.kind == "keras"
    fed = []
    for name, factor, offset in SCALINGS:
        if factor < 1 or takes_any:
            pixels: NDArray[Any] = read * np.float32(factor) + np.float32(offset)
            if not takes_any:
                pixels = np.clip(np.rint(pixels), 0, 255).astype(np.uint8)
            fed.append(Fed(name, match(_answers(side, pixels, faces), other)))
    return InputScale(len(faces), match(one, other), tuple(fed), _spread_of(one), _spread_of(other))


def _opened(found: list[Probe], model: ModelSide | Path | None, name: str, options: Options) -> ModelSide | None:
    if model is None or isinstance(model, ModelSide):
        return model
    place, opened = str(model), list[ModelSide | RecordSide]()
    _try(found, name, lambda: opened.append(open_side(place, name, options)))
    return opened[0] if opened and isinstance(opened[0], ModelSide) else None


def _read(side: ModelSide, faces: FaceSet) -> NDArray[np.uint8]:
    """Faces as a side reads them: uint8 (N, size, size, channels)."""
    wanted = side.about.input
    fitted = np.stack([fit_face(face, wanted.size, wanted.channels) for face in faces.pixels])
    return normalize_all(fitted, wanted.illumination)


def _answers(side: ModelSide, pixels: NDArray[Any], faces: FaceSet) -> NDArray[np.float32]:
    """In the order of the faces' labels."""
    answered = side.probabilities(pixels, lambda _: None)
    return answered if side.about.labels is None else answered[:, order_in(faces.label_set, "", side.about.labels)]


def _spread_of(side: NDArray[np.float32]) -> float:
    return float(side.std(axis=0, dtype=np.float64).mean())


def _spread(count: int, wanted: int) -> NDArray[np.int64]:
    """Up to `wanted` places, spread evenly over `count`."""
    return np.unique(np.linspace(0, count - 1, min(count, wanted)).round().astype(np.int64))


def _try(found: list[Probe], name: str, gather: Callable[[], Probe | None]) -> None:
    """Evidence is a help, not a part of the judgement: a model that cannot be probed is named, and judged all the same."""
    try:
        probe = gather()
    except Exception as error:  # noqa: BLE001 - Keras, LiteRT and ONNX raise whatever their parts raise
        reason = (str(error).strip().splitlines() or [""])[0][:200]
        found.append(Skipped(name, f"{type(error).__name__}: {reason}" if reason else type(error).__name__))
    else:
        if probe is not None:
            found.append(probe)
