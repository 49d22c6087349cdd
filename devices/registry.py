"""The one table of cameras and accelerators: name → "module:Class", imported on first use. A new one is one file and one line."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable
from typing import Any

from devices.errors import SpecError

__all__ = ["ACCELERATORS", "CAMERAS", "adapter", "nearest"]

CAMERAS = {
    "picamera2": "devices.cameras.pi:PiCamera",
    "v4l2": "devices.cameras.v4l2:V4l2",
    "rtsp": "devices.cameras.rtsp:Rtsp",
    "file": "devices.cameras.playback:Playback",
    "folder": "devices.cameras.images:Images",
    "synthetic": "devices.cameras.synthetic:Synthetic",
}

ACCELERATORS = {
    "cpu": "devices.accelerators.cpu:Cpu",
    "edgetpu": "devices.accelerators.edgetpu:EdgeTpu",
    "fake": "devices.accelerators.fake:Fake",
}


def adapter(table: dict[str, str], name: str, what: str) -> Any:
    """The class behind `name`.

    Args:
        table: `CAMERAS` or `ACCELERATORS`.
        name: a key of it.
        what: "camera" or "accelerator", for the message.

    Raises:
        SpecError: an unknown name; the known ones and the nearest are named.
    """
    if name not in table:
        raise SpecError(f"{what} {name!r}", f"one of {', '.join(table)}", nearest(name, table))
    module_name, _, class_name = table[name].partition(":")
    return getattr(importlib.import_module(module_name), class_name)


def nearest(name: str, known: Iterable[str]) -> str:
    """The mend for an unknown name: the nearest known one, where there is one."""
    names = {each.lower(): each for each in known}
    near = difflib.get_close_matches(name.lower(), names, n=1)
    return f"did you mean {names[near[0]]!r}?" if near else "use one of those"
