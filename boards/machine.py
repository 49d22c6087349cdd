"""Where programs of a trial run: this machine, or one that is emulated on it."""

from __future__ import annotations

import contextlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from boards.errors import ProgramError
from boards.programs import Done, call

__all__ = ["INSIDE", "Facts", "Here", "Machine", "ask_facts"]

INSIDE = Path(__file__).parent / "inside.py"


class Machine(Protocol):
    """A place for programs. `shared` is a folder of this machine that is seen there too."""

    @property
    def name(self) -> str: ...

    @property
    def shared(self) -> Path: ...

    def seen(self, path: Path) -> str:
        """How a path within `shared` is called there."""

    def call(self, words: Sequence[str], what: str, deadline_s: float) -> Done:
        """Runs a program there to its end. Raises ProgramError where it cannot be started or does not end."""


@dataclass(frozen=True)
class Here:
    """This machine."""

    shared: Path
    env: Mapping[str, str] | None = None
    name: str = platform.machine().replace("_", "-")

    def seen(self, path: Path) -> str:
        return str(path)

    def call(self, words: Sequence[str], what: str, deadline_s: float) -> Done:
        # From the shared folder: in the checkout, its own packages would be imported instead of the wheel's.
        return call(words, what, deadline_s, self.env, cwd=self.shared)


@dataclass(frozen=True)
class Facts:
    """An environment: Python, machine and C library, packages with their versions, and their bytes."""

    python: str
    machine: str
    libc: str
    packages: Mapping[str, str]
    bytes: int

    def __str__(self) -> str:
        wanted = ("ai-edge-litert", "tflite-runtime", "numpy", "opencv-python-headless")
        folded = {name.lower().replace("_", "-"): version for name, version in self.packages.items()}
        shown = [f"{name} {folded[name]}" for name in wanted if name in folded]
        return ", ".join([f"{self.machine}", f"Python {self.python}", self.libc, *shown])


def ask_facts(machine: Machine, python: str, deadline_s: float = 900.0) -> Facts:
    """What the environment of a Python is. `inside.py` must lie in the machine's shared folder.

    Raises:
        ProgramError: it does not say.
    """
    done = machine.call([python, "-I", machine.seen(machine.shared / INSIDE.name), "facts"], "facts", deadline_s)
    with contextlib.suppress(ValueError, TypeError):
        found: dict[str, Any] = json.loads(done.out)
        return Facts(**found)
    raise ProgramError(f"{machine.name}: {python} says {done.last_line!r}", "its versions", "remove the cache's folder")
