"""Errors of a release.

ReleaseError           a release file that cannot be used
├── StepError          a step that stopped with an exit code of its own
└── RefusedError       a model that is not good enough to be packed
"""

from __future__ import annotations

from edge_runtime.errors import ExplainedError

__all__ = ["RefusedError", "ReleaseError", "StepError"]


class ReleaseError(ExplainedError):
    """A release file that cannot be used."""


class StepError(ReleaseError):
    """A step that stopped with an exit code of its own."""


class RefusedError(ReleaseError):
    """A model that is not good enough to be packed."""
