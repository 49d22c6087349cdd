"""Charts of single figures: intervals one under the other on a common scale, bars, and a histogram."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from edge_runtime.pages.charts import COLOURS, Mark, number, ticks
from edge_runtime.pages.page import Html, tag

__all__ = ["Span", "bar_chart", "histogram", "interval_chart"]

_WIDTH, _PAD, _ROW, _AXIS = 760.0, 10.0, 46.0, 40.0


@dataclass(frozen=True)
class Span:
    """A value with its interval: `low` ≤ `value` ≤ `high`, all finite. `said` is the value in words."""

    name: str
    low: float
    value: float
    high: float
    said: str
    colour: int = 0


def interval_chart(title: str, spans: Sequence[Span], x_name: str, marks: Sequence[Mark] = ()) -> Html:
    """Each value as a dot on the band of its interval, one under the other on one scale; the scale holds all marks.

    Args:
        title: what the values are, with their unit.
        spans: at least one.
        x_name: what runs along the bottom.
        marks: dotted lines, such as a bound.
    """
    ends = [end for span in spans for end in (span.low, span.high)] + [mark.x for mark in marks]
    scale = _Scale.around(min(ends), max(ends))
    top = 24.0 + 18.0 * (len(marks) - 1) if marks else 4.0
    bottom = top + _ROW * len(spans)
    pieces = scale.axis(bottom, top, x_name)
    # Each mark has a line of its own for its words: marks may stand close together.
    for at, mark in enumerate(sorted(marks, key=lambda mark: mark.x)):
        x = scale.at(mark.x)
        y = top - 10 - 18 * at
        before = x > _WIDTH * 0.66
        pieces.append(tag("line", class_="mark", x1=x, x2=x, y1=y - 8, y2=bottom))
        where = {"x": x - 5 if before else x + 5, "y": y, "text_anchor": "end" if before else "start"}
        pieces.append(tag("text", mark.text, class_="tick", **where))
    for at, span in enumerate(spans):
        y, colour = top + _ROW * at + 31, f"line{span.colour % COLOURS}"
        left, right = scale.at(span.low), scale.at(span.high)
        band = tag("rect", class_="band", x=left, y=y - 5, width=round(max(2.0, right - left), 1), height=10, rx=3)
        dot = tag("circle", class_="dot", cx=scale.at(span.value), cy=y, r=6)
        pieces.append(
            tag("text", span.name, tag("tspan", f"  {span.said}", class_="said"), class_="name", x=_PAD, y=y - 14)
        )
        pieces.append(tag("g", tag("title", f"{span.name}: {span.said}"), band, dot, class_=colour))
    said = "; ".join(f"{span.name} {span.said}" for span in spans)
    said = "; ".join([said, *(mark.text for mark in marks)])
    return _chart(title, bottom + _AXIS, said, pieces)


def bar_chart(title: str, bars: Sequence[tuple[str, float]], x_name: str, decimals: int = 1) -> Html:
    """Bars from zero, one under the other, each with its name and value; values are finite.

    Args:
        title: what the values are, with their unit.
        bars: names and values, at least one.
        x_name: what runs along the bottom.
        decimals: of the values.
    """
    values = [value for _, value in bars]
    scale = _Scale.around(min(0.0, *values), max(0.0, *values), 0.0)
    row = 34.0
    bottom = row * len(bars) + 6
    pieces = scale.axis(bottom, 4, x_name)
    for at, (name, value) in enumerate(bars):
        y = row * at + 22
        ends = sorted((scale.at(0.0), scale.at(value)))
        said = f"{value:.{decimals}f}"
        shape = tag("rect", class_="solid", x=ends[0], y=y, width=round(max(1.0, ends[1] - ends[0]), 1), height=9, rx=2)
        pieces.append(tag("text", name, tag("tspan", f"  {said}", class_="said"), class_="name", x=_PAD, y=y - 6))
        pieces.append(tag("g", tag("title", f"{name}: {said}"), shape, class_="line0"))
    return _chart(title, bottom + _AXIS, "; ".join(f"{name} {value:.{decimals}f}" for name, value in bars), pieces)


def histogram(title: str, edges: Sequence[float], counts: Sequence[int], x_name: str, y_name: str = "faces") -> Html:
    """How many fall between each two of the rising `edges`; there is one more of these than of `counts`.

    Heights grow with the square root of the counts, so that a few far out are seen beside many at the centre; pointing
    at a bar names its count.
    """
    scale = _Scale(edges[0], edges[-1])
    top, bottom, most = 6.0, 190.0, max(1, *counts)
    pieces = scale.axis(bottom, top, x_name)
    for low, high, count in zip(edges, edges[1:], counts, strict=False):
        left, right = scale.at(low), scale.at(high)
        height = round((bottom - top) * math.sqrt(count / most), 1)
        words = f"{count} {y_name}, {low:+.3g} to {high:+.3g}"
        where = {"x": round(left + 0.5, 1), "width": round(max(1.0, right - left - 1), 1)}
        if count:
            pieces.append(tag("rect", class_="solid line0", y=round(bottom - height, 1), height=height, **where))
        pieces.append(tag("rect", tag("title", words), class_="hit", y=top, height=bottom - top, **where))
    at = max(range(len(counts)), key=lambda index: counts[index])
    said = f"{counts[at]} of {sum(counts)} {y_name} between {edges[at]:+.3g} and {edges[at + 1]:+.3g}"
    return _chart(title, bottom + _AXIS, said, pieces)


@dataclass(frozen=True)
class _Scale:
    """Values from left to right."""

    low: float
    high: float

    @classmethod
    def around(cls, low: float, high: float, margin: float = 0.06) -> _Scale:
        spread = high - low or max(abs(high), 1.0) * 0.1
        return cls(low - margin * spread, high + max(margin, 0.02) * spread)

    def at(self, value: float) -> float:
        return round(_PAD + (value - self.low) / (self.high - self.low) * (_WIDTH - 2 * _PAD), 1)

    def axis(self, bottom: float, top: float, x_name: str) -> list[Html]:
        pieces = []
        for value in ticks(self.low, self.high, 7):
            if self.low <= value <= self.high:
                x = self.at(value)
                pieces.append(tag("line", class_="rule", x1=x, x2=x, y1=top, y2=bottom))
                pieces.append(tag("text", number(value), class_="tick", x=x, y=bottom + 17, text_anchor="middle"))
        pieces.append(tag("line", class_="axis", x1=_PAD, x2=_WIDTH - _PAD, y1=bottom, y2=bottom))
        pieces.append(tag("text", x_name, class_="tick", x=_WIDTH - _PAD, y=bottom + 34, text_anchor="end"))
        return pieces


def _chart(title: str, height: float, said: str, pieces: Sequence[Html]) -> Html:
    drawing = tag("svg", *pieces, viewBox=f"0 0 {_WIDTH:g} {height:g}", role="img", aria_label=f"{title}: {said}")
    return tag("figure", tag("figcaption", tag("strong", title)), drawing, class_="chart rows")
