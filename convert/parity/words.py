"""Figures of a result as every report says them."""

from __future__ import annotations

from convert.parity.verdict import Line, Outcome

__all__ = ["UNKNOWN", "allowed_words", "count_words", "line_value", "measured_words", "ms_words", "times_words"]

UNKNOWN = "not known"


def measured_words(line: Line) -> str:
    """What a line of the gate measured; nothing where it is off."""
    if line.outcome is Outcome.OFF:
        return ""
    return UNKNOWN if line.measured is None else line_value(line.key, line.measured)


def allowed_words(line: Line) -> str:
    """A line's threshold."""
    return "off" if line.allowed is None else line_value(line.key, line.allowed)


def line_value(key: str, value: float) -> str:
    """A value of the gate's line `key`, with its unit."""
    if key.endswith("_points"):
        return f"{value:.2f} points"
    if key == "agreement" or key.endswith("_rise"):
        return f"{100 * value:.2f} %"
    return f"{value:,.0f}" if key == "size_bytes" else f"{value:.4g}"


def count_words(value: int | None) -> str:
    return UNKNOWN if value is None else f"{value:,}"


def ms_words(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.3g} ms"


def times_words(ratio: float | None) -> str:
    return UNKNOWN if ratio is None else f"× {ratio:.3g}"
