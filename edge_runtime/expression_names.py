"""What expressions are called in five languages, for pages, reports and whoever reads them aloud."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from edge_runtime.labels import canonical

__all__ = ["EXPRESSION_NAMES", "LANGUAGES", "expression_name"]

LANGUAGES = ("en", "de", "fr", "es", "zh")
"""English, German, French, Spanish and Chinese (simplified), as BCP 47 calls them."""

_ROWS = {
    "angry": ("angry", "wütend", "en colère", "enfado", "愤怒"),
    "disgust": ("disgusted", "angewidert", "dégoût", "asco", "厌恶"),
    "fear": ("afraid", "ängstlich", "peur", "miedo", "恐惧"),
    "happy": ("happy", "fröhlich", "joie", "alegría", "开心"),
    "sad": ("sad", "traurig", "tristesse", "tristeza", "悲伤"),
    "surprise": ("surprised", "überrascht", "surprise", "sorpresa", "惊讶"),
    "neutral": ("neutral", "neutral", "neutre", "neutral", "平静"),
    "contempt": ("contemptuous", "verächtlich", "mépris", "desprecio", "轻蔑"),
    "uncertain": ("uncertain", "unsicher", "incertain", "incierto", "不确定"),
    "nobody": ("nobody", "niemand", "personne", "nadie", "无人"),
}

EXPRESSION_NAMES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {label: MappingProxyType(dict(zip(LANGUAGES, row, strict=True))) for label, row in _ROWS.items()}
)
"""Canonical label → language → name."""


def expression_name(label: str, language: str = "en") -> str:
    """The name of an expression; the label itself for one that is not in the table, English for another language."""
    names = EXPRESSION_NAMES.get(canonical(label))
    return label if names is None else names.get(language, names["en"])
