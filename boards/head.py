"""What stands above each table: when, what and by which command, so that a figure can be made again."""

from __future__ import annotations

import datetime
import platform
from collections.abc import Mapping

from boards.machine import Facts
from boards.wheel import Wheel

__all__ = ["head"]


def head(command: str, wheel: Wheel, faces: int, facts: Mapping[str, Facts | str]) -> str:
    """Lines of Markdown: date, command, wheel, faces, and each environment by its name."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    lines = [
        f"`{command}`, {today}, on {platform.system()} {platform.machine()}",
        f"- wheel: fer-edge {wheel.version}, sha256 {wheel.sha256[:12]}…",
    ]
    if faces:
        lines.append(f"- faces: {faces} made-up ones")
    return "\n".join([*lines, *(f"- {name}: {what}" for name, what in facts.items()), ""])
