"""How long one input takes, measured of all sides in turns: only then is a ratio of two of them one of the models."""

from __future__ import annotations

import contextlib
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from convert.parity.answers import ModelFacts

__all__ = ["ROUNDS", "Timed", "machine_name", "measure_latencies", "on_one_processor", "with_latency"]

ROUNDS = 5
"""Turns. Another program's second of work then falls on every side alike."""

_WARM = 3
_TASKS = Path("/proc/self/task")


class Timed(Protocol):
    """What a latency is measured of.

    own_thread: whether `one_input` keeps to one thread by itself. Where it does not, a latency is measured only if the
    process can be kept on one processor.
    """

    own_thread: bool

    def one_input(self) -> Callable[[NDArray[np.uint8]], object]:
        """A function that answers one input with one thread."""
        ...


def machine_name() -> str:
    """The machine that latencies belong to."""
    from devices.board import read_board

    board = read_board()
    return f"{board.model}, {board.cores} cores ({board.machine})"


def measure_latencies(sides: Sequence[Timed], inputs: Sequence[NDArray[np.uint8]], runs: int) -> list[float | None]:
    """The median of `runs` runs of each side, in milliseconds, with one thread on one processor.

    Args:
        sides: models on this machine.
        inputs: for each side what its `one_input` takes, such as pixels (1, size, size, channels).
        runs: of each side, at least `ROUNDS`; shared out over `ROUNDS` turns.

    Returns:
        A latency a side; None for one that does not keep to one thread where no process can be kept on one processor.
    """
    with on_one_processor() as held:
        answering = [side.one_input() if held or side.own_thread else None for side in sides]
        taken: list[list[float]] = [[] for _ in sides]
        for turn in range(ROUNDS):
            count = runs // ROUNDS + (turn < runs % ROUNDS)
            for answer, one, times in zip(answering, inputs, taken, strict=True):
                if answer is not None:
                    times += _timed(answer, one, count)
    return [statistics.median(times) if times else None for times in taken]


def with_latency(facts: ModelFacts, latency_ms: float | None, machine: str) -> ModelFacts:
    """The facts of a model with what one input takes it on a machine."""
    return replace(facts, latency_ms=latency_ms, environment={**facts.environment, "machine": machine})


def _timed(answer: Callable[[NDArray[np.uint8]], object], one: NDArray[np.uint8], count: int) -> list[float]:
    for _ in range(_WARM):
        answer(one)
    times = []
    for _ in range(count):
        began = time.perf_counter()
        answer(one)
        times.append(1000 * (time.perf_counter() - began))
    return times


@contextlib.contextmanager
def on_one_processor() -> Iterator[bool]:
    """Keeps all threads of this process on one processor; whether that worked. TensorFlow's pool cannot be shrunk."""
    if not hasattr(os, "sched_setaffinity") or not _TASKS.is_dir():
        yield False
        return
    before = os.sched_getaffinity(0)
    try:
        _hold({max(before)})
        yield True
    finally:
        _hold(before)


def _hold(processors: set[int]) -> None:
    for task in os.listdir(_TASKS):
        with contextlib.suppress(OSError):  # a thread that has just ended
            os.sched_setaffinity(int(task), processors)
