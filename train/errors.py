"""Errors of training.

TrainError
├── RecipeError        a recipe with an unknown key, a wrong type or a value out of range
├── DataError          data that cannot be trained on
├── CheckpointError    a checkpoint that is damaged or of another run
├── DeviceError        devices that are not there or cannot share a batch
├── DivergedError      the loss is not a number any more
└── ModelError         a saved model that cannot be used
"""

from __future__ import annotations

from edge_runtime.errors import ExplainedError

__all__ = ["CheckpointError", "DataError", "DeviceError", "DivergedError", "ModelError", "RecipeError", "TrainError"]


class TrainError(ExplainedError):
    """Base of every error of training."""


class RecipeError(TrainError):
    """A recipe with an unknown key, a wrong type or a value out of range."""


class DataError(TrainError):
    """Data that cannot be trained on."""


class CheckpointError(TrainError):
    """A checkpoint that is damaged or of another run."""


class DeviceError(TrainError):
    """Devices that are not there or cannot share a batch."""


class DivergedError(TrainError):
    """The loss is not a number any more."""


class ModelError(TrainError):
    """A saved model that cannot be used."""
