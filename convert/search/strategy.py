"""The search itself: from int8 throughout to the fewest units in float32 that pass the gate."""

from __future__ import annotations

import platform
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.calibration import Calibration
from convert.errors import ConvertError
from convert.parity.contest import Progress
from convert.parity.gate import Gate
from convert.parity.latency import machine_name
from convert.parity.sides import read_model
from convert.parity.task import Task
from convert.recipe import Recipe
from convert.search.answered import Answered
from convert.search.attempt import Attempt
from convert.search.fewest import find_fewest
from convert.search.forms import Forms, FormSide, make_forms
from convert.search.referee import Referee
from convert.search.result import Search
from convert.search.sensitivity import Sensitivity, measure_sensitivity, most_sensitive_first
from convert.source import check_probabilities, keras_facts, versions
from convert.tflite import Conversion, checked, convert, float32_form
from edge_runtime.errors import FerEdgeError
from edge_runtime.version import __version__

__all__ = ["Finding", "Question", "search"]


@dataclass(frozen=True)
class Question:
    """What is searched.

    Attributes:
        source, model: the Keras model's file, and the model.
        calibration: faces that set the ranges, none of which is among those of `task`.
        task: the faces that each trial is judged on.
        gate: that judges.
        sample: how many calibration faces measure the sensitivities.
        threads, latency_runs: see `Referee`.
    """

    source: Path
    model: Any
    calibration: Calibration
    task: Task
    gate: Gate
    sample: int
    threads: int
    latency_runs: int


@dataclass(frozen=True)
class Finding:
    """What came of it.

    Attributes:
        search: the tables and the trials.
        recipe, conversion: of the form that was found; None where nothing passes.
    """

    search: Search
    recipe: Recipe | None
    conversion: Conversion | None


def search(question: Question, answered: Answered, progress: Progress) -> Finding:
    """Finds the form with the fewest units in float32 that passes.

    Args:
        question: what is searched.
        answered: asks the forms, and knows what they said before a search was broken off.
        progress: told what is being answered or measured, and how far it is.

    Raises:
        SourceError, GraphError: a model that cannot be converted.
        ParityError: a line of the gate that the faces are too few for, whatever a form answers.
    """
    where, model, calibration = str(question.source), question.model, question.calibration
    facts = keras_facts(model, where)
    check_probabilities(model, facts, where)
    float32 = float32_form(model, facts, where)
    checked(model, facts, float32, "float32", where)
    illumination, threads = calibration.illumination, question.threads
    referee = Referee(
        question.task, question.gate, float32, illumination, threads, question.latency_runs, answered, progress
    )
    all_float = referee.all_float()
    forms = make_forms(model, facts, float32, calibration.pixels, where)
    attempts: list[Attempt] = []

    def attempt(kept: Collection[str]) -> Attempt:
        names = tuple(unit.name for unit in forms.units.units if unit.name in kept)
        made = referee.judge(names, "mixed", forms.float_macs(names), lambda: forms.mixed(names))
        attempts.append(made)
        return made

    sensitivities: tuple[Sensitivity, ...] = ()
    everything = attempt(())
    int8 = Recipe("searched", "int8", "", count=len(calibration), seed=calibration.seed)
    by_converter = cache(lambda: convert(model, int8, calibration, where))
    if everything.passed:
        attempts.append(referee.judge((), "int8", 0.0, by_converter))
    # Where nothing kept holds but costs too much, whatever is kept costs more.
    if not attempts[-1].passed and (everything.passed or not everything.answers_hold):
        sensitivities = _sensitivities(forms, calibration, question.sample, threads, answered, progress)
        order = [each.name for each in most_sensitive_first(sensitivities)]
        find_fewest(order, lambda kept: attempt(kept).answers_hold, most=_most(order, forms))
    # ai-edge-quantizer's form of a model that keeps nothing is no kind of its own: `--kind int8` makes that.
    passed = [each for each in attempts if each.passed and (each.kept or each.kind == "int8")]
    best = min(passed, key=lambda each: (len(each.kept), each.size_bytes or 0), default=None)
    found = Search(
        question.source.name,
        read_model(question.source)[1],
        question.gate,
        question.task.facts,
        int((question.task.faces.labels >= 0).sum()),
        calibration,
        min(question.sample, len(calibration)),
        all_float,
        tuple(attempts),
        sensitivities,
        forms.units.unnamed,
        best,
        _environment(threads),
    )
    if best is None:
        return Finding(found, None, None)
    if not best.kept:
        purpose = f"{found.model}: int8 throughout passes, nothing needs float32"
        return Finding(found, replace(int8, purpose=purpose), by_converter())
    layers, operators = forms.keep(best.kept)
    purpose = f"{found.model}: the fewest layers in float32 that pass, {len(best.kept)} of {len(forms.units.units)}"
    recipe = replace(int8, kind="mixed", purpose=purpose, keep_layers=layers, keep_operators=operators)
    return Finding(found, recipe, forms.mixed(best.kept))


def _sensitivities(
    forms: Forms, calibration: Calibration, sample: int, threads: int, answered: Answered, progress: Progress
) -> tuple[Sensitivity, ...]:
    """Of each unit, in the order of the net."""
    chosen = np.random.default_rng(calibration.seed).permutation(len(calibration))[:sample]
    pixels = calibration.pixels[np.sort(chosen)]

    def answers(content: bytes) -> NDArray[np.float32]:
        side = FormSide("one unit in int8", content, "mixed", calibration.illumination, threads)
        return answered.ask(side, pixels, lambda _: None)

    reference = answers(forms.float32)
    signals = forms.signals(pixels)
    advance = progress("sensitivity", len(forms.units.units))
    table = []
    for unit in forms.units.units:
        found: tuple[float, float] | str
        try:
            found = measure_sensitivity(reference, answers(forms.alone(unit)))
        except (ConvertError, FerEdgeError) as error:
            found = str(error)
        refused = found if isinstance(found, str) else ""
        divergence, agreement = (None, None) if isinstance(found, str) else found
        signal = signals.get(unit.name)
        table.append(Sensitivity(unit.name, unit.kinds, unit.macs, divergence, agreement, signal, refused))
        advance(1)
    return tuple(table)


def _most(order: list[str], forms: Forms) -> int:
    """How many of the first units can be kept with a unit that has weights left in int8: without one it is float32."""
    weighted = {unit.name for unit in forms.units.units if unit.weighted}
    return max(place for place, name in enumerate(order) if name in weighted)


def _environment(threads: int) -> dict[str, str]:
    return {
        "fer-edge": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        **versions("ai-edge-litert", "ai-edge-quantizer"),
        "system": f"{platform.system()} {platform.release()}",
        "machine": machine_name(),
        "threads": str(threads),
    }
