"""Accelerators: one file each, touching the device only when a model is loaded on it."""

from __future__ import annotations

__all__: list[str] = []
