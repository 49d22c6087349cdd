"""Errors of conversion.

ConvertError
├── UsageError         a wrong argument or combination of arguments
├── RecipeError        a recipe of conversion with an unknown key, a wrong value or a layer that is not there
├── SourceError        a Keras model that cannot be converted
├── CalibrationError   faces that must not or cannot calibrate
├── GraphError         a converted model that breaks a static fact: its types, shapes, operators or class count
│   └── BudgetError    a model file larger than it may be
├── TrialError         a converted model that answers otherwise than its original may
│   └── StabilityError two calibration sets that give two models of different opinion
├── ProvenanceError    a record of where a model comes from that is missing, damaged or of another model
├── PackError          a bundle that cannot be made or put where it should go
└── EdgeTpuError       the Edge TPU's rules, its compiler or the compiler's log cannot be read or run
"""

from __future__ import annotations

from edge_runtime.errors import ExplainedError

__all__ = [
    "BudgetError",
    "CalibrationError",
    "ConvertError",
    "EdgeTpuError",
    "GraphError",
    "PackError",
    "ProvenanceError",
    "RecipeError",
    "SourceError",
    "StabilityError",
    "TrialError",
    "UsageError",
]


class ConvertError(ExplainedError):
    """Base of every error of conversion."""


class UsageError(ConvertError):
    """A wrong argument or combination of arguments."""


class RecipeError(ConvertError):
    """A recipe of conversion with an unknown key, a wrong value or a layer that is not there."""


class SourceError(ConvertError):
    """A Keras model that cannot be converted."""


class CalibrationError(ConvertError):
    """Faces that must not or cannot calibrate."""


class GraphError(ConvertError):
    """A converted model that breaks a static fact: its types, shapes, operators or class count."""


class BudgetError(GraphError):
    """A model file larger than it may be."""


class TrialError(ConvertError):
    """A converted model that answers otherwise than its original may."""


class StabilityError(TrialError):
    """Two calibration sets that give two models of different opinion."""


class ProvenanceError(ConvertError):
    """A record of where a model comes from that is missing, damaged or of another model."""


class PackError(ConvertError):
    """A bundle that cannot be made or put where it should go."""


class EdgeTpuError(ConvertError):
    """The Edge TPU's rules, its compiler or the compiler's log cannot be read or run."""
