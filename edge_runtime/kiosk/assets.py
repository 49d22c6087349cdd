"""The files of the pages, by name. There is no folder to walk out of: whatever is not in the table is not here."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources

from starlette.exceptions import HTTPException

from edge_runtime.expression_names import EXPRESSION_NAMES, LANGUAGES
from edge_runtime.kiosk.words import WORDS
from edge_runtime.labels import LABEL_SETS, canonical
from edge_runtime.pages.page import css_colour, style_file

__all__ = ["ASSETS", "asset", "page_file"]

_SCRIPT, _STYLE, _JSON = "text/javascript; charset=utf-8", "text/css; charset=utf-8", "application/json"
ASSETS = {
    "tokens.css": _STYLE,
    "kiosk.css": _STYLE,
    "common.js": _SCRIPT,
    "kiosk.js": _SCRIPT,
    "picture.js": _SCRIPT,
    "keeper.js": _SCRIPT,
    "words.json": _JSON,
    "icon.svg": "image/svg+xml",
}


def asset(name: str) -> tuple[bytes, str]:
    """A file and its type. Raises HTTPException 404."""
    if name not in ASSETS:
        raise HTTPException(404)
    return _content(name), ASSETS[name]


@cache
def _content(name: str) -> bytes:
    if name == "tokens.css":  # the reports' own colours and type faces
        return style_file(name).encode()
    if name == "words.json":
        names = {label: dict(each) for label, each in EXPRESSION_NAMES.items()}
        colours = {label: css_colour(label) for label in EXPRESSION_NAMES}
        same = {label: canonical(label) for labels in LABEL_SETS.values() for label in labels.names}
        document = {"languages": LANGUAGES, "names": names, "colours": colours, "words": WORDS, "same": same}
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return page_file(name)


@cache
def page_file(name: str) -> bytes:
    return resources.files(__package__).joinpath("pages", name).read_bytes()
