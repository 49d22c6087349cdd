"""The Coral Edge TPU, through its library as a LiteRT delegate. No pycoral: that is bound to Python 3.9.

The names of options and devices are those of libedgetpu's plugin, which tests/devices/vendor/libedgetpu.json records.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from devices.attached import attached_tpus
from devices.base import Delegate, Engine, LoadEngine
from devices.errors import AcceleratorError

__all__ = ["EDGETPU_LIBRARY", "EdgeTpu"]

EDGETPU_LIBRARY = "libedgetpu.so.1"

_MEND = (
    "install the runtime (libedgetpu1-std from Coral's Debian repository), add the user to the group plugdev (USB) or apex "
    "(PCIe), and plug the TPU in again"
)


@dataclass(frozen=True)
class EdgeTpuOptions:
    """What may stand behind "?".

    Attributes:
        performance: the TPU's clock. libedgetpu takes it only together with a device's number, as in edgetpu:usb:0.
    """

    performance: Literal["low", "medium", "high", "max"] = "max"


class EdgeTpu:
    """One Edge TPU.

    Args:
        target: "" for any, "usb", "pci", "usb:0", "pci:1" or ":0".
        root: where /sys and /dev are; another folder for a made-up board.
    """

    Options = EdgeTpuOptions
    example = "edgetpu:usb:0"
    default_target = ""
    isolated = (
        True  # its library ends the process where the USB bus fails, and waits for ever where the TPU does not answer
    )

    def __init__(self, target: str = "", options: EdgeTpuOptions | None = None, root: Path = Path("/")) -> None:
        self._options = options or EdgeTpuOptions()
        self._target, self._root = target, root
        self.name = f"edgetpu:{target}" if target else "edgetpu"

    @staticmethod
    def check_target(target: str, options: EdgeTpuOptions) -> str:
        """The device in libedgetpu's words. Raises ValueError for what it does not know."""
        if target and re.fullmatch(r"(usb|pci)?(:\d{1,2})?", target) is None:
            raise ValueError(f"device {target!r}: expected usb, pci, usb:N, pci:N or :N")
        if options != EdgeTpuOptions() and ":" not in target:
            raise ValueError("performance without a device's number: expected edgetpu:usb:0?performance=low")
        return target

    def delegate(self) -> Delegate:
        """What the interpreter is to load."""
        options: list[tuple[str, str]] = [("device", self._target)] if self._target else []
        if self._options.performance != "max":
            options.append(("Performance", self._options.performance.capitalize()))
        return Delegate(EDGETPU_LIBRARY, tuple(options), _MEND)

    def present(self, runs: int) -> bool | None:
        kind, _, number = self._target.partition(":")
        found = [tpu for tpu in attached_tpus(self._root) if kind in ("", tpu.kind)]
        return len(found) > (int(number) if number else 0)

    def engine(self, model: bytes, load: LoadEngine, runs: int) -> Engine:
        if not self.present(runs):
            raise AcceleratorError(
                f"{self.name}: not there", "an Edge TPU on USB or PCIe", "plug it in, check its power"
            )
        return load(model, 1, self.delegate())
