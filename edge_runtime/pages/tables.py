"""Tables that pages of every kind share: facts as pairs, wide tables, confusion matrices; and galleries of faces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge_runtime.pages.page import Html, picture, swatch, tag

__all__ = ["STRONG", "counted", "facts", "gallery_item", "matrix", "wide"]

STRONG = 70
"""From this per cent on a cell's number is in the colour for strong cells; `style.css` has the colours for it."""


def counted(number: int) -> str:
    """A number with thin spaces between its thousands."""
    return f"{number:,}".replace(",", "\u202f")


def facts(*pairs: tuple[str, str]) -> Html:
    """Names and what is known of each, such as versions and hashes."""
    return tag("dl", *[piece for name, value in pairs for piece in (tag("dt", name), tag("dd", value))], class_="facts")


def wide(table: Html, name: str) -> Html:
    """A table that may be wider than a phone; the keyboard can scroll it."""
    return tag("div", table, class_="wide", role="region", aria_label=name, tabindex=0)


def matrix(names: Sequence[str], counts: Sequence[Sequence[int]], what: str = "Confusion matrix") -> Html:
    """A confusion matrix: per cent of each label's faces, with the counts where the pointer rests.

    Args:
        names: of the classes.
        counts: how many faces of class i (the label) were answered j.
        what: the table's name for those who do not see it.
    """
    rows = []
    for at, (name, row) in enumerate(zip(names, counts, strict=True)):
        total = sum(int(count) for count in row)
        cells = [_cell(int(count), total, at == column) for column, count in enumerate(row)]
        said = tag("small", f"{counted(total)} faces")
        rows.append(tag("tr", tag("th", swatch(name), name, said, scope="row"), *cells))
    corner = tag("th", tag("small", "label ↓ answer →"), scope="col")
    head = tag("tr", corner, *[tag("th", name, scope="col") for name in names])
    columns = tag("colgroup", tag("col", class_="names"), *[tag("col") for _ in names])
    return wide(tag("table", columns, tag("thead", head), tag("tbody", *rows), class_="matrix"), what)


def gallery_item(pixels: NDArray[np.uint8], alt: str, *words: str) -> Html:
    """One face of a `<ul class="gallery">`: its picture, and the words under it."""
    return tag("li", tag("figure", picture(pixels, alt), tag("figcaption", *words)))


def _cell(count: int, total: int, right: bool) -> Html:
    share = round(100 * count / total) if total else 0
    words = ["strong" if share >= STRONG else "", "right" if right else "", "" if count else "none"]
    value = f"{share}" if count else "·"
    title = f"{counted(count)} of {counted(total)} faces"
    return tag("td", value, class_=" ".join(filter(None, words)) or None, style=f"--share:{share}", title=title)
