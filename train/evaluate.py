"""`python -m train evaluate`: how often a saved model is right on a split, and how sure that is."""

from __future__ import annotations

import argparse
import json
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from edge_runtime.facesets import FaceSet
from edge_runtime.files import file_sha256
from edge_runtime.labels import LabelSet, label_set
from edge_runtime.reliability import Reliability, measure_reliability
from train.errors import DataError, ModelError
from train.faces import labelled, repeated_in, say_problems
from train.files import check_model_file, make_folder, model_at, write_json
from train.matching import Matched, open_matched
from train.report import write_reliability, write_scores
from train.run_card import CARD, read_card
from train.scores import Scores, score
from train.views import FLIP, SINGLE, Views, predict, ten_crop

__all__ = ["Evaluation", "check_classes", "evaluate", "judge", "load_model", "predict", "run"]


@dataclass(frozen=True)
class Evaluation:
    """Scores on a split, and without the faces that were also fitted.

    Attributes:
        scores: on every labelled face.
        fresh: on those that are not `repeated`; None where there are none, or nothing was compared.
        repeated: how many faces are pixel for pixel among the training faces; None where nothing was compared.
        left_out: faces without a label by the protocol.
        reliability: how sure the answers are, compared with how right.
        common: the answer taken among the classes that have faces here; None where all classes have some.
    """

    scores: Scores
    fresh: Scores | None
    repeated: int | None
    left_out: int
    reliability: Reliability
    common: Scores | None

    @property
    def absent(self) -> tuple[str, ...]:
        """The classes that the model can answer and no face here has."""
        there = set(self.scores.labels.tolist())
        return tuple(name for index, name in enumerate(self.scores.label_set.names) if index not in there)

    def lines(self) -> list[str]:
        """The figures for a person: all faces, and without those that were also fitted."""
        lines = [self.scores.summary()]
        if self.common is not None:
            compared = len(self.scores.label_set) - len(self.absent)
            lines.append(f"no faces of {', '.join(self.absent)} here, which count as wrong where they are answered")
            lines.append(f"answered among the {compared} classes that have faces here: {self.common.summary()}")
        if self.left_out:
            lines.append(f"{self.left_out} faces without a label were left out")
        if self.repeated is None:
            lines.append("not compared with the training faces: the data does not have them")
        elif self.repeated == 0:
            lines.append("none of them is pixel for pixel among the training faces")
        elif self.fresh is None:
            lines.append(f"all {self.repeated} are pixel for pixel among the training faces")
        else:
            lines.append(
                f"without the {self.repeated} that are pixel for pixel among the training faces: {self.fresh.summary()}"
            )
        return [*lines, self.reliability.summary()]

    def as_json(self) -> dict[str, Any]:
        return {
            **self.scores.as_json(),
            "absent_classes": list(self.absent),
            "common_classes": _short(self.common),
            "left_out": self.left_out,
            "repeated_from_training": self.repeated,
            "without_repeated": _short(self.fresh),
            "calibration": self.reliability.as_json(),
        }


def evaluate(model: keras.Model, faces: FaceSet, training: FaceSet | None, views: Views = SINGLE) -> Evaluation:
    """Scores `model` on `faces`, all of them and without those that are pixel for pixel in `training`.

    Args:
        model: gives probabilities, as `fit` saves it.
        faces: at the model's size; those labelled -1 are counted and left out.
        training: the faces that the model was fitted to; None where they are not at hand.
        views: the views of each face that are averaged.

    Raises:
        DataError: no labelled face, or another number of classes than the model's.
        ModelError: views that the model cannot read.
    """
    known = labelled(faces)
    if not len(known):
        raise DataError(f"{len(faces)} faces, none with a label", "labelled faces", "take another split or label set")
    repeated = None if training is None else repeated_in(known, training)
    probabilities = predict(model, known.pixels, views)
    return judge(probabilities, known.labels, known.label_set, repeated, len(faces) - len(known))


def judge(
    probabilities: NDArray[np.float32],
    labels: NDArray[np.int16],
    label_set: LabelSet,
    repeated: NDArray[np.bool_] | None,
    left_out: int = 0,
) -> Evaluation:
    """Scores probabilities (N, C) of faces that all have a label.

    Args:
        probabilities: a model's answers.
        labels: class indices (N,), none of them -1.
        label_set: what they mean.
        repeated: which faces are among those fitted, bool (N,); None where nothing was compared.
        left_out: how many faces the protocol gave no label.
    """
    scores = score(probabilities, labels, label_set)
    there = np.isin(np.arange(len(label_set)), labels)
    common = None if there.all() else score(np.where(there, probabilities, -1), labels, label_set)
    fresh = None
    if repeated is not None and not repeated.all():
        fresh = score(probabilities[~repeated], labels[~repeated], label_set)
    count = None if repeated is None else int(repeated.sum())
    return Evaluation(scores, fresh, count, left_out, measure_reliability(probabilities, labels), common)


def _short(scores: Scores | None) -> dict[str, Any] | None:
    if scores is None:
        return None
    return {
        "faces": scores.count,
        "correct": scores.correct,
        "accuracy": scores.accuracy,
        "interval": [scores.interval.low, scores.interval.high],
        "macro_f1": scores.macro_f1,
    }


def load_model(path: Path) -> keras.Model:
    """A saved model from square faces to probabilities.

    Raises:
        ModelError: missing, damaged, or of another shape.
    """
    check_model_file(path)
    try:
        model = keras.models.load_model(path, compile=False)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, zipfile.BadZipFile) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise ModelError(f"{path}: {reason}", "an undamaged .keras file", "copy or train it again") from error
    shape, classes = model.input_shape, model.output_shape
    if not (isinstance(shape, tuple) and len(shape) == 4 and shape[1] and shape[1] == shape[2] and len(classes) == 2):
        raise ModelError(
            f"{path}: input {shape}, output {classes}",
            "square faces in, one probability a class out",
            "name a model that `python -m train fit` saved",
        )
    return model


def run(arguments: argparse.Namespace) -> int:
    """Prints the figures, or JSON; writes them into `--out` where that is given. Returns 0, or 2 after broken rows."""
    path = model_at(arguments.model)
    model = load_model(path)
    card = read_card(path.parent / CARD)
    matched = _open(arguments, model, card)
    faces = matched.faces
    say_problems(faces, _say)
    check_classes(model, faces.label_set, path)
    views = ten_crop(arguments.ten_crop) if arguments.ten_crop else FLIP if arguments.flip else SINGLE
    here = matched.split(arguments.split)
    evaluation = evaluate(model, here.faces.where(~here.unknown), _fitted(faces, arguments, card), views)
    facts = {
        "model": path.name,
        "model_sha256": file_sha256(path),
        "split": arguments.split,
        "views": str(views),
        "label_set": faces.label_set.name,
        "data_label_set": matched.own.name,
        "data_sha256": here.faces.sha256(),
        "unknown_to_model": here.unknown_counts(),
        **evaluation.as_json(),
    }
    title = f"{arguments.split}, {evaluation.scores.count} faces"
    lines = [*evaluation.lines(), *_lines(here)]
    if arguments.out is not None:
        make_folder(arguments.out)
        write_scores(evaluation.scores, lines, title, arguments.out)
        write_reliability(evaluation.reliability, title, arguments.out)
        write_json(arguments.out / "evaluation.json", facts)
    if arguments.json:
        print(json.dumps(facts, indent=2))
    else:
        print(f"{title}, {views.words}" if views.words else title)
        print("\n".join(lines))
        print(f"\n{evaluation.scores.tables()}")
    return 2 if faces.problems else 0


def _open(arguments: argparse.Namespace, model: keras.Model, card: Mapping[str, Any] | None) -> Matched:
    wanted = arguments.label_set or (card and card["model"]["label_set"])
    light = card["model"].get("illumination", "none") if card else "none"
    size, channels = model.input_shape[2:]
    return open_matched(
        arguments.data,
        arguments.votes,
        label_set(wanted) if wanted else None,
        label_set(arguments.data_label_set) if arguments.data_label_set else None,
        size,
        channels,
        _say,
        light,
    )


def _fitted(faces: FaceSet, arguments: argparse.Namespace, card: Mapping[str, Any] | None) -> FaceSet | None:
    """The faces that the model was fitted to, where the data has them: another data set's Training is something else."""
    train_split = arguments.train_split or (card["data"]["train_split"] if card else "Training")
    if train_split == arguments.split or train_split not in faces.split_names():
        return None
    training = faces.split(train_split)
    if card and not arguments.train_split and labelled(training).sha256() != card["data"]["sha256"]:
        return None
    return training


def _lines(here: Matched) -> list[str]:
    """What was compared, where the data's labels are not the model's."""
    if here.own == here.faces.label_set:
        return []
    labels = here.faces.label_set
    shared = [name for name, there in zip(labels.names, labels.indices_in(here.own), strict=True) if there >= 0]
    lines = [f"labels of {here.own.name!r} compared with answers of {labels.name!r}: {', '.join(shared)}"]
    counts = here.unknown_counts()
    if counts:
        words = ", ".join(f"{count} {name}" for name, count in counts.items())
        lines.append(f"left out, because the model has no such class: {words}")
    return lines


def check_classes(model: keras.Model, labels: LabelSet, path: Path) -> None:
    """Raises ModelError where `model` has another number of classes than `labels`."""
    classes = model.output_shape[-1]
    if classes != len(labels):
        raise ModelError(
            f"{path}: {classes} classes, where {labels.name!r} has {len(labels)}",
            "a model and labels of one set",
            "name the set that it was trained with: --label-set",
        )


def _say(line: str) -> None:
    print(line, file=sys.stderr)
