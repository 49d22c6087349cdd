"""The same questions to an installed fer-edge, wherever it runs: does each bundle load, pass its self-test, and answer what?"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boards.machine import INSIDE, Machine
from boards.subjects import Subject
from boards.wheel import Wheel
from edge_runtime.archives import DamagedArchiveError, read_archive

__all__ = ["Answer", "ask", "ask_without_xnnpack", "set_out"]

FACES = "faces.npz"
_DEADLINE_S = 600.0


@dataclass(frozen=True)
class Answer:
    """What a fer-edge says about one bundle.

    Attributes:
        subject: the bundle.
        passed: its self-test.
        selftest: the line that it says, or why it does not load.
        loads: whether the interpreter takes it.
        probabilities: float32 (N, L) for the faces; None of a detector, and of one that does not load.
    """

    subject: Subject
    passed: bool
    selftest: str
    loads: bool
    probabilities: NDArray[np.float32] | None


def set_out(shared: Path, wheel: Wheel, subjects: Sequence[Subject]) -> Wheel:
    """Puts the wheel, the bundles and `inside.py` where every machine sees them; the wheel with its new place."""
    shutil.copy(INSIDE, shared)
    for subject in subjects:
        shutil.copytree(subject.folder, shared / "bundles" / subject.folder.name, dirs_exist_ok=True)
    path = shared / wheel.path.name
    if path != wheel.path:
        shutil.copy(wheel.path, path)
    return Wheel(path, wheel.version, wheel.sha256, wheel.requires)


def ask(machine: Machine, python: str, subjects: Sequence[Subject], out: str) -> list[Answer]:
    """Self-test and `record` of each bundle; records are put into the shared folder `out`.

    Raises:
        ProgramError: a program cannot be started or does not end.
    """
    folder = machine.shared / out
    folder.mkdir(exist_ok=True)
    return [_ask(machine, python, subject, folder) for subject in subjects]


def _ask(machine: Machine, python: str, subject: Subject, folder: Path) -> Answer:
    bundle = machine.seen(machine.shared / "bundles" / subject.folder.name)
    fer_edge = [python, "-m", "edge_runtime"]
    option = ["--detector", f"tflite:{bundle}"] if subject.detector else ["--bundle", bundle]
    done = machine.call([*fer_edge, "selftest", *option], "selftest", _DEADLINE_S)
    line, loads = done.last_line, done.code in (0, 1)
    if subject.detector or not loads:
        return Answer(subject, done.code == 0, line, loads, None)
    record = folder / f"{subject.folder.name}.npz"
    faces, where = machine.seen(machine.shared / FACES), machine.seen(record)
    # A label set that shares no name with the faces' is no matter here: answers are compared, not judged.
    said = machine.call([*fer_edge, "record", faces, "--out", where, *option], "record", _DEADLINE_S)
    probabilities = _probabilities(record)
    if probabilities is None:
        return Answer(subject, False, said.last_line, loads, None)
    return Answer(subject, done.code == 0, line, loads, probabilities)


def ask_without_xnnpack(machine: Machine, python: str, subject: Subject, out: str) -> NDArray[np.float32] | None:
    """A classifier's probabilities by the interpreter's plain kernels; None where it gives none."""
    record = machine.shared / out / f"{subject.folder.name}-plain.npz"
    record.parent.mkdir(exist_ok=True)
    bundle, faces = machine.shared / "bundles" / subject.folder.name, machine.shared / FACES
    words = [python, "-I", machine.seen(machine.shared / INSIDE.name), "without-xnnpack"]
    machine.call([*words, *map(machine.seen, (bundle, faces, record))], "without XNNPACK", _DEADLINE_S)
    return _probabilities(record)


def _probabilities(record: Path) -> NDArray[np.float32] | None:
    try:
        found: NDArray[Any] = read_archive(record)["probabilities"]
    except (OSError, DamagedArchiveError, KeyError):
        return None
    return found.astype(np.float32)
