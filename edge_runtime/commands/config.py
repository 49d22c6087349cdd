"""`fer-edge config show|check|init`: the settings in force, whether they can be used, and a file to start from."""

from __future__ import annotations

import argparse
from pathlib import Path

from edge_runtime.errors import OutputError
from edge_runtime.settings.check import check_usable
from edge_runtime.settings.config import keys, load_config
from edge_runtime.settings.text import as_json, as_toml, changed, starting_file

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Returns 0; whatever cannot be used raises, which the command turns into exit 2."""
    if arguments.action == "init":
        return _init(arguments.file)
    loaded = load_config(arguments.config, changes=tuple(arguments.set))
    if arguments.action == "show":
        print(as_json(loaded) if arguments.json else as_toml(loaded), end="\n" if arguments.json else "")
        return 0
    check_usable(loaded.config)
    read = f"{loaded.file}" if loaded.file else "no file"
    print(f"{read}: {len(list(keys()))} settings, {changed(loaded)} of them changed; all can be used")
    return 0


def _init(path: Path) -> int:
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write(starting_file())
    except FileExistsError as error:
        raise OutputError(
            f"{path}, which exists", "a name that is free", "edit that file, or name another: fer-edge config init FILE"
        ) from error
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror}", "a place that can be written", "check its folder") from error
    print(f"{path}: every setting with its default; fer-edge config check --config {path} once it is changed")
    return 0
