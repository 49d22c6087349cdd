"""What teachers cost a student's step: live, cached, or none.

    python -m benchmarks.distillation --teacher RUN [--teacher RUN …] [--recipe student_mobilenet_v2]

Made-up faces, the recipe's last stage, batch and precision of teachers. The kinds take turns, and the fastest of `ROUNDS` counts, so
that other work on the machine strikes them alike.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.script import run_script

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

ROUNDS = 5


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.distillation", description=__doc__.splitlines()[0])
    parser.add_argument("--teacher", type=Path, action="append", required=True, metavar="RUN")
    parser.add_argument("--recipe", default="student_mobilenet_v2", metavar="NAME_OR_PATH")
    arguments = parser.parse_args(argv)

    from train.recipe import read_recipe
    from train.teachers import open_teachers
    from train.terminal import table

    recipe = read_recipe(arguments.recipe)
    teachers = open_teachers(arguments.teacher, recipe)
    with tempfile.TemporaryDirectory() as folder:
        work = _kinds(recipe, teachers, Path(folder))
        seconds = _take_turns(work)
    batch, alone = recipe.schedule.batch, seconds["labels alone"]
    rows: list[Sequence[object]] = [("kind of step", "images/s", "time, labels alone = 1")]
    rows += [(name, f"{batch / each:.0f}", f"{each / alone:.2f}") for name, each in seconds.items()]
    print(table(rows))
    print(f"{recipe.name}, batches of {batch}, teachers: {', '.join(teacher.name for teacher in teachers)}")
    return 0


def _kinds(recipe: Any, teachers: Any, folder: Path) -> dict[str, Callable[[], object]]:
    from edge_runtime.labels import label_set
    from train.batches import Lessons
    from train.drawn import draw
    from train.smoke import made_up_faces
    from train.student import Student, Teaching

    labels = label_set(recipe.label_set)
    recipe = replace(recipe, schedule=replace(recipe.schedule, stages=(replace(recipe.schedule.stages[-1], epochs=1),)))
    a_class = -(-recipe.schedule.batch // len(labels))
    faces = made_up_faces(labels, recipe.model.size, recipe.model.channels, a_class=a_class).split("Training")
    lessons = Lessons.of(faces, recipe)
    work: dict[str, Callable[[], object]] = {}
    kinds = {"labels alone": ((), "live"), "cached answers": (teachers, "cached"), "live teachers": (teachers, "live")}
    for name, (who, views) in kinds.items():
        table = replace(recipe.distillation, views=views, cached_views=1)
        trainee = Student(replace(recipe, distillation=table), len(labels), 1, Teaching(who), folder, print)
        trainee.begin(0, [])
        trainee.prepare(lessons)
        inputs, targets, labelled = trainee.batches(lessons, 0)[0]
        arguments = (inputs, targets, labelled)
        work[name] = lambda one=trainee, given=arguments: one.model.train_on_batch(*given)  # type: ignore[misc]
    view, pixels = trainee.view(0), lessons.pixels[: recipe.schedule.batch]
    drawn = draw(trainee.augment, pixels, view, recipe.seed)
    work["the teachers' answers"] = lambda: trainee.asked(drawn)
    work["drawing the views"] = lambda: draw(trainee.augment, pixels, view, recipe.seed)
    return work


def _take_turns(work: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Seconds a call, the fastest of each."""
    for call in work.values():
        call()
    seconds = dict.fromkeys(work, float("inf"))
    for _ in range(ROUNDS):
        for name, call in work.items():
            began = time.monotonic()
            call()
            seconds[name] = min(seconds[name], time.monotonic() - began)
    return seconds


if __name__ == "__main__":
    raise SystemExit(run_script("distillation", main))
