"""The board that this runs on: model, memory, temperature, throttling. Read when asked."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Board", "read_board"]

# Bits of `vcgencmd get_throttled`. Source: Raspberry Pi documentation, "vcgencmd".
_THROTTLE_BITS = {
    0: "under-voltage",
    1: "frequency capped",
    2: "throttled",
    3: "soft temperature limit",
    16: "under-voltage has occurred",
    17: "frequency cap has occurred",
    18: "throttling has occurred",
    19: "soft temperature limit has occurred",
}
# The processor's own sensor goes before the first that is there: boards have sensors for power supply and radio too.
_PROCESSOR_SENSORS = ("cpu-thermal", "cpu_thermal", "soc-thermal", "soc_thermal", "x86_pkg_temp", "k10temp")


@dataclass(frozen=True)
class Board:
    """What is known about the machine.

    Attributes:
        model: "Raspberry Pi 4 Model B Rev 1.4", or the processor's name where there is no device tree.
        machine: "aarch64", "armv7l", "x86_64", …: of the operating system, as Python was built for it.
        cores: processors that Linux lists.
        memory_mb: total memory in mebibytes, or None where it cannot be read.
        temperature_c: of the processor in °C, or None without a sensor.
        throttling: what holds the board back, now or since it started; empty for nothing, None where the board cannot say.
        python: version of Python, "3.11.2".
        governor: how the system sets the processor's clock ("ondemand", "performance"), or None where it cannot be read.
    """

    model: str
    machine: str
    cores: int
    memory_mb: int | None
    temperature_c: float | None
    throttling: tuple[str, ...] | None
    python: str
    governor: str | None = None


def read_board(root: Path = Path("/")) -> Board:
    """Reads the board's facts from /proc and /sys, and throttling from Raspberry Pi OS's `vcgencmd` where that is there.

    Args:
        root: where /proc, /sys and /usr are; another folder for a made-up board.
    """
    processors = _text(root / "proc/cpuinfo")
    return Board(
        model=_model(root, processors),
        machine=platform.machine(),
        cores=sum(line.split(":")[0].strip() == "processor" for line in processors.splitlines()) or os.cpu_count() or 1,
        memory_mb=_memory_mb(_text(root / "proc/meminfo")),
        temperature_c=_temperature_c(root / "sys/class/thermal"),
        throttling=_throttling(root / "usr/bin/vcgencmd"),
        python=platform.python_version(),
        governor=_text(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").strip() or None,
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").replace("\0", "")
    except OSError:
        return ""


def _model(root: Path, processors: str) -> str:
    tree = _text(root / "proc/device-tree/model").strip()
    if tree:
        return tree
    facts = {
        key.strip(): value.strip()
        for key, colon, value in (line.partition(":") for line in processors.splitlines())
        if colon
    }
    for key in ("Model", "model name", "Hardware"):
        if facts.get(key):
            return facts[key]
    return platform.machine() or "unknown"


def _memory_mb(text: str) -> int | None:
    for line in text.splitlines():
        fields = line.split()
        if len(fields) >= 2 and fields[0] == "MemTotal:" and fields[1].isdigit():
            return int(fields[1]) // 1024
    return None


def _temperature_c(folder: Path) -> float | None:
    found: dict[str, float] = {}
    for zone in sorted(folder.glob("thermal_zone*")):
        try:
            celsius = int(_text(zone / "temp")) / 1000
        except ValueError:
            continue
        if -55 <= celsius <= 150 and celsius != 0:  # outside, or at exactly 0, a sensor is off
            found.setdefault(_text(zone / "type").strip(), celsius)
    for sensor in _PROCESSOR_SENSORS:
        if sensor in found:
            return found[sensor]
    return next(iter(found.values()), None)


def _throttling(program: Path) -> tuple[str, ...] | None:
    if not os.access(program, os.X_OK):
        return None
    try:
        done = subprocess.run(
            [program, "get_throttled"], capture_output=True, text=True, errors="replace", timeout=2, check=True
        )
        flags = int(done.stdout.strip().removeprefix("throttled="), 16)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return tuple(name for bit, name in _THROTTLE_BITS.items() if flags >> bit & 1)
