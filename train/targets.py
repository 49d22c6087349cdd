"""What a model is taught: labels as one-hot rows, smoothed or mixed with the votes of FER+'s annotators."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_runtime.facesets import FaceSet
from edge_runtime.labels import FERPLUS
from train.errors import DataError
from train.recipe import Targets

__all__ = ["make_targets", "vote_shares"]


def vote_shares(faces: FaceSet) -> NDArray[np.float32]:
    """The votes of each face as shares over its own label set, float32 (N, C); rows without a usable vote are zero.

    Votes for an expression that the label set lacks (contempt in FER2013's seven), `unknown` and `NF` are left out.
    """
    if faces.votes is None:
        raise DataError(
            "faces without FER+ votes",
            'votes for targets.kind = "mixed"',
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
    """Rows of probabilities to fit, float32 (N, C), each summing to 1."""
    classes = len(faces.label_set)
    if (faces.labels < 0).any():
        raise DataError(
            f"{int((faces.labels < 0).sum())} training faces without a label",
            "labelled faces only",
            "leave these rows out",
        )
    rows = np.eye(classes, dtype=np.float32)[faces.labels]
    if targets.kind == "mixed":
        shares = vote_shares(faces)
        voted = shares.sum(axis=1, keepdims=True) > 0
        rows = np.where(voted, (1 - targets.votes_share) * rows + targets.votes_share * shares, rows)
    smoothing = targets.label_smoothing
    return (rows * (1 - smoothing) + smoothing / classes).astype(np.float32)
