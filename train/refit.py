"""After training on votes or smoothed targets: the logits brought back to the labels that the model is judged by.

Soft votes teach a model to say "neutral" more often than the data set's labels do. One scale for all logits and one shift a
class, found by maximum likelihood on the training labels and folded into the last layer, undo that at no cost at run time
(vector scaling of Guo et al. 2017, with one common scale, fitted on the training faces).
"""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from train.errors import DataError

__all__ = ["Refit", "find_refit", "fold_refit"]


@dataclass(frozen=True)
class Refit:
    """New logits are `scale` × old logits + `shifts`, float64 (C,)."""

    scale: float
    shifts: NDArray[np.float64]


def find_refit(logits: NDArray[np.float32], labels: NDArray[np.int16]) -> Refit:
    """The scale and shifts under which `labels` (N,) are most likely, given `logits` (N, C).

    The problem is convex in them, so the answer is one. Shifts sum to zero.

    Raises:
        DataError: the search does not end, as for logits that are not finite.
    """
    rows = np.arange(len(labels))
    outputs = logits.astype(np.float64)
    hot = np.zeros_like(outputs)
    hot[rows, labels] = 1

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scaled = parameters[0] * outputs + parameters[1:]
        scaled -= scaled.max(axis=1, keepdims=True)
        total = np.exp(scaled).sum(axis=1, keepdims=True)
        wrong = np.exp(scaled) / total - hot
        likelihood = -(scaled[rows, labels] - np.log(total[:, 0])).mean()
        return float(likelihood), np.concatenate([[(wrong * outputs).sum() / len(rows)], wrong.mean(axis=0)])

    start = np.concatenate([[1.0], np.zeros(outputs.shape[1])])
    found = minimize(loss, start, jac=True, method="L-BFGS-B")
    if not found.success or not np.isfinite(found.x).all():
        raise DataError(f"a refit that ended with {found.message!r}", "finite logits", "set targets.refit = false")
    return Refit(float(found.x[0]), found.x[1:] - found.x[1:].mean())


def fold_refit(model: keras.Model, refit: Refit) -> None:
    """Changes the weights of the dense layer called "logits", so that `model` gives the refitted logits."""
    layer = model.get_layer("logits")
    kernel, bias = layer.get_weights()
    layer.set_weights([kernel * refit.scale, bias * refit.scale + refit.shifts])
