"""`fer-edge config show|check|init`: the settings in force, whether they can be used, and a file to start from."""

from __future__ import annotations

import argparse
from pathlib import Path

from edge_runtime.bundle import read_bundle
from edge_runtime.config import Loaded, keys, load_config, read_secret
from edge_runtime.config_text import as_json, as_toml, changed, starting_file
from edge_runtime.detectors import open_detector
from edge_runtime.errors import OutputError

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Returns 0; whatever cannot be used raises, which the command turns into exit 2."""
    if arguments.action == "init":
        return _init(arguments.file)
    loaded = load_config(arguments.config, changes=tuple(arguments.set))
    if arguments.action == "show":
        print(as_json(loaded) if arguments.json else as_toml(loaded), end="\n" if arguments.json else "")
        return 0
    _check_named(loaded)
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


def _check_named(loaded: Loaded) -> None:
    """Opens what the settings name and what lies on this machine; cameras and accelerators are left to `fer-edge doctor`."""
    config = loaded.config
    read_bundle(config.model.bundle)
    open_detector(config.detector.spec)
    if config.mqtt.password_file:
        read_secret(Path(config.mqtt.password_file))
