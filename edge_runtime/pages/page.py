"""One HTML file out of escaped pieces: elements, pictures as data URIs, sections, and the page around them."""

from __future__ import annotations

import base64
import html
from importlib import resources

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.colours import colour_of

__all__ = ["Html", "bar", "css_colour", "page", "picture", "section", "style_file", "swatch", "tag"]

_VOID = {"br", "col", "hr", "img", "meta"}
_DRAWN = {"circle", "line", "polyline", "rect"}
"""Elements of SVG that close themselves when they are empty."""

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


class Html(str):
    """Markup. Only `tag` and its like make it; any other text is escaped where it is put in."""

    __slots__ = ()


def tag(element: str, *children: str, **attributes: object) -> Html:
    """An element: `tag("p", "5 < 6", class_="note")` is `<p class="note">5 &lt; 6</p>`.

    Args:
        element: its name.
        children: text, which is escaped, or `Html`, which is not.
        attributes: `_` stands for `-`, and one at the end is dropped; an attribute that is None is left out.
    """
    words = [element]
    for name, value in attributes.items():
        if value is not None:
            words.append(f'{name.rstrip("_").replace("_", "-")}="{html.escape(str(value))}"')
    if element in _DRAWN and not children:
        return Html(f"<{' '.join(words)}/>")
    opening = f"<{' '.join(words)}>"
    if element in _VOID:
        return Html(opening)
    return Html(f"{opening}{''.join(map(_escaped, children))}</{element}>")


def page(title: str, *body: str) -> Html:
    """A whole document. It asks the browser to load nothing from anywhere, in words that the browser enforces."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        Html(f"<style>\n{_style()}</style>"),
    )
    return Html(f"<!doctype html>\n{tag('html', head, tag('body', tag('main', *body)), lang='en')}\n")


def section(title: str, *content: str, note: str = "") -> Html:
    """A part of the page: its heading and a remark beside it, then what it shows."""
    remark = (tag("p", note),) if note else ()
    return tag("section", tag("header", tag("h2", title), *remark), tag("div", *content, class_="content"))


def picture(pixels: NDArray[np.uint8], alt: str, side: int = 64) -> Html:
    """A small picture, uint8 (H, W) or (H, W, 3) BGR, as a PNG within the page; larger ones shrink to `side` px."""
    height, width = pixels.shape[:2]
    if max(height, width) > side:
        scale = side / max(height, width)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    _, png = cv2.imencode(".png", pixels)
    source = f"data:image/png;base64,{base64.b64encode(png.tobytes()).decode()}"
    return tag("img", src=source, alt=alt, width=pixels.shape[1], height=pixels.shape[0])


def swatch(label: str) -> Html:
    """A dot in an expression's colour, to stand beside its name."""
    return tag("span", class_="swatch", style=f"--colour:{css_colour(label)}", aria_hidden="true")


def bar(share: float, colour: str = "") -> Html:
    """A bar of a share from 0 to 1 of its cell, with the number in per cent."""
    style = f"--share:{100 * min(1.0, max(0.0, share)):.1f}" + (f";--colour:{colour}" if colour else "")
    track = tag("span", tag("span"), class_="bar", style=style, aria_hidden="true")
    return tag("span", track, tag("span", f"{100 * share:.1f}", class_="number"), class_="measure")


def css_colour(label: str) -> str:
    """The colour of an expression as CSS writes it: "#0072b2"."""
    blue, green, red = colour_of(label)
    return f"#{red:02x}{green:02x}{blue:02x}"


def _escaped(child: str) -> str:
    return child if isinstance(child, Html) else html.escape(child)


def style_file(name: str) -> str:
    """ "tokens.css" (colours and type faces, also the kiosk's) or "style.css" (all else of these pages)."""
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _style() -> str:
    return style_file("tokens.css") + "\n" + style_file("style.css")
