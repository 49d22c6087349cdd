"""Settings of the kiosk page and the HTTP API."""

from __future__ import annotations

from dataclasses import dataclass

from edge_runtime.expression_names import LANGUAGES
from edge_runtime.settings.field import Settings, setting

__all__ = ["KioskSettings"]


@dataclass(frozen=True)
class KioskSettings(Settings):
    """The page for visitors, and the API. Read by `fer-edge serve`."""

    title = "the page for visitors, and the API; needs fer-edge[kiosk]; see docs/kiosk.md"

    host: str = setting("127.0.0.1", "address to listen on; any other than this machine's own needs a token_file")
    port: int = setting(8080, "0: any that is free", low=0, high=65535)
    token_file: str = setting("", "a file whose first line is the token that pages and programs must show")
    names: str = setting("", "further names that this machine is reached by, with commas between: kiosk.example")
    language: str = setting("auto", "of the pages; auto: the browser's", choices=("auto", *LANGUAGES))
    mirror: bool = setting(True, "visitors see themselves as in a mirror")
