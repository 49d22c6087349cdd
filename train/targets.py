"""What a model is taught: labels as one-hot rows, smoothed or mixed with the votes of FER+'s annotators."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_runtime.facesets import FaceSet
from edge_runtime.labels import FERPLUS
from train.errors import DataError
from train.recipe_tables import Targets

__all__ = ["class_weights", "drawn_targets", "make_targets", "vote_shares"]


def vote_shares(faces: FaceSet) -> NDArray[np.float32]:
    """The votes of each face as shares over its own label set, float32 (N, C); rows without a usable vote are zero.

    Votes for an expression that the label set lacks (contempt in FER2013's seven), `unknown` and `NF` are left out.
    """
    if faces.votes is None:
        raise DataError(
            "faces without FER+ votes",
            "votes for any targets.kind but labels",
            "prepare the data with --votes fer2013new.csv",
        )
    shares = np.zeros((len(faces), len(faces.label_set)), np.float32)
    for column, target in enumerate(FERPLUS.indices_in(faces.label_set)):
        if target >= 0:
            shares[:, target] += faces.votes[:, column]
    total = shares.sum(axis=1, keepdims=True)
    np.divide(shares, total, out=shares, where=total > 0)
    return shares


def make_targets(faces: FaceSet, targets: Targets) -> NDArray[np.float32]:
    """Rows of probabilities to fit, float32 (N, C), each summing to 1.

    A face without a usable vote keeps its label. For kind "probability" the rows are the shares that `drawn_targets` draws
    from, and so are not smoothed yet.
    """
    if (faces.labels < 0).any():
        raise DataError(
            f"{int((faces.labels < 0).sum())} training faces without a label",
            "labelled faces only",
            "leave these rows out",
        )
    rows = np.eye(len(faces.label_set), dtype=np.float32)[faces.labels]
    if targets.needs_votes:
        shares = vote_shares(faces)
        voted = shares.sum(axis=1, keepdims=True) > 0
        if targets.kind == "mixed":
            shares = (1 - targets.votes_share) * rows + targets.votes_share * shares
        elif targets.kind == "majority":
            shares = np.eye(shares.shape[1], dtype=np.float32)[shares.argmax(axis=1)]
        rows = np.where(voted, shares, rows)
    return rows if targets.kind == "probability" else _smoothed(rows, targets.label_smoothing)


def drawn_targets(shares: NDArray[np.float32], targets: Targets, seed: list[int]) -> NDArray[np.float32]:
    """One label a face, drawn from its votes (Barsoum et al. 2016, "probabilistic label drawing"), float32 (N, C)."""
    edges = np.cumsum(shares, axis=1, dtype=np.float64)
    drawn = np.random.default_rng(seed).random((len(shares), 1)) * edges[:, -1:]
    chosen = np.minimum((drawn >= edges).sum(axis=1), shares.shape[1] - 1)
    return _smoothed(np.eye(shares.shape[1], dtype=np.float32)[chosen], targets.label_smoothing)


def class_weights(labels: NDArray[np.int16], classes: int) -> NDArray[np.float32]:
    """A weight for each face, float32 (N,), with mean 1: each class weighs as much as any other."""
    counts = np.bincount(labels, minlength=classes)
    present = counts > 0
    weights = np.zeros(classes)
    weights[present] = len(labels) / (present.sum() * counts[present])
    return weights[labels].astype(np.float32)


def _smoothed(rows: NDArray[np.float32], smoothing: float) -> NDArray[np.float32]:
    smoothed: NDArray[np.float32] = (rows * (1 - smoothing) + smoothing / rows.shape[1]).astype(np.float32)
    return smoothed
