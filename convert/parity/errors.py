"""Errors of parity. All of them mean "could not be judged" (exit 2); a failed gate is a verdict, not an error.

ConvertError
└── ParityError          sides that cannot be compared: other faces, other classes, the same name twice
    ├── AnswersError     one side whose answers are no usable probabilities
    ├── GateError        a gate file that is missing, unreadable or incomplete
    ├── ReportError      a report that is missing, foreign, damaged or newer
    └── SideError        one side that cannot be opened, or that does not belong to the others
"""

from __future__ import annotations

from convert.errors import ConvertError

__all__ = ["AnswersError", "GateError", "ParityError", "ReportError", "SideError"]


class ParityError(ConvertError):
    """Sides that cannot be compared."""


class AnswersError(ParityError):
    """One side whose answers are no usable probabilities."""


class GateError(ParityError):
    """A gate file that is missing, unreadable or incomplete."""


class SideError(ParityError):
    """One side that cannot be opened, or that does not belong to the others."""


class ReportError(ParityError):
    """A report that is missing, foreign, damaged or newer."""
