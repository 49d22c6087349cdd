"""`python -m train distill`: a student's recipe, taught by finished runs, into its run folder."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

import keras
import numpy as np
from numpy.typing import NDArray

from edge_runtime.labels import label_set
from train.answers import Answered
from train.errors import DataError
from train.files import folder_of
from train.fit_command import changed, train_recipe
from train.interruption import TimeIsUpError
from train.models import build_logits, with_softmax
from train.recipe import Recipe, read_recipe, recipe_file, student_name
from train.splits import Splits, open_splits
from train.student import Teaching
from train.teachers import Teacher, open_teachers
from train.terminal import duration, without_retracing_remarks
from train.unlabelled import open_unlabelled

__all__ = ["run"]

_SECONDS_BETWEEN = 10.0
"""Between two lines about the teachers' answers."""
_STAND_IN = {"filters": [8, 16], "convolutions": 1, "head": "pool"}
"""A net that a trial without a teacher learns from; nothing is to be learnt of it."""


def run(arguments: argparse.Namespace) -> int:
    """Distils, or goes on distilling. Returns as `fit`: 0, 2 after broken rows, 130 where it was stopped first."""
    recipe = changed(read_recipe(arguments.recipe), arguments)
    teachers = _teachers(arguments, recipe)
    splits = open_splits(arguments, recipe, _say)
    until = None if arguments.minutes is None else time.monotonic() + 60 * arguments.minutes
    teaching = Teaching(teachers, _unlabelled(arguments, recipe, splits), _watch(until))
    _say_how(teaching, recipe)
    name = student_name(recipe, without_teacher=arguments.without_teacher)
    words = None if arguments.smoke else recipe_file(arguments.recipe).content
    with without_retracing_remarks():
        return train_recipe(recipe, splits, folder_of(arguments.out, name), words, until, arguments.devices, teaching)


def _teachers(arguments: argparse.Namespace, recipe: Recipe) -> tuple[Teacher, ...]:
    if arguments.without_teacher:
        return ()
    if arguments.teacher:
        return open_teachers(arguments.teacher, recipe)
    if arguments.smoke:
        _say("--smoke without --teacher: a small untrained net stands in")
        return (_stand_in(recipe),)
    raise DataError(
        "distill without --teacher",
        "a finished run to learn from",
        "name its folder: --teacher RUN, or take the labels alone: --without-teacher",
    )


def _stand_in(recipe: Recipe) -> Teacher:
    keras.utils.set_random_seed(recipe.seed)
    table = recipe.model
    classes = len(label_set(recipe.label_set))
    net = with_softmax(build_logits("vgg", _STAND_IN, classes, table.size, table.channels))
    return Teacher("untrained", "vgg", "untrained", 1 / classes, "PublicTest", net)


def _unlabelled(arguments: argparse.Namespace, recipe: Recipe, splits: Splits) -> NDArray[np.uint8] | None:
    if arguments.unlabelled is None:
        return None
    return open_unlabelled(arguments.unlabelled, arguments.detector, recipe, splits.choosing, _say)


def _watch(until: float | None) -> Callable[[Answered], None]:
    """A line now and then about the answers that are gathered for the cache, and the end where the minutes are over."""
    began = said = time.monotonic()

    def watch(answered: Answered) -> None:
        nonlocal said
        now = time.monotonic()
        if now - said >= _SECONDS_BETWEEN or answered.done == answered.total:
            said = now
            more = answered.done < answered.total
            time_words = f"{duration(answered.remaining_s)} left" if more else f"done after {duration(now - began)}"
            print(f"teachers' answers: {answered.done} of {answered.total} views, {time_words}", flush=True)
        if until is not None and now > until:
            raise TimeIsUpError

    return watch


def _say_how(teaching: Teaching, recipe: Recipe) -> None:
    table = recipe.distillation
    assert table is not None
    for teacher in teaching.teachers:
        _say(
            f"teacher {teacher.name} ({teacher.recipe}, {teacher.sha256[:12]}):"
            f" {100 * teacher.accuracy:.2f} % of {teacher.choose_split} by its card"
        )
    if not teaching.teachers:
        _say("without a teacher: the labels alone, on the same views")
        return
    views = f"{table.cached_views} cached views" if table.views == "cached" else "live views"
    extra = "" if teaching.unlabelled is None else f", {len(teaching.unlabelled)} faces without labels"
    _say(f"share {table.teacher_share:g} of the loss, temperature {table.temperature:g}, {views}{extra}")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
