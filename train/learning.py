"""The learning rate over a run, and the optimizer that uses it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from train.recipe_tables import Schedule, Stage

__all__ = ["CosineRate", "epoch_rate", "make_optimizer"]


class CosineRate(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """A cosine to zero over all epochs (Loshchilov & Hutter 2017, without restarts), after a linear rise from a tenth.

    Args:
        schedule: rate, epochs, warm-up and the stages' own multipliers.
        steps: batches an epoch.
        first: the step of the run at which the optimizer starts to count.
    """

    def __init__(self, schedule: Schedule, steps: int, first: int = 0) -> None:
        self.schedule, self.steps, self.first = schedule, steps, first

    def __call__(self, step: Any) -> Any:
        plan = self.schedule
        at = ops.cast(step, "float32") + self.first
        warmup = float(plan.warmup_epochs * self.steps)
        total = max(1.0, plan.epochs * self.steps - warmup)
        share = ops.clip((at - warmup) / total, 0.0, 1.0)
        rate = plan.learning_rate * 0.5 * (1 + ops.cos(math.pi * share))
        if warmup:
            rate = ops.where(at < warmup, plan.learning_rate * (0.1 + 0.9 * at / warmup), rate)
        end = 0.0
        factor: Any = 0.0
        for stage in plan.stages:
            begin, end = end, end + float(stage.epochs * self.steps)
            factor = ops.where((at >= begin) & (at < end), stage.rate, factor)
        return rate * ops.where(at >= end, plan.stages[-1].rate, factor)

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError("a run is gone on with from its recipe, not from a saved schedule")


def epoch_rate(schedule: Schedule, stage: Stage, history: Sequence[Mapping[str, float]]) -> float:
    """The rate of the next epoch for decay "constant" and "plateau", from what was measured so far."""
    rate = schedule.learning_rate * stage.rate
    if schedule.decay == "constant":
        return rate
    best, waited = -1.0, 0
    for row in history:
        if row["chosen_accuracy"] > best:
            best, waited = row["chosen_accuracy"], 0
            continue
        waited += 1
        if waited == schedule.plateau_patience:
            rate, waited = rate * schedule.plateau_factor, 0
    return rate


def make_optimizer(schedule: Schedule, variables: Sequence[Any], steps: int, first: int = 0) -> Any:
    """The optimizer for `variables`; weight decay goes to kernels alone, averaged weights are Keras' own."""
    rate: Any = CosineRate(schedule, steps, first) if schedule.decay == "cosine" else schedule.learning_rate
    decay = schedule.weight_decay or None
    average: dict[str, Any] = {"use_ema": True, "ema_momentum": schedule.ema} if schedule.ema else {}
    if schedule.optimizer == "adam":
        optimizer: Any = keras.optimizers.Adam(rate, weight_decay=decay, **average)
    else:
        optimizer = keras.optimizers.SGD(rate, momentum=schedule.momentum, nesterov=True, weight_decay=decay, **average)
    if decay:
        optimizer.exclude_from_weight_decay([variable for variable in variables if variable.name != "kernel"])
    optimizer.build(variables)
    return optimizer
