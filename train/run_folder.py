"""What a run leaves in its folder.

recipe.toml                  the recipe as it was
checkpoints/                 the newest two; the same command goes on from them
answers/                     a student's: what its teachers say of each view, where the recipe caches that
model.keras                  faces to probabilities, float32, the best epoch's weights
history.csv, curves.png      an epoch a row
classification_report.*      precision, recall, F1 and support on the choosing split (txt, json)
confusion.png
reliability.json, .png       how sure it is, and how often it is right when it is that sure
run.json                     the run card
run.html                     all of it on one page
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_runtime.reliability import measure_reliability
from train.evaluate import Evaluation, judge, load_model
from train.faces import repeated_in
from train.files import MODEL, whole_path
from train.fit import Fitted
from train.page import write_page
from train.quantization import fake_quantized
from train.recipe import Recipe
from train.report import write_history, write_reliability, write_scores
from train.run_card import CARD, Code, DataFacts, Hardware, ResultFacts, RunCard, Versions
from train.splits import Splits
from train.student import Teaching
from train.views import predict

__all__ = ["write_run"]


def write_run(
    fitted: Fitted,
    recipe: Recipe,
    splits: Splits,
    folder: Path,
    steps: int | None,
    trained: bool,
    teaching: Teaching | None = None,
    unpacked: Mapping[str, Any] | None = None,
) -> Evaluation:
    """Writes everything but the recipe and the checkpoints, and returns the figures on the choosing split.

    The model comes first, where it is new or missing (`trained`): it is what the hours went into. `unpacked` says of which
    bundle it was made, where it was.
    """
    model = fitted.model
    if trained or not (folder / MODEL).exists():
        with whole_path(folder / MODEL) as partial:
            model.save(partial)
    else:
        model = load_model(folder / MODEL)  # it may have been calibrated since
    if fitted.history:  # of an unpacked bundle there is none
        write_history(fitted.history, splits.choose_split, folder)
    choosing = splits.choosing
    repeated = None if _learnt_elsewhere(unpacked, splits) else repeated_in(choosing, splits.training)
    probabilities = predict(model, choosing.pixels)
    evaluation = judge(probabilities, choosing.labels, choosing.label_set, repeated)
    write_scores(evaluation.scores, evaluation.lines(), f"{recipe.name}, {splits.choose_split}", folder)
    reliability = measure_reliability(probabilities, choosing.labels)
    write_reliability(reliability, f"{recipe.name}, {splits.choose_split}", folder)
    scores, fresh, rounded = evaluation.scores, evaluation.fresh, None
    if recipe.quantization.rounds:
        answers = predict(fake_quantized(model), choosing.pixels).argmax(axis=1)
        rounded = float((answers == choosing.labels).mean())
    card = RunCard(
        recipe={"name": recipe.name, "sha256": recipe.sha256, "seed": recipe.seed},
        model={
            "architecture": recipe.model.architecture,
            "size": recipe.model.size,
            "channels": recipe.model.channels,
            "crop": recipe.model.crop,
            "precision": recipe.model.precision,
            "weights": Path(recipe.model.weights).name,  # a path of this machine says nothing elsewhere
            "illumination": recipe.model.illumination,
            "quantization": recipe.quantization.kind,
            "label_set": recipe.label_set,
            "labels": list(splits.training.label_set.names),
        },
        data=DataFacts.of(splits.training, splits.choosing, splits.train_split, splits.choose_split),
        result=ResultFacts(
            epochs=len(fitted.history),
            best_epoch=fitted.best_epoch,
            wall_s=round(fitted.wall_s, 1),
            accuracy=scores.accuracy,
            interval=(scores.interval.low, scores.interval.high),
            repeated_from_training=evaluation.repeated,
            accuracy_without_repeated=None if fresh is None else fresh.accuracy,
            macro_f1=scores.macro_f1,
            parameters=int(model.count_params()),
            steps_per_epoch=steps,
            rounded_accuracy=rounded,
        ),
        code=Code.here(),
        versions=Versions.here(),
        hardware=Hardware.here(),
        distillation=None if teaching is None else teaching.as_json(recipe),
        unpacked=unpacked,
    ).write(folder / CARD)
    write_page(
        folder,
        card,
        fitted.history,
        scores,
        choosing,
        probabilities,
        reliability,
        repeated=repeated,
    )
    return evaluation


def _learnt_elsewhere(unpacked: Mapping[str, Any] | None, splits: Splits) -> bool:
    """Whether a bundle was made of other training faces than the ones at hand, or does not say of which."""
    if unpacked is None:
        return False
    trained = unpacked["training"] or {}
    return bool(trained.get("data", {}).get("sha256") != splits.training.sha256())
