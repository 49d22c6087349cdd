"""The configuration as text for people: what is in force and where it came from, and a file to start from."""

from __future__ import annotations

import json
from typing import Any

from edge_runtime.settings.config import DEFAULT, Key, Loaded, keys, sections

__all__ = ["MASK", "as_json", "as_toml", "changed", "starting_file"]

MASK = "********"
"""What stands for a secret."""


def as_toml(loaded: Loaded) -> str:
    """The effective settings as TOML, each with where it came from. Secrets are masked."""
    width = max(len(_assignment(key, _shown(loaded, key))) for key in keys() if key.type is not str)
    lines = [f"# read: {loaded.file}" if loaded.file else "# read: no file", ""]
    section = ""
    for key in keys():
        if key.section != section:
            lines += [""] * bool(section) + [f"[{key.section}]"]
            section = key.section
        lines.append(f"{_assignment(key, _shown(loaded, key)):<{width}}  # {loaded.origins[key.dotted]}")
    return "\n".join(lines) + "\n"


def as_json(loaded: Loaded) -> str:
    """The same for programs: dotted key → value and origin."""
    settings = {
        key.dotted: {"value": _shown(loaded, key), "from": loaded.origins[key.dotted], "variable": key.variable}
        for key in keys()
    }
    return json.dumps({"file": None if loaded.file is None else str(loaded.file), "settings": settings}, indent=2)


def changed(loaded: Loaded) -> int:
    """How many settings are not the default's own."""
    return sum(origin != DEFAULT for origin in loaded.origins.values())


def starting_file() -> str:
    """A file with every setting, its meaning and its default, all commented out."""
    lines = [
        "# fer-edge: every setting, with its default. Take away the # before a line and change it.",
        "# A setting may be given by the environment too: smoothing.threshold as FER_EDGE_SMOOTHING_THRESHOLD.",
        "# fer-edge config check says whether all is right; fer-edge config show says what is in force.",
    ]
    section = ""
    for key in keys():
        if key.section != section:
            section = key.section
            lines += ["", f"# {sections()[section].title}", f"[{section}]"]
        expected = key.rule.expected()
        lines += [f"# {key.rule.text}{f' ({expected})' if expected else ''}", f"#{_assignment(key, key.default)}"]
    return "\n".join(lines) + "\n"


def _shown(loaded: Loaded, key: Key) -> Any:
    value = getattr(getattr(loaded.config, key.section), key.name)
    return MASK if key.rule.secret and value else value


def _assignment(key: Key, value: Any) -> str:
    # TOML's basic strings, numbers and booleans are JSON's, for all that a setting may hold.
    return f"{key.name} = {json.dumps(value, ensure_ascii=False)}"
