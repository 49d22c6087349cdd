"""How fast each recipe trains here, and what part of a step the input pipeline takes.

    python -m benchmarks.training [RECIPE…]

Made-up faces, the recipe's last stage, its own batch and arithmetic. "Input" is choosing and mixing a batch, and its
augmentation in the graph, timed alone; its share is of the whole step.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from benchmarks.script import run_script

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

SECONDS = 6.0
WARM_UP = 2


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__.splitlines()[0])
    parser.add_argument("recipes", nargs="*", metavar="RECIPE", help="default: all")
    arguments = parser.parse_args(argv)

    from train.recipe import list_recipes, read_recipe
    from train.terminal import table

    rows: list[Sequence[object]] = [("recipe", "parameters", "input", "batch", "arithmetic", "images/s", "input share")]
    for name in arguments.recipes or list_recipes():
        recipe = read_recipe(name)
        parameters, size, step_s, input_s = _measure(recipe)
        rows.append(
            (
                name,
                f"{parameters:,}",
                f"{size} px",
                recipe.schedule.batch,
                recipe.model.precision,
                f"{recipe.schedule.batch / step_s:.0f}",
                f"{100 * input_s / step_s:.1f} %",
            )
        )
        print(table([rows[0], rows[-1]]) if len(rows) == 2 else table([rows[0], rows[-1]]).splitlines()[-1], flush=True)
    print(f"\n{table(rows)}")
    return 0


def _measure(recipe: object) -> tuple[int, int, float, float]:
    """Parameters, side of what the net sees, seconds a step, and seconds of input a step."""
    import keras

    from edge_runtime.labels import label_set
    from train.batches import Batches, Lessons
    from train.recipe import Recipe
    from train.smoke import made_up_faces
    from train.trainee import Trainee

    assert isinstance(recipe, Recipe)
    labels = label_set(recipe.label_set)
    recipe = replace(recipe, schedule=replace(recipe.schedule, stages=(recipe.schedule.stages[-1],)))
    a_class = -(-2 * recipe.schedule.batch // len(labels))
    faces = made_up_faces(labels, recipe.model.size, recipe.model.channels, a_class=a_class).split("Training")
    lessons = Lessons.of(faces, recipe)
    batches = Batches(lessons, recipe, 0)
    trainee = Trainee(recipe, len(labels), len(batches))
    trainee.begin(0, [])

    pixels = keras.Input(lessons.pixels.shape[1:], dtype="uint8")
    distort = keras.Model(pixels, trainee.augment(pixels, training=True))
    distort.compile(jit_compile=False)

    def step(index: int) -> None:
        trainee.model.train_on_batch(*batches[index % len(batches)])

    def pipeline(index: int) -> None:
        distort.predict_on_batch(batches[index % len(batches)][0])

    return int(trainee.logits.count_params()), trainee.augment.size, _seconds(step), _seconds(pipeline)


def _seconds(work: Callable[[int], None]) -> float:
    """Mean seconds a call over at least `SECONDS`, once warmed up."""
    for index in range(WARM_UP):
        work(index)
    began, calls = time.monotonic(), 0
    while time.monotonic() - began < SECONDS:
        work(calls)
        calls += 1
    return (time.monotonic() - began) / calls


if __name__ == "__main__":
    raise SystemExit(run_script("training", main))
