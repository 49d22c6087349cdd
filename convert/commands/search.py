"""`python -m convert search`: the fewest layers in float32 with which a quantized model passes a gate."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

from tqdm import tqdm

from convert.calibration import TRAINING_SPLITS, Calibration, choose_calibration, read_calibration_faces
from convert.commands.options import check_paths, chosen_illumination, latency_runs, thread_count
from convert.errors import CalibrationError, UsageError
from convert.parity.gate import read_gate
from convert.parity.task import Data, Task, make_task, shared_labels
from convert.recipe import Recipe, read_recipe
from convert.search.answered import FOLDER, Answered
from convert.search.result import Search
from convert.search.strategy import Question, search
from convert.search.terminal import to_text
from convert.source import KerasFacts, keras_facts, read_keras
from convert.training import labels_beside
from convert.written import write_conversion
from edge_runtime.bundle import InputFacts
from edge_runtime.errors import ExplainedError
from edge_runtime.files import write_whole
from edge_runtime.labels import label_set
from edge_runtime.running import WRONG_USE

__all__ = ["run"]

RECIPE, MODEL, RESULT = "recipe.toml", "model.tflite", "search.json"
_LEAST_SAMPLE = 16


def run(arguments: argparse.Namespace) -> int:
    """Returns 0 found, 1 nothing passes, 2 something could not be judged; whatever else is wrong raises."""
    gate = read_gate(arguments.gate)
    threads, runs = thread_count(arguments.threads), latency_runs(arguments.latency_runs)
    if gate.latency_ratio is not None and not runs:
        raise UsageError(
            f"--latency-runs 0 with a gate of latency_ratio = {gate.latency_ratio:g}",
            "runs to measure it by",
            "leave the option out",
        )
    if arguments.sample < _LEAST_SAMPLE:
        raise UsageError(f"--sample {arguments.sample}", f"at least {_LEAST_SAMPLE} faces", "leave it out for 64")
    folder = _folder(arguments.out)
    source: Path = arguments.model
    illumination = chosen_illumination(arguments.illumination, source)
    check_paths(arguments.data, arguments.calibration)
    model = read_keras(source)
    facts = keras_facts(model, str(source))
    task = _task(arguments, facts, illumination)
    calibration = _calibration(arguments, facts, illumination, task)
    question = Question(source, model, calibration, task, gate, arguments.sample, threads, runs)
    answered = Answered(folder)
    try:
        finding = search(question, answered, _progress)
    except ExplainedError:
        answered.forget()
        raise
    found = finding.search
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / RESULT, found.to_json())
    print(to_text(found))
    if finding.recipe is not None and finding.conversion is not None:
        write_whole(folder / RECIPE, _recipe_text(finding.recipe, found).encode())
        recipe = read_recipe(str(folder / RECIPE))
        write_conversion(folder / MODEL, source, recipe, finding.conversion, calibration, illumination)
        print(f"recipe: {folder / RECIPE}; model: {folder / MODEL}")
        print(f"again: {_again(arguments, folder)}")
    print(f"all trials: {folder / RESULT}")
    answered.forget()
    # As in `parity`: rows that could not be read were judged on no side, and whoever asked for all must hear of it.
    return found.outcome.exit_code or (WRONG_USE if task.faces.problems else 0)


def _folder(path: Path) -> Path:
    if path.is_file() or (path.is_dir() and {each.name for each in path.iterdir()} - {FOLDER}):
        raise UsageError(
            f"--out {path}: {'a file' if path.is_file() else 'a folder with files in it'}",
            "a folder that is empty or not there yet",
            "name another: files of two searches must not stand together",
        )
    return path


def _task(arguments: argparse.Namespace, facts: KerasFacts, illumination: str) -> Task:
    """The faces of --data's --split, in the labels of the model."""
    asked = None if arguments.label_set is None else label_set(arguments.label_set)
    trained = labels_beside(arguments.model)
    known = [] if trained is None else [(str(arguments.model), trained.names)]
    labels = shared_labels(known, asked)
    if len(labels) != facts.classes:
        raise UsageError(
            f"{arguments.model}: {facts.classes} outputs for the {len(labels)} labels {', '.join(labels.names)}",
            "one output a label",
            "name the label set that it was trained with",
        )
    data = Data(arguments.data, arguments.split, arguments.votes)
    task = make_task(data, labels, InputFacts(facts.size, 1 if facts.channels == 1 else 3, illumination), asked)
    for problem in task.faces.problems:
        print(f"convert: {arguments.data}: {problem}; left out", file=sys.stderr)
    return task


def _calibration(arguments: argparse.Namespace, facts: KerasFacts, illumination: str, task: Task) -> Calibration:
    """Training faces, none of which stands among those that are judged."""
    path: Path = arguments.calibration
    faces, others = read_calibration_faces(path, arguments.calibration_split)
    for problem in faces.problems:
        print(f"convert: {path}: {problem}; left out", file=sys.stderr)
    same = arguments.data.resolve() == path.resolve()
    if same and any(name.strip().lower() in TRAINING_SPLITS for name in task.faces.split_names()):
        raise CalibrationError(
            f"--split {arguments.split} of {arguments.data}, whose training faces set the ranges",
            "a split to judge on that has none of them",
            "add --split PublicTest, or whatever split was not trained on",
        )
    return choose_calibration(
        faces,
        path.resolve().name,
        facts.size,
        facts.channels,
        arguments.count,
        arguments.seed,
        illumination,
        others,
        None if same else task.faces,
    )


def _recipe_text(recipe: Recipe, found: Search) -> str:
    data = found.data
    where = f"gate {found.gate.name} on {found.faces:,} faces of {data.source}, {data.split}"
    hashes = f"model {found.model_sha256[:16]}, gate {found.gate.sha256[:16]}, faces {data.sha256[:16]}"
    return (
        f"# Found by `python -m convert search`, {where}: chosen there, so that split flatters it a little.\n"
        f"# sha256 of {hashes}\n{recipe.to_toml()}"
    )


def _again(arguments: argparse.Namespace, folder: Path) -> str:
    words = ["tflite", arguments.model, "--recipe", folder / RECIPE, "--calibration", arguments.calibration]
    if arguments.calibration_split != "Training":
        words += ["--calibration-split", arguments.calibration_split]
    if arguments.illumination is not None:
        words += ["--illumination", arguments.illumination]
    return "python -m convert " + shlex.join(map(str, words))


def _progress(name: str, count: int) -> Callable[[int], object]:
    """A bar on standard error, in a terminal alone."""
    bar = tqdm(total=count, desc=name, unit="" if name == "sensitivity" else "face", disable=None, leave=False)

    def advance(number: int) -> None:
        bar.update(number)
        if bar.n >= count:
            bar.close()

    return advance
