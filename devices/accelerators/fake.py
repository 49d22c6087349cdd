"""An accelerator that is not there: models run on the processor, and faults come when the script says. It ships for trials."""

from __future__ import annotations

import os
import re
import signal
import time
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from devices.base import Engine, LoadEngine
from devices.errors import AcceleratorError

__all__ = ["Fake"]

_KINDS = ("absent", "refuse", "hang", "crash", "fail", "slow")
_FAULT = re.compile(r"(\w+)@(\d+)(?::(\d+))?")


@dataclass(frozen=True)
class FakeOptions:
    """What may stand behind "?".

    Attributes:
        fault: KIND@RUN[:RUNS], separated by commas: from that run on (counted from 0 over the whole life of the program,
            runs elsewhere included), for so many runs; for ever without. absent: not there; refuse: does not load a model;
            hang: a run does not return; crash: its process is killed; fail: a run raises; slow: a run takes `slow_s`.
        slow_s: seconds.
    """

    fault: str = ""
    slow_s: float = 0.5

    def __post_init__(self) -> None:
        self.faults()

    def faults(self) -> tuple[tuple[str, int, float], ...]:
        """(kind, first run, number of runs). Raises ValueError."""
        found = []
        for text in self.fault.split(",") if self.fault else ():
            match = _FAULT.fullmatch(text)
            if match is None or match[1] not in _KINDS:
                raise ValueError(f"fault {text!r}: expected KIND@RUN[:RUNS] with a kind of {', '.join(_KINDS)}")
            found.append((match[1], int(match[2]), float(match[3]) if match[3] else float("inf")))
        return tuple(found)


class Fake:
    """Runs models on the processor, in a process of its own, with scripted faults."""

    Options = FakeOptions
    example = "fake?fault=hang@20:1"
    default_target = ""
    isolated = True

    def __init__(self, target: str = "", options: FakeOptions | None = None) -> None:
        self.options = options or FakeOptions()
        self.name = "fake"

    def has(self, kind: str, run: int) -> bool:
        """Whether the script has a fault of this kind at this run."""
        return any(name == kind and first <= run < first + lasts for name, first, lasts in self.options.faults())

    def present(self, runs: int) -> bool | None:
        return not self.has("absent", runs)

    def engine(self, model: bytes, load: LoadEngine, runs: int) -> Engine:
        if not self.present(runs):
            raise AcceleratorError("fake: not there, as its script says", "an accelerator", "wait for the fault's end")
        if self.has("refuse", runs):
            raise AcceleratorError("fake: refuses, as its script says", "a model that it takes", "take another model")
        return _FakeEngine(self, load(model, 1, None), runs)


class _FakeEngine:
    def __init__(self, accelerator: Fake, engine: Engine, runs: int) -> None:
        self._accelerator, self._engine, self._run = accelerator, engine, runs

    def run(self, batch: NDArray[Any]) -> NDArray[Any]:
        run, self._run = self._run, self._run + 1
        has = self._accelerator.has
        if has("crash", run) or has("absent", run):
            os.kill(os.getpid(), signal.SIGKILL)
        if has("hang", run):
            time.sleep(1e9)
        if has("fail", run):
            raise RuntimeError("fails, as its script says")
        if has("slow", run):
            time.sleep(self._accelerator.options.slow_s)
        return self._engine.run(batch)
