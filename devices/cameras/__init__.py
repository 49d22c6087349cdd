"""Cameras: one file each, importing what it needs only when it is opened."""

from __future__ import annotations

__all__: list[str] = []
