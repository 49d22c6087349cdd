"""Can these settings be used on this machine? What they name is opened and looked at; no camera, accelerator or network is."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from devices.spec import parse_accelerator, parse_source
from edge_runtime.bundle import read_bundle
from edge_runtime.detectors import open_detector
from edge_runtime.detectors.regions import RegionSearch
from edge_runtime.errors import ConfigError, OutputError, UsageError
from edge_runtime.members import is_shipped
from edge_runtime.settings.config import Config, read_secret

__all__ = ["check_usable", "named_paths"]

_EXTRAS = {"mqtt": ("paho",), "kiosk": ("starlette", "uvicorn", "python_multipart")}
"""Each extra of the distribution and the modules that it brings."""


def check_usable(config: Config, served: bool = False) -> None:
    """Whether a run could start, as far as that can be told without a device.

    Args:
        served: whether `fer-edge serve` is to run, which needs an extra of its own.

    Raises:
        SpecError, BundleError, DetectorError, OutputError, ConfigError, UsageError: the first setting that cannot be used.
    """
    parse_source(config.source.spec)
    parse_accelerator(config.accelerator.spec)
    read_bundle(config.model.bundle)
    detector = open_detector(config.detector.spec)
    if config.detector.close_up:
        RegionSearch(detector, open_detector(config.detector.close_up), config.detector.scan_every)
    if config.output.annotate and Path(config.output.annotate).suffix.lower() != ".mp4":
        raise OutputError(f"output.annotate = {config.output.annotate!r}", "a name that ends in .mp4", "rename it")
    if config.mqtt.url:
        _check_extra("mqtt", "mqtt.url")
    for name, path in (
        ("mqtt.password_file", config.mqtt.password_file),
        ("kiosk.token_file", config.kiosk.token_file),
    ):
        if path:
            _named(name, path)
            read_secret(Path(path))
    if config.mqtt.ca_file:
        _named("mqtt.ca_file", config.mqtt.ca_file)
    if served:
        _check_extra("kiosk", "the page")


def named_paths(config: Config) -> dict[str, Path]:
    """Setting → the file or folder that it names, for those that name one. Raises SpecError."""
    source = parse_source(config.source.spec)
    detectors = {
        f"detector.{name}": "" if is_shipped(path) else path
        for name, (_, _, path) in (
            ("spec", config.detector.spec.partition(":")),
            ("close_up", config.detector.close_up.partition(":")),
        )
    }
    named = detectors | {
        "source.spec": source.target if source.kind in ("file", "folder") else getattr(source.options, "picture", ""),
        "model.bundle": "" if is_shipped(config.model.bundle) else config.model.bundle,
        "output.annotate": config.output.annotate,
        "log.path": config.log.path,
        "mqtt.password_file": config.mqtt.password_file,
        "mqtt.ca_file": config.mqtt.ca_file,
        "kiosk.token_file": config.kiosk.token_file,
    }
    return {name: Path(path) for name, path in named.items() if path}


def _named(name: str, path: str) -> None:
    if not Path(path).is_file():
        raise ConfigError(f"{name} = {path!r}, which is no file", "a readable file", "check its place and owner")


def _check_extra(extra: str, wanted_by: str) -> None:
    for module in _EXTRAS[extra]:
        if importlib.util.find_spec(module) is None:
            raise UsageError(
                f"{wanted_by}, and no package {module}", f"the extra [{extra}]", f'pip install "fer-edge[{extra}]"'
            )
