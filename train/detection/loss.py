"""What a detector is taught by: quality focal loss, generalized intersection over union, and distances of landmarks."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from train.detection.assignment import BOX, KNOWN, POINTS, POSITIVE, WEIGHT
from train.detection.recipe import Weights

__all__ = ["ANSWERS", "DetectionLoss", "generalized_overlap"]

ANSWERS = 15
"""What the net says for each cell: a logit, four distances, five x, y."""

_LEAST = 0.01
_SMOOTH = 0.1


class DetectionLoss(keras.losses.Loss):  # type: ignore[misc]
    """The loss of a batch, divided by how many cells teach a face.

    Targets are (N, A, 17) as `assign` gives them, answers (N, A, 15). The score is to be how well the cell's box fits
    (quality focal loss, Li et al. 2020); the box is taught by 1 - GIoU (Rezatofighi et al. 2019) and by its distances,
    which also lead where boxes are empty; landmarks by their distances where they are known. Distances are smooth L1 over
    the face's size, of landmarks from `weights.smooth` on, of boxes from a tenth.
    """

    def __init__(self, weights: Weights, name: str = "detection") -> None:
        super().__init__(name=name)
        self.weights = weights

    def call(self, y_true: Any, y_pred: Any) -> Any:
        targets, answers = ops.cast(y_true, "float32"), ops.cast(y_pred, "float32")
        positive = targets[..., POSITIVE]
        count = ops.maximum(ops.sum(positive), 1.0)
        size = ops.sqrt(
            ops.maximum(
                (targets[..., 2] + targets[..., 4]) * (targets[..., 3] + targets[..., 5]),
                _LEAST,
            )
        )
        overlap, generalized = generalized_overlap(targets[..., BOX], answers[..., 1:5])
        quality = ops.stop_gradient(overlap) * positive
        logits = answers[..., 0]
        crossed = ops.softplus(logits) - logits * quality
        score = ops.abs(quality - ops.sigmoid(logits)) ** self.weights.focus * crossed * targets[..., WEIGHT]
        away = _smooth((answers[..., 1:5] - targets[..., BOX]) / size[..., None], _SMOOTH)
        off = (answers[..., 5:] - targets[..., POINTS]) / size[..., None]
        points = _smooth(off, self.weights.smooth) * targets[..., KNOWN]
        w = self.weights
        box = (w.box * (1 - generalized) + w.distance * away + w.points * points) * positive
        return ops.sum(score + box) / count


def generalized_overlap(a: Any, b: Any) -> tuple[Any, Any]:
    """Intersection over union and its generalized form of boxes about one cell, given as distances (…, 4) from it.

    Distances below a hundredth of a stride count as that much.
    """
    a, b = ops.maximum(a, _LEAST), ops.maximum(b, _LEAST)
    least, most = ops.minimum(a, b), ops.maximum(a, b)
    shared = (least[..., 0] + least[..., 2]) * (least[..., 1] + least[..., 3])
    areas = [(each[..., 0] + each[..., 2]) * (each[..., 1] + each[..., 3]) for each in (a, b)]
    union = areas[0] + areas[1] - shared
    around = (most[..., 0] + most[..., 2]) * (most[..., 1] + most[..., 3])
    overlap = shared / union
    return overlap, overlap - (around - union) / around


def _smooth(differences: Any, square: float) -> Any:
    """Smooth L1, a square below `square`, summed over the last axis."""
    far = ops.abs(differences)
    return ops.sum(ops.where(far < square, 0.5 * far**2 / square, far - 0.5 * square), axis=-1)
