"""Errors of the trials.

BoardsError            something that a trial needs is missing or does not do what it should
├── MissingError       programs, rights or packages that this machine does not have
└── ProgramError       a program that fails or does not end
"""

from __future__ import annotations

from edge_runtime.errors import ExplainedError

__all__ = ["BoardsError", "MissingError", "ProgramError"]


class BoardsError(ExplainedError):
    """Something that a trial needs is missing or does not do what it should."""


class MissingError(BoardsError):
    """Programs, rights or packages that this machine does not have."""


class ProgramError(BoardsError):
    """A program that fails or does not end."""
