"""Errors of parity. All of them mean "could not be judged" (exit 2); a failed gate is a verdict, not an error.

ConvertError
└── ParityError          sides that cannot be compared: other faces, other classes, the same name twice
    ├── AnswersError     one side whose answers are no usable probabilities
    └── GateError        a gate file that is missing, unreadable or incomplete
"""

from __future__ import annotations

from convert.errors import ConvertError

__all__ = ["AnswersError", "GateError", "ParityError"]


class ParityError(ConvertError):
    """Sides that cannot be compared."""


class AnswersError(ParityError):
    """One side whose answers are no usable probabilities."""


class GateError(ParityError):
    """A gate file that is missing, unreadable or incomplete."""
