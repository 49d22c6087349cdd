"""One colour an expression, told apart by colour-blind people too: the palette of Okabe & Ito 2008."""

from __future__ import annotations

from edge_runtime.labels import canonical

__all__ = ["colour_of"]

_BGR = {
    "angry": (0, 94, 213),
    "disgust": (115, 158, 0),
    "fear": (167, 121, 204),
    "happy": (66, 228, 240),
    "sad": (178, 114, 0),
    "surprise": (0, 159, 230),
    "neutral": (200, 200, 200),
    "contempt": (233, 180, 86),
}


def colour_of(label: str) -> tuple[int, int, int]:
    """The BGR colour, 0..255, of an expression; white for one that is not in the table."""
    return _BGR.get(canonical(label), (255, 255, 255))
