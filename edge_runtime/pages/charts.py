"""Charts as inline SVG: lines over a common axis, and the diagonal that says how well confidence is meant."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from edge_runtime.pages.page import Html, tag

__all__ = ["COLOURS", "Line", "Mark", "diagonal_chart", "line_chart", "number", "ticks"]

COLOURS = 8
"""How many colours of lines the style sheet has: .line0 to .line7; more lines take the first ones again, dashed."""

_LEFT, _RIGHT, _TOP, _BOTTOM = 44.0, 12.0, 14.0, 34.0


@dataclass(frozen=True)
class Line:
    """Points (x, y) in the order of x, and a name for the legend. `ring`: the index of a point to mark."""

    name: str
    points: tuple[tuple[float, float], ...]
    ring: int | None = None


@dataclass(frozen=True)
class Mark:
    """A dotted line from bottom to top at `x`, with a few words at its head."""

    x: float
    text: str


@dataclass(frozen=True)
class _Plane:
    """Where values lie on the drawing. Ranges are (lowest, highest), and not empty."""

    width: float
    height: float
    x_range: tuple[float, float]
    y_range: tuple[float, float]

    def x(self, value: float) -> float:
        low, high = self.x_range
        return round(_LEFT + (value - low) / (high - low) * (self.width - _LEFT - _RIGHT), 1)

    def y(self, value: float) -> float:
        low, high = self.y_range
        return round(self.height - _BOTTOM - (value - low) / (high - low) * (self.height - _TOP - _BOTTOM), 1)

    @property
    def bottom(self) -> float:
        return self.height - _BOTTOM

    def axes(self, x_ticks: Sequence[float], y_ticks: Sequence[float], x_name: str) -> list[Html]:
        right = self.width - _RIGHT
        pieces = []
        decimals = max((len(number(value).partition(".")[2]) for value in y_ticks), default=0)
        for value in y_ticks:
            y = self.y(value)
            pieces.append(tag("line", class_="rule", x1=_LEFT, x2=right, y1=y, y2=y))
            pieces.append(tag("text", f"{value:.{decimals}f}", class_="tick", x=_LEFT - 8, y=y + 4, text_anchor="end"))
        for value in x_ticks:
            pieces.append(
                tag("text", number(value), class_="tick", x=self.x(value), y=self.bottom + 17, text_anchor="middle")
            )
        pieces.append(tag("line", class_="axis", x1=_LEFT, x2=right, y1=self.bottom, y2=self.bottom))
        pieces.append(tag("text", x_name, class_="tick", x=right, y=self.height - 2, text_anchor="end"))
        return pieces


def line_chart(
    title: str,
    lines: Sequence[Line],
    x_name: str,
    marks: Sequence[Mark] = (),
    size: tuple[int, int] = (380, 250),
    decimals: int = 1,
) -> Html:
    """Lines over a common axis, each with at least one point; pointing at the chart names the values there.

    Args:
        title: what the values are, with their unit: "Accuracy, %".
        lines: they take their colours in this order.
        x_name: what runs along the bottom: "epoch".
        marks: dotted lines.
        size: width and height of the drawing; it grows and shrinks with the page.
        decimals: of the values that are named.
    """
    xs = [x for line in lines for x, _ in line.points]
    ys = [y for line in lines for _, y in line.points if math.isfinite(y)]
    y_ticks = ticks(min(ys), max(ys), 5)
    plane = _Plane(size[0], size[1], _wide(min(xs), max(xs)), (y_ticks[0], y_ticks[-1]))
    x_ticks = [value for value in ticks(min(xs), max(xs), 6, whole=True) if min(xs) <= value <= max(xs)]
    pieces = plane.axes(x_ticks, y_ticks, x_name)
    for mark in marks:
        x = plane.x(mark.x)
        pieces.append(tag("line", class_="mark", x1=x, x2=x, y1=_TOP, y2=plane.bottom))
        pieces.append(tag("text", mark.text, class_="tick", x=x + 5, y=_TOP + 8))
    for index, line in enumerate(lines):
        points = " ".join(f"{plane.x(x)},{plane.y(y)}" for x, y in line.points if math.isfinite(y))
        pieces.append(tag("polyline", class_=f"line {_series(index)}", points=points))
        x, y = line.points[line.ring or 0]
        if (line.ring is not None or len(line.points) == 1) and math.isfinite(y):
            pieces.append(tag("circle", class_=f"ring {_series(index)}", cx=plane.x(x), cy=plane.y(y), r=4.5))
    pieces += _hits(plane, lines, x_name, decimals)
    return _figure(title, _legend(lines), size, _said(title, lines, decimals), pieces)


def diagonal_chart(
    title: str, bins: Sequence[tuple[float, float, int]], x_name: str, size: tuple[int, int] = (380, 330)
) -> Html:
    """Dots against the diagonal, each (confidence, share right, faces) with shares from 0 to 1; area grows with faces."""
    plane = _Plane(size[0], size[1], (0.0, 100.0), (0.0, 100.0))
    ticks = [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]
    pieces = plane.axes(ticks, ticks, x_name)
    pieces.append(tag("line", class_="mark", x1=plane.x(0), y1=plane.y(0), x2=plane.x(100), y2=plane.y(100)))
    filled = [one for one in bins if one[2] > 0]
    most = max((count for _, _, count in filled), default=1)
    points = " ".join(f"{plane.x(100 * sure)},{plane.y(100 * right)}" for sure, right, _ in filled)
    pieces.append(tag("polyline", class_="line line0", points=points))
    for sure, right, count in filled:
        words = f"{count} faces, sure of {100 * sure:.0f} %: {100 * right:.0f} % right"
        where = {"cx": plane.x(100 * sure), "cy": plane.y(100 * right)}
        radius = round(3 + 8 * math.sqrt(count / most), 1)
        pieces.append(
            tag("g", tag("title", words), tag("circle", class_="dot line0", r=radius, **where), class_="point")
        )
    said = "; ".join(f"sure of {100 * sure:.0f} %, {100 * right:.0f} % right" for sure, right, _ in filled)
    return _figure(title, Html(""), size, f"{title}: {said}", pieces)


def _figure(title: str, legend: Html, size: tuple[int, int], said: str, pieces: Sequence[Html]) -> Html:
    drawing = tag("svg", *pieces, viewBox=f"0 0 {size[0]} {size[1]}", role="img", aria_label=said)
    return tag("figure", tag("figcaption", tag("strong", title), legend), drawing, class_="chart")


def _legend(lines: Sequence[Line]) -> Html:
    if len(lines) < 2:
        return Html("")
    keys = [
        tag("span", tag("span", class_=f"key {_series(index)}", aria_hidden="true"), line.name)
        for index, line in enumerate(lines)
    ]
    return tag("span", *keys, class_="legend")


def _hits(plane: _Plane, lines: Sequence[Line], x_name: str, decimals: int) -> list[Html]:
    """Invisible columns, one for each x, that name their values when the pointer rests on them."""
    values: dict[float, list[str]] = {}
    for line in lines:
        for x, y in line.points:
            values.setdefault(x, []).append(f"{line.name} {y:.{decimals}f}")
    width = round((plane.width - _LEFT - _RIGHT) / max(1, len(values)), 2)
    pieces = []
    for x, words in sorted(values.items()):
        where = {"x": round(plane.x(x) - width / 2, 1), "y": _TOP, "width": width, "height": plane.bottom - _TOP}
        pieces.append(tag("rect", tag("title", "\n".join([f"{x_name} {number(x)}", *words])), class_="hit", **where))
    return pieces


def _said(title: str, lines: Sequence[Line], decimals: int) -> str:
    """The chart in words, for those who do not see it."""
    ends = [f"{line.name} from {line.points[0][1]:.{decimals}f} to {line.points[-1][1]:.{decimals}f}" for line in lines]
    return f"{title}: {'; '.join(ends)}"


def _series(index: int) -> str:
    return f"line{index % COLOURS}" + (" again" if index >= COLOURS else "")


def _wide(low: float, high: float) -> tuple[float, float]:
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def ticks(low: float, high: float, wanted: int, whole: bool = False) -> list[float]:
    """Round numbers from at or below `low` to at or above `high`, at steps of 1, 2 or 5 times a power of ten."""
    low, high = _wide(low, high)
    rough = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    if whole:
        step = max(1.0, step)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(index * step, 10) for index in range(first, last + 1)]


def number(value: float) -> str:
    """A value as an axis says it."""
    return f"{value:g}"
