"""The one configuration file, `fer-edge.toml`: defaults, the file, the environment and flags, in this order.

    loaded = load_config(Path("fer-edge.toml"), flags={"source.spec": "synthetic"})
    loaded.config.source.spec                # "synthetic"
    loaded.origins["source.spec"]            # "flag"

Every key may be given as an environment variable too: `smoothing.threshold` is `FER_EDGE_SMOOTHING_THRESHOLD`.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import tomllib
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devices.child import STDERR_VARIABLE
from edge_runtime.errors import ConfigError
from edge_runtime.settings.deciding import QualitySettings, SmoothingSettings, TrackingSettings
from edge_runtime.settings.field import ConflictError, Rule, Settings, rules_of
from edge_runtime.settings.kiosk import KioskSettings
from edge_runtime.settings.outputs import LogSettings, MetricsSettings, MqttSettings, OutputSettings
from edge_runtime.settings.seeing import AcceleratorSettings, DetectorSettings, ModelSettings, SourceSettings
from edge_runtime.settings.service import ServiceSettings
from edge_runtime.tables import parse_table

__all__ = [
    "CONFIG_NAME",
    "DEFAULT",
    "PREFIX",
    "Config",
    "Key",
    "Loaded",
    "config_file",
    "keys",
    "load_config",
    "read_secret",
    "sections",
]

CONFIG_NAME = "fer-edge.toml"
PREFIX = "FER_EDGE_"
"""What the environment variables of settings begin with."""

FILE_VARIABLE = "FER_EDGE_CONFIG"
DEFAULT, FLAG = "default", "flag"

_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


@dataclass(frozen=True)
class Config:
    """Every setting. Each table refuses values out of their ranges (ValueError)."""

    source: SourceSettings = field(default_factory=SourceSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    accelerator: AcceleratorSettings = field(default_factory=AcceleratorSettings)
    detector: DetectorSettings = field(default_factory=DetectorSettings)
    tracking: TrackingSettings = field(default_factory=TrackingSettings)
    quality: QualitySettings = field(default_factory=QualitySettings)
    smoothing: SmoothingSettings = field(default_factory=SmoothingSettings)
    output: OutputSettings = field(default_factory=OutputSettings)
    log: LogSettings = field(default_factory=LogSettings)
    mqtt: MqttSettings = field(default_factory=MqttSettings)
    metrics: MetricsSettings = field(default_factory=MetricsSettings)
    kiosk: KioskSettings = field(default_factory=KioskSettings)
    service: ServiceSettings = field(default_factory=ServiceSettings)


@dataclass(frozen=True)
class Key:
    """One setting: its dotted name, type, default and rule."""

    section: str
    name: str
    type: type
    default: Any
    rule: Rule

    @property
    def dotted(self) -> str:
        return f"{self.section}.{self.name}"

    @property
    def variable(self) -> str:
        return f"{PREFIX}{self.section}_{self.name}".upper()


@dataclass(frozen=True)
class Loaded:
    """The effective settings, and where each came from.

    Attributes:
        config: the settings.
        origins: dotted key → "default", the file, the variable, "flag" (of its own, such as --source) or "--set KEY".
        file: the file that was read; None where there is none.
    """

    config: Config
    origins: Mapping[str, str]
    file: Path | None


def sections() -> dict[str, type[Settings]]:
    """Section → its class, in the order of the file."""
    hints = typing.get_type_hints(Config)
    return {entry.name: hints[entry.name] for entry in dataclasses.fields(Config)}


def keys() -> Iterator[Key]:
    """Every setting, in the order of the file."""
    for section, settings in sections().items():
        hints = typing.get_type_hints(settings)
        for name, default, rule in rules_of(settings):
            yield Key(section, name, hints[name], default, rule)


def config_file(named: Path | None, environment: Mapping[str, str]) -> Path | None:
    """The file to read: `named`, `$FER_EDGE_CONFIG`, or the first that exists of ./, ~/.config/fer-edge/ and /etc/fer-edge/.

    Raises:
        ConfigError: a file that was named and is not there.
    """
    for what, chosen in (("--config", named), (FILE_VARIABLE, environment.get(FILE_VARIABLE))):
        if chosen:
            path = Path(chosen)
            if not path.is_file():
                raise ConfigError(
                    f"{what} {path}, which is no file", "a configuration file", "fer-edge config init FILE"
                )
            return path
    home = environment.get("XDG_CONFIG_HOME") or os.path.join(environment.get("HOME", ""), ".config")
    places = (Path(), Path(home) / "fer-edge", Path("/etc/fer-edge"))
    return next((place / CONFIG_NAME for place in places if (place / CONFIG_NAME).is_file()), None)


def load_config(
    named: Path | None = None,
    flags: Mapping[str, Any] | None = None,
    changes: tuple[str, ...] = (),
    environment: Mapping[str, str] | None = None,
) -> Loaded:
    """The effective settings.

    Args:
        named: the file of `--config`; None looks for one.
        flags: dotted key → the value of a flag of its own, such as {"source.spec": "synthetic"}; None was not given.
        changes: texts of `--set section.key=value`; they win over all else.
        environment: instead of `os.environ`.

    Raises:
        ConfigError: an unknown key, section or variable (with the nearest right one), a wrong type, a value out of range.
    """
    environment = os.environ if environment is None else environment
    known = {key.dotted: key for key in keys()}
    path = config_file(named, environment)
    layers: list[tuple[str, dict[str, dict[str, Any]]]] = []
    if path is not None:
        layers.append((str(path), _read(path)))
    layers += _of_environment(environment, known)
    for dotted, value in (flags or {}).items():
        if value is not None:
            layers.append((FLAG, _single(known[dotted], value)))
    for change in changes:
        dotted, equals, text = change.partition("=")
        if not equals or dotted not in known:
            raise ConfigError(f"--set {change}", "section.key=value", _nearest(dotted, known) or "fer-edge config show")
        layers.append((f"--set {dotted}", _single(known[dotted], _typed(text, known[dotted], f"--set {dotted}"))))
    merged: dict[str, dict[str, Any]] = {}
    origins = dict.fromkeys(known, DEFAULT)
    for where, layer in layers:
        _check_layer(layer, where)
        for section, table in layer.items():
            merged.setdefault(section, {}).update(table)
            origins.update({f"{section}.{name}": where for name in table})
    return Loaded(parse_table(Config, merged, "the settings together", ConfigError), origins, path)


def read_secret(path: Path) -> str:
    """The first line of a file that holds a secret. Raises ConfigError; the message never holds the secret."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no UTF-8 text"
        raise ConfigError(f"{path}: {reason}", "a readable file with a secret", "check its place and owner") from error
    if not lines or not lines[0].strip():
        raise ConfigError(f"{path}: an empty first line", "the secret in the first line", "write it there")
    return lines[0].strip()


def _check_layer(layer: Mapping[str, Any], where: str) -> None:
    """Each layer by itself, so that a message names the file or the variable that is wrong."""
    try:
        parse_table(Config, layer, where, ConfigError)
    except ConfigError as error:
        # The other half may stand in another layer; what goes together is judged once all are there.
        if not isinstance(error.__cause__, ConflictError):
            raise


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", "a readable file", "check its place and owner") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: bytes that are no UTF-8", "a text file", "save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}", "TOML", "correct that line; texts stand in quotes") from error


def _of_environment(
    environment: Mapping[str, str], known: Mapping[str, Key]
) -> Iterator[tuple[str, dict[str, dict[str, Any]]]]:
    variables = {key.variable: key for key in known.values()}
    for variable in sorted(environment):
        if not variable.startswith(PREFIX) or variable in (FILE_VARIABLE, STDERR_VARIABLE):
            continue
        if variable not in variables:
            hint = _nearest(variable, variables) or "unset it; fer-edge config show lists the settings"
            raise ConfigError(f"environment variable {variable}", f"{PREFIX}SECTION_KEY", hint)
        key = variables[variable]
        yield variable, _single(key, _typed(environment[variable], key, variable))


def _single(key: Key, value: Any) -> dict[str, dict[str, Any]]:
    return {key.section: {key.name: value}}


def _typed(text: str, key: Key, where: str) -> Any:
    """A text of the environment or of a flag as the setting's own type."""
    if key.type is str:
        return text
    if key.type is bool:
        if text.lower() in _TRUE + _FALSE:
            return text.lower() in _TRUE
        raise ConfigError(f"{where} = {text!r}", "true or false", "correct its value")
    try:
        return key.type(text)
    except ValueError as error:
        what = "a whole number" if key.type is int else "a number"
        raise ConfigError(f"{where} = {text!r}", what, "correct its value") from error


def _nearest(name: str, known: Mapping[str, Key]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else ""
