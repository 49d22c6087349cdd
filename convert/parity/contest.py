"""One parity run from its sides to its result: everybody answers the same faces, then measures and gate decide.

A candidate that cannot be compared is refused by itself, and the others are judged all the same; without the reference
there is nothing to judge.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from convert.calibration import calibrated_on
from convert.parity.answers import Answers
from convert.parity.errors import SideError
from convert.parity.evidence import Probe
from convert.parity.gate import Gate
from convert.parity.latency import machine_name, measure_latencies, with_latency
from convert.parity.probes import gather_probes
from convert.parity.record_side import RecordSide
from convert.parity.refused import Refusals
from convert.parity.result import ParityResult, measure_parity
from convert.parity.sides import ModelSide, Options, open_side
from convert.parity.signals import Signals, chosen_faces, measure_signals
from convert.parity.task import Data, Task, make_task, order_in, shared_labels
from edge_runtime.bundle import InputFacts
from edge_runtime.labels import LabelSet
from edge_runtime.version import __version__

__all__ = ["Contest", "Entry", "Finding", "run_contest"]


Opened = ModelSide | RecordSide
Progress = Callable[[str, int], Callable[[int], object]]
"""Called with a side's name and its number of faces; gives the function that is told how many were answered."""

_RECORDS_READ = InputFacts(48, 1)
"""The size that pictures in folders are read in where every side is a record, and none says its input."""


@dataclass(frozen=True)
class Entry:
    """A side as a user names it: where it is, and how reports call it."""

    place: str
    name: str


@dataclass(frozen=True)
class Contest:
    """What is to be compared.

    Attributes:
        reference, candidates: the sides.
        data: the faces.
        labels: with --label-set, or None.
        gate: that judges.
        options: how sides are opened.
        latency_runs: for the median latency of each side, at least `latency.ROUNDS`; 0 measures none.
        evidence: whether tensors are compared one by one, and what `explain` weighs is gathered.
    """

    reference: Entry
    candidates: tuple[Entry, ...]
    data: Data
    labels: LabelSet | None
    gate: Gate
    options: Options
    latency_runs: int
    evidence: bool


@dataclass(frozen=True)
class Finding:
    """What came of it.

    Attributes:
        result: the measures and the verdict.
        task: the faces and their labels.
        reference, candidates: the answers that were measured.
        assumed: names of sides that do not name their labels; they were taken to be in the shared order.
    """

    result: ParityResult
    task: Task
    reference: Answers
    candidates: tuple[Answers, ...]
    assumed: tuple[str, ...]


def run_contest(contest: Contest, progress: Progress, refuse: Callable[[str], object]) -> Finding | None:
    """Compares all sides.

    Args:
        contest: what is to be compared.
        progress: told what is answered.
        refuse: told, in one line, why a candidate is refused.

    Returns:
        What came of it; None where every candidate was refused.

    Raises:
        ConvertError, FerEdgeError: the reference or the data cannot be used.
    """
    refusals = Refusals(refuse)

    def opened(entry: Entry) -> Opened:
        return open_side(entry.place, entry.name, contest.options)

    first = opened(contest.reference)
    entries = contest.candidates
    others = refusals.survivors([entry.name for entry in entries], lambda place: opened(entries[place]))
    if not others:
        return None
    labels = shared_labels(_known([first, *others]), contest.labels)
    inputs = _inputs([first, *others])
    task = make_task(contest.data, labels, inputs[0], contest.labels)
    order = _order(first, task, inputs)
    admitted = refusals.survivors(
        [_name(side) for side in others], lambda place: (others[place], _order(others[place], task, inputs))
    )
    if not admitted:
        return None
    reference = _answers(first, order, task, progress)
    answered = refusals.survivors(
        [_name(side) for side, _ in admitted], lambda place: _answers(*admitted[place], task, progress)
    )
    if not answered:
        return None
    answering = {each.name for each in answered}
    judged = [side for side, _ in admitted if _name(side) in answering]
    models = [side for side in (first, *judged) if isinstance(side, ModelSide)]
    timed = _timed(models, [reference, *answered], task, contest.latency_runs)
    environment = _environment(contest, models)
    probes = _probes(models, timed, task, contest.options) if contest.evidence else {}
    labelled = task.faces.labels
    result = measure_parity(timed[0], timed[1:], labelled, task.facts, contest.gate, environment, probes)
    signals = _signals(models, task) if contest.evidence else []
    result = replace(result, refused=refusals.all, signals=tuple(signals))
    assumed = tuple(side.about.name for side in models if side.about.labels is None)
    return Finding(result, task, timed[0], tuple(timed[1:]), assumed)


def _name(side: Opened) -> str:
    return side.about.name if isinstance(side, ModelSide) else side.name


def _known(sides: Sequence[Opened]) -> list[tuple[str, tuple[str, ...]]]:
    """Name and labels of the sides that have them."""
    named = [(_name(side), side.about.labels if isinstance(side, ModelSide) else side.labels) for side in sides]
    return [(name, labels) for name, labels in named if labels is not None]


def _inputs(sides: Sequence[Opened]) -> list[InputFacts]:
    """What the models read, the reference first; a record does not say."""
    return [side.about.input for side in sides if isinstance(side, ModelSide)] or [_RECORDS_READ]


def _order(side: Opened, task: Task, inputs: Sequence[InputFacts]) -> NDArray[np.int64]:
    """The columns of a side's answers in the shared order. Raises SideError for one that answers something else."""
    labels = task.labels
    if isinstance(side, RecordSide):
        order = order_in(labels, side.name, side.labels)
        recorded = np.append(order, -1).astype(np.int16)[task.faces.labels]
        side.check_faces(task.faces.rows, recorded, task.facts.split, task.hashes(inputs))
        return order
    _check_calibration(side, task)
    if side.about.labels is not None:
        return order_in(labels, side.about.name, side.about.labels)
    if side.about.classes != len(labels):
        raise SideError(
            f"{side.about.name}: {side.about.classes} classes",
            f"{len(labels)}: {', '.join(labels.names)}",
            "compare models of one label set",
        )
    return np.arange(len(labels))


def _check_calibration(side: ModelSide, task: Task) -> None:
    """Raises SideError for a model whose ranges were set by faces that it would be judged on."""
    about = side.about
    if about.calibration is None:
        return
    size, channels = about.input.size, about.input.channels
    if calibrated_on(about.calibration, task.data.faces(size, channels), size, channels):
        raise SideError(
            f"{about.name}: its {len(about.calibration['rows'].split())} calibration faces are among those of"
            f" {task.facts.source}, {task.facts.split}, by row and by pixels",
            "faces that took no part in its conversion, which would flatter it",
            "judge it on another split",
        )


def _answers(side: Opened, order: NDArray[np.int64], task: Task, progress: Progress) -> Answers:
    rows = task.faces.rows
    if isinstance(side, RecordSide):
        probabilities = np.ascontiguousarray(side.measured.probabilities[:, order])
        return Answers(side.name, "record", probabilities, rows, side.facts)
    about = side.about
    answered = side.probabilities(task.pixels(about.input), progress(about.name, len(rows)))
    return Answers(about.name, about.kind, np.ascontiguousarray(answered[:, order]), rows, about.facts)


def _timed(models: Sequence[ModelSide], answers: Sequence[Answers], task: Task, runs: int) -> list[Answers]:
    """The answers, those of models with what one face takes them on this machine."""
    if not runs or not models:
        return list(answers)
    machine = machine_name()
    latencies = measure_latencies(models, [task.pixels(side.about.input, [0]) for side in models], runs)
    taken = {side.about.name: latency for side, latency in zip(models, latencies, strict=True)}
    return [
        replace(each, facts=with_latency(each.facts, taken[each.name], machine)) if each.name in taken else each
        for each in answers
    ]


def _probes(
    models: Sequence[ModelSide], answers: Sequence[Answers], task: Task, options: Options
) -> dict[str, tuple[Probe, ...]]:
    """What `explain` weighs, by the candidate's name."""
    reference, *candidates = answers
    by_name = {side.about.name: side for side in models}
    first = by_name.get(reference.name)
    return {
        each.name: gather_probes(first, by_name.get(each.name), reference, each, task.faces, options)
        for each in candidates
    }


def _signals(models: Sequence[ModelSide], task: Task) -> list[Signals]:
    """Of each TFLite model that is not float32, against the first that is; or against the reference converted to it."""
    from convert.parity.keras_side import KerasSide
    from convert.parity.tflite_side import TfliteSide, as_input

    files = [side for side in models if isinstance(side, TfliteSide)]
    others = [side for side in files if side.about.facts.arithmetic != "float32"]
    if not others:
        return []
    chosen = chosen_faces(len(task.faces)).tolist()
    against = next((side for side in files if side.about.facts.arithmetic == "float32"), None)
    if against is not None:
        one = (against.about.name, against.content, against.graph)
        wanted, read = as_input(task.pixels(against.about.input, chosen), against.graph), against.about.input
    else:
        original = next((side for side in models if isinstance(side, KerasSide)), None)
        if original is None:
            return []
        content, graph = original.as_float32()
        one, read = (original.about.name, content, graph), original.about.input
        wanted = as_input(task.pixels(read, chosen), graph)
    found = []
    for side in others:
        if (side.about.input.size, side.about.input.channels) == (read.size, read.channels):
            pixels = as_input(task.pixels(side.about.input, chosen), side.graph)
            found.append(measure_signals((side.about.name, side.content, side.graph), one, pixels, wanted))
    return [each for each in found if each is not None]


def _environment(contest: Contest, models: Sequence[ModelSide]) -> dict[str, str]:
    environment = {
        "fer-edge": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "system": f"{platform.system()} {platform.release()}",
        "machine": machine_name(),
        "threads": str(contest.options.threads),
    }
    if contest.latency_runs and models:
        environment["latency"] = f"median of {contest.latency_runs} runs of one face, one thread, sides in turns"
    return environment
