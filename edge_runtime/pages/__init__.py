"""Pages for people: one HTML file each, complete in itself, readable offline, in light and in dark.

    from edge_runtime.pages import page, section, tag

    html = page("A run", tag("h1", "A run"), section("Result", tag("p", "66.5 % & more")))

Text is escaped by `tag`; only what `tag` made is markup. The page loads nothing: style, pictures and charts are in it.
"""

from edge_runtime.pages.bars import Span, bar_chart, histogram, interval_chart
from edge_runtime.pages.charts import Line, Mark, diagonal_chart, line_chart
from edge_runtime.pages.page import Html, bar, css_colour, page, picture, section, swatch, tag
from edge_runtime.pages.tables import STRONG, counted, facts, gallery_item, matrix, wide

__all__ = [
    "STRONG",
    "Html",
    "Line",
    "Mark",
    "Span",
    "bar",
    "bar_chart",
    "counted",
    "css_colour",
    "diagonal_chart",
    "facts",
    "gallery_item",
    "histogram",
    "interval_chart",
    "line_chart",
    "matrix",
    "page",
    "picture",
    "section",
    "swatch",
    "tag",
    "wide",
]
