"""The same questions to an installed fer-edge, wherever it runs: does each bundle load, pass its self-test, and answer what?"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boards.machine import INSIDE, Machine
from boards.subjects import Subject
from boards.wheel import Wheel
from edge_runtime.archives import DamagedArchiveError, read_archive

__all__ = ["FACES", "Answer", "Stages", "ask", "ask_all", "ask_stages", "set_out"]

FACES = "faces.npz"
_DEADLINE_S = 3600.0
"""A minute or two on an idle machine; an emulated one that shares its processors may take many."""


@dataclass(frozen=True)
class Stages:
    """What a classifier does with the faces, stage by stage; the later two for crops that are the same on every machine.

    crops: uint8 (N, S, S, C), as this machine cuts them; logits: (N, L) as stored, what the last softmax reads; answers: (N, L)
    as stored.
    """

    crops: NDArray[np.uint8]
    logits: NDArray[Any]
    answers: NDArray[Any]


@dataclass(frozen=True)
class Answer:
    """What a fer-edge says about one bundle.

    Attributes:
        subject: the bundle.
        passed: its self-test.
        selftest: the line that it says, or why it does not load.
        loads: whether the interpreter takes it.
        probabilities: float32 (N, L) of `fer-edge record` for the faces; None of a detector, and of one that does not load.
        stages: how they came about; None likewise.
    """

    subject: Subject
    passed: bool
    selftest: str
    loads: bool
    probabilities: NDArray[np.float32] | None = None
    stages: Stages | None = None


def set_out(shared: Path, wheel: Wheel, subjects: Sequence[Subject]) -> Wheel:
    """Puts the wheel, the bundles and `inside.py` where every machine sees them; the wheel with its new place."""
    shutil.copy(INSIDE, shared)
    for subject in subjects:
        shutil.copytree(subject.folder, shared / "bundles" / subject.folder.name, dirs_exist_ok=True)
    path = shared / wheel.path.name
    if path != wheel.path:
        shutil.copy(wheel.path, path)
    return Wheel(path, wheel.version, wheel.sha256, wheel.requires)


def ask(
    machine: Machine, python: str, subjects: Sequence[Subject], out: str, crops_of: str | None = None
) -> list[Answer]:
    """Self-test, `record` and stages of each bundle.

    Args:
        out: the folder within the shared one for what is recorded.
        crops_of: the `out` of the machine whose crops are classified stage by stage; None for this one's own.

    Raises:
        ProgramError: a program cannot be started or does not end.
    """
    return [_ask(machine, python, subject, out, crops_of) for subject in subjects]


def ask_all(
    machines: Sequence[Machine], python: str, subjects: Sequence[Subject], crops_of: str, at_once: int
) -> dict[str, list[Answer]]:
    """What `ask` says on each of several machines, whose names are their `out`, so many bundles at once.

    Whatever goes wrong ends it with what is being asked then; nothing more is begun.
    """
    with ThreadPoolExecutor(at_once) as pool:
        asked = {
            machine.name: [pool.submit(_ask, machine, python, subject, machine.name, crops_of) for subject in subjects]
            for machine in machines
        }
        try:
            return {name: [each.result() for each in one] for name, one in asked.items()}
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _ask(machine: Machine, python: str, subject: Subject, out: str, crops_of: str | None) -> Answer:
    bundle = machine.seen(machine.shared / "bundles" / subject.folder.name)
    fer_edge = [python, "-m", "edge_runtime"]
    option = ["--detector", f"tflite:{bundle}"] if subject.detector else ["--bundle", bundle]
    done = machine.call([*fer_edge, "selftest", *option], "selftest", _DEADLINE_S)
    line, loads = done.last_line, done.code in (0, 1)
    if subject.detector or not loads:
        return Answer(subject, done.code == 0, line, loads)
    record = machine.shared / out / f"{subject.folder.name}.npz"
    record.parent.mkdir(exist_ok=True)
    faces = machine.seen(machine.shared / FACES)
    said = machine.call([*fer_edge, "record", faces, "--out", machine.seen(record), *option], "record", _DEADLINE_S)
    probabilities = _members(record, "probabilities")
    stages = ask_stages(machine, python, subject, out, crops_of)
    if probabilities is None or stages is None:
        return Answer(subject, False, said.last_line if probabilities is None else "no stages", loads)
    return Answer(subject, done.code == 0, line, loads, probabilities[0].astype(np.float32), stages)


def ask_stages(
    machine: Machine, python: str, subject: Subject, out: str, crops_of: str | None = None, xnnpack: bool = True
) -> Stages | None:
    """A classifier's stages, see `ask`; None where it gives none. `xnnpack`: or the interpreter's kernels without it."""
    kind = "stages" if xnnpack else "plain"
    record = machine.shared / out / f"{subject.folder.name}-{kind}.npz"
    record.parent.mkdir(exist_ok=True)
    inputs = "-"
    if crops_of is not None:
        inputs = machine.seen(machine.shared / crops_of / f"{subject.folder.name}-stages.npz")
    bundle, faces = (machine.seen(machine.shared / part) for part in (f"bundles/{subject.folder.name}", FACES))
    script = machine.seen(machine.shared / INSIDE.name)
    machine.call([python, "-I", script, kind, bundle, faces, inputs, machine.seen(record)], kind, _DEADLINE_S)
    members = _members(record, "crops", "logits", "answers")
    return None if members is None else Stages(*members)


def _members(record: Path, *names: str) -> list[NDArray[Any]] | None:
    try:
        archive = read_archive(record)
        return [archive[name] for name in names]
    except (OSError, DamagedArchiveError, KeyError):
        return None
