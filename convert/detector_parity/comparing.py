"""Two detectors on the same frames: each side measured by itself, and what lies between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convert.detector_parity.measures import (
    DRAWS,
    SEED,
    Change,
    DetectorComparison,
    DetectorSide,
    Estimate,
    Landmarks,
    Seen,
)
from convert.parity.answers import latency_ratio, size_ratio
from convert.parity.shares import Share
from edge_runtime.detectors.decode import Found, overlaps
from edge_runtime.framesets import FrameSet, Judgement, Matches, average_precisions, judge_matches, match
from edge_runtime.framesets.matching import OVERLAP

__all__ = ["Measured", "compare_detectors", "draw_frames", "measure_detector"]

_NONE_OF = 3.0
"""The rule of three: where none of n faces differs, up to 3/n may, at 95 %. No interval of a difference is narrower."""


@dataclass(frozen=True)
class Measured:
    """A side with what comparing it needs: its boxes matched to faces, and its average precision on each resample."""

    seen: Seen
    side: DetectorSide
    matches: Matches
    judgement: Judgement
    resampled: NDArray[np.float64]


def draw_frames(count: int) -> NDArray[np.int64]:
    """How often each of `count` frames is in each of DRAWS resamples, int64 (DRAWS, count): the same for every side."""
    return np.random.default_rng(SEED).multinomial(count, np.full(count, 1 / count), DRAWS)


def measure_detector(seen: Seen, frames: FrameSet, smallest_px: float, drawn: NDArray[np.int64]) -> Measured:
    """Measures one side. Frames are those that it saw; `drawn` is of `draw_frames`."""
    matches = match(seen.found, frames.marks, smallest_px=smallest_px)
    judgement = judge_matches(matches)
    resampled = average_precisions(matches, drawn)
    side = DetectorSide(
        seen.name,
        seen.kind,
        seen.net,
        seen.facts,
        _estimate(judgement.average_precision, resampled),
        judgement.recall_at_one,
        judgement.threshold_at_one,
        judgement.landmark_error,
        judgement.curve,
    )
    return Measured(seen, side, matches, judgement, resampled)


def compare_detectors(reference: Measured, candidate: Measured, drawn: NDArray[np.int64]) -> DetectorComparison:
    """Measures a candidate against a reference on the same frames and resamples."""
    one, other = reference.side, candidate.side
    faces = int(reference.matches.faces.sum())
    threshold = reference.judgement.threshold_at_one
    agreement, mean_overlap = _boxes(reference.seen.found, candidate.seen.found, threshold)
    drop = 100 * (one.average_precision.value - other.average_precision.value)
    recall = 100 * (one.recall_at_one - other.recall_at_one)
    recalls = _recalls(reference, drawn) - _recalls(candidate, drawn)
    return DetectorComparison(
        one,
        other,
        faces,
        len(reference.matches.faces),
        _difference(drop, 100 * (reference.resampled - candidate.resampled), faces),
        _difference(recall, 100 * recalls, faces),
        _landmarks(reference.matches, candidate.matches, drawn),
        threshold,
        agreement,
        mean_overlap,
        _changes(reference.matches, candidate.matches, threshold),
        latency_ratio(one.facts, other.facts),
        size_ratio(one.facts, other.facts),
    )


def _estimate(value: float, resampled: NDArray[np.float64]) -> Estimate:
    low, high = np.percentile(resampled, (2.5, 97.5))
    return Estimate(value, min(float(low), value), max(float(high), value))


def _difference(value: float, resampled: NDArray[np.float64], faces: int) -> Estimate:
    """In points. Sides that never differ on few faces may differ on others."""
    found, least = _estimate(value, resampled), 100 * _NONE_OF / max(1, faces)
    return Estimate(value, min(found.low, value - least), max(found.high, value + least))


def _recalls(measured: Measured, drawn: NDArray[np.int64]) -> NDArray[np.float64]:
    """Recall on each resample at the threshold where all frames together have one false face a picture."""
    matches = measured.matches
    sure = matches.right & (matches.scores >= measured.judgement.threshold_at_one)
    found = np.bincount(matches.pictures[sure], minlength=len(matches.faces))
    recalls: NDArray[np.float64] = drawn @ found / np.maximum(1, drawn @ matches.faces)
    return recalls


def _landmarks(one: Matches, other: Matches, drawn: NDArray[np.int64]) -> Landmarks | None:
    both = np.isfinite(one.errors) & np.isfinite(other.errors)
    if not both.any():
        return None
    frames, pictures = len(one.faces), one.face_pictures[both]
    sums = [np.bincount(pictures, each.errors[both], frames) for each in (one, other)]
    was, now = (float(each.errors[both].mean()) for each in (one, other))
    if was <= 0:
        return None  # nothing to compare with: a share of nothing
    drawn_sums = [drawn @ each for each in sums]
    ratios = np.divide(drawn_sums[1], drawn_sums[0], out=np.full(len(drawn), now / was), where=drawn_sums[0] > 0)
    return Landmarks(int(both.sum()), was, now, _estimate(now / was - 1, ratios - 1))


def _boxes(
    reference: Sequence[Found], candidate: Sequence[Found], threshold: float
) -> tuple[Share | None, float | None]:
    """How many boxes both give, the pairs that overlap most first; each is in one pair."""
    shared: list[float] = []
    either = 0
    for one, other in zip(reference, candidate, strict=True):
        ours, theirs = one.boxes[one.scores >= threshold], other.boxes[other.scores >= threshold]
        alike, before = overlaps(ours, theirs), len(shared)
        while alike.size and alike.max() >= OVERLAP:
            row, column = np.unravel_index(int(alike.argmax()), alike.shape)
            shared.append(float(alike[row, column]))
            alike[row, :], alike[:, column] = 0, 0
        either += len(ours) + len(theirs) - (len(shared) - before)
    agreement = Share(len(shared), either) if either else None
    return agreement, float(np.mean(shared)) if shared else None


def _changes(one: Matches, other: Matches, threshold: float) -> tuple[Change, ...]:
    was, now = one.face_scores >= threshold, other.face_scores >= threshold
    counts = [np.bincount(one.face_pictures[each], minlength=len(one.faces)) for each in (was & ~now, ~was & now)]
    changes = [
        Change(frame, int(lost), int(won)) for frame, (lost, won) in enumerate(zip(*counts, strict=True)) if lost or won
    ]
    return tuple(sorted(changes, key=lambda change: (-change.lost, -change.won, change.frame)))
