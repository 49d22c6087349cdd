"""The figures of a cross-validation: fold by fold, their mean and spread, and over all held-out faces together.

The interval is that of the pooled accuracy, and says how much the count of faces leaves open. It does not say how much
another division, or another seed of training, would change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from edge_runtime.facesets import FaceSet
from train.evaluate import Evaluation, judge
from train.faces import repeated_in
from train.files import write_json
from train.held_out import HeldOut
from train.protocols import Fold
from train.report import write_reliability, write_scores
from train.run_card import Code, Hardware, Versions
from train.scores import Scores, score
from train.terminal import table

__all__ = ["CHOSEN_ON", "write_pooled"]

CHOSEN_ON = "a tenth of the other folds"
REPORT = "crossvalidation.json"


def write_pooled(
    plan: Mapping[str, Any],
    faces: FaceSet,
    folds: Sequence[Fold],
    held_out: Sequence[HeldOut],
    left_out: int,
    folder: Path,
) -> str:
    """Writes crossvalidation.json, the classification report, confusion matrix and reliability, and returns the text.

    Args:
        plan: what was done: recipe, protocol and so on, as JSON holds it.
        faces: those that were divided.
        folds: how.
        held_out: what each fold's model said.
        left_out: how many faces the protocol gave no label.
        folder: where the files go.
    """
    scores, repeated = [], []
    for fold, answer in zip(folds, held_out, strict=True):
        out = faces.where(answer.rows)
        scores.append(score(answer.probabilities, out.labels, out.label_set))
        repeated.append(repeated_in(out, faces.where(np.concatenate([fold.training, fold.choosing]))))
    rows = np.concatenate([answer.rows for answer in held_out])
    pooled = judge(
        np.concatenate([answer.probabilities for answer in held_out]),
        faces.labels[rows],
        faces.label_set,
        np.concatenate(repeated),
        left_out,
    )
    accuracies = np.array([each.accuracy for each in scores])
    mean, deviation = float(accuracies.mean()), float(accuracies.std(ddof=1))
    rows_json = [
        {
            "groups": list(fold.groups),
            "training": len(fold.training),
            "choosing": len(fold.choosing),
            "faces": each.count,
            "correct": each.correct,
            "accuracy": each.accuracy,
            "interval": [each.interval.low, each.interval.high],
            "macro_f1": each.macro_f1,
            "repeated_from_training": int(again.sum()),
            "best_epoch": answer.best_epoch,
            "wall_s": answer.wall_s,
        }
        for fold, answer, each, again in zip(folds, held_out, scores, repeated, strict=True)
    ]
    write_json(
        folder / REPORT,
        {
            **plan,
            "best_epoch_chosen_on": f"{CHOSEN_ON}, {'whole groups' if folds[0].groups else 'of each class'}",
            "fold_results": rows_json,
            "accuracy_mean": mean,
            "accuracy_standard_deviation": deviation,
            "pooled": pooled.as_json(),
            "code": asdict(Code.here()),
            "versions": asdict(Versions.here()),
            "hardware": asdict(Hardware.here()),
        },
    )
    lines = _lines(pooled, folds, scores, held_out, mean, deviation)
    title = f"{plan['recipe']['name']}, {plan['protocol']}, {len(folds)} folds, {pooled.scores.count} held-out faces"
    write_scores(pooled.scores, lines, title, folder)
    write_reliability(pooled.reliability, title, folder)
    return "\n".join([title, *lines, "", pooled.scores.tables()])


def _lines(
    pooled: Evaluation,
    folds: Sequence[Fold],
    scores: Sequence[Scores],
    held_out: Sequence[HeldOut],
    mean: float,
    deviation: float,
) -> list[str]:
    rows: list[list[object]] = [["fold", "fitted", "chosen on", "held out", "accuracy", "macro F1", "best epoch"]]
    for number, (fold, each, answer) in enumerate(zip(folds, scores, held_out, strict=True), 1):
        name = f"{number} {fold.groups[0]}" if len(fold.groups) == 1 else str(number)
        accuracy = f"{100 * each.accuracy:.2f} %"
        sizes = (len(fold.training), len(fold.choosing), each.count)
        rows.append([name, *sizes, accuracy, f"{each.macro_f1:.3f}", answer.best_epoch])
    chosen = "whole groups" if folds[0].groups else "the same share of each class"
    return [
        *pooled.lines(),
        f"mean of the folds {100 * mean:.2f} %, standard deviation {100 * deviation:.2f}",
        f"the best epoch of each fold was chosen on {CHOSEN_ON}, {chosen}; never on the faces held out",
        "",
        table(rows),
    ]
