"""`python -m train evaluate`: how often a saved model is right on a split, and how sure that is."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from edge_runtime.facesets import FaceSet
from edge_runtime.labels import LabelSet, label_set
from train.errors import DataError, ModelError
from train.faces import labelled, open_for_model, repeated_in, say_problems
from train.files import make_folder, write_json
from train.report import write_scores
from train.run_card import CARD, read_card
from train.scores import Scores, score

__all__ = ["Evaluation", "evaluate", "load_model", "predict", "run"]

MODEL = "model.keras"
_CHUNK = 512


@dataclass(frozen=True)
class Evaluation:
    """Scores on a split, and without the faces that were also fitted.

    Attributes:
        scores: on every labelled face.
        fresh: on those that are not `repeated`; None where there are none, or nothing was compared.
        repeated: how many faces are pixel for pixel among the training faces; None where nothing was compared.
        left_out: faces without a label by the protocol.
    """

    scores: Scores
    fresh: Scores | None
    repeated: int | None
    left_out: int

    def lines(self) -> list[str]:
        """The figures for a person: all faces, and without those that were also fitted."""
        lines = [self.scores.summary()]
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
        return lines

    def as_json(self) -> dict[str, Any]:
        fresh = self.fresh
        return {
            **self.scores.as_json(),
            "left_out": self.left_out,
            "repeated_from_training": self.repeated,
            "without_repeated": None
            if fresh is None
            else {
                "faces": fresh.count,
                "correct": fresh.correct,
                "accuracy": fresh.accuracy,
                "interval": [fresh.interval.low, fresh.interval.high],
            },
        }


def evaluate(model: keras.Model, faces: FaceSet, training: FaceSet | None, flip: bool = False) -> Evaluation:
    """Scores `model` on `faces`, all of them and without those that are pixel for pixel in `training`.

    Args:
        model: gives probabilities, as `fit` saves it.
        faces: at the model's size; those labelled -1 are counted and left out.
        training: the faces that the model was fitted to; None where they are not at hand.
        flip: average over each face and its mirror image.

    Raises:
        DataError: no labelled face, or another number of classes than the model's.
    """
    known = labelled(faces)
    if not len(known):
        raise DataError(f"{len(faces)} faces, none with a label", "labelled faces", "take another split or label set")
    probabilities = predict(model, known.pixels, flip)
    scores = score(probabilities, known.labels, known.label_set)
    left_out = len(faces) - len(known)
    if training is None:
        return Evaluation(scores, None, None, left_out)
    repeated = repeated_in(known, training)
    if repeated.all():
        return Evaluation(scores, None, int(repeated.sum()), left_out)
    fresh = score(probabilities[~repeated], known.labels[~repeated], known.label_set)
    return Evaluation(scores, fresh, int(repeated.sum()), left_out)


def predict(model: keras.Model, pixels: NDArray[np.uint8], flip: bool = False) -> NDArray[np.float32]:
    """Probabilities float32 (N, C) for uint8 pixels (N, H, W) or (N, H, W, 3); `flip` averages with the mirror image."""
    rows = []
    for start in range(0, len(pixels), _CHUNK):  # in chunks: float32 pixels take four times the room
        chunk = pixels[start : start + _CHUNK].astype(np.float32)
        chunk = chunk[..., None] if chunk.ndim == 3 else chunk
        answers = model.predict_on_batch(chunk)
        if flip:
            answers = (answers + model.predict_on_batch(chunk[:, :, ::-1])) / 2
        rows.append(np.asarray(answers, np.float32))
    return np.concatenate(rows)


def load_model(path: Path) -> keras.Model:
    """A saved model from square faces to probabilities.

    Raises:
        ModelError: missing, damaged, or of another shape.
    """
    if not path.is_file():
        found = "is no file" if path.exists() else "does not exist"
        mend = (
            f"finish the run: `python -m train fit … --out {path.parent}`" if path.name == MODEL else "check the path"
        )
        raise ModelError(f"{path}, which {found}", f"a saved model or a run folder with {MODEL}", mend)
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
    path = arguments.model / MODEL if arguments.model.is_dir() else arguments.model
    model = load_model(path)
    card = read_card(path.parent / CARD)
    wanted = arguments.label_set or (card and card["model"]["label_set"])
    labels = label_set(wanted) if wanted else None
    size, channels = model.input_shape[2:]
    faces = open_for_model(arguments.data, arguments.votes, labels, size, channels, _say)
    say_problems(faces, _say)
    _check_classes(model, faces.label_set, path)
    train_split = arguments.train_split or (card["data"]["train_split"] if card else "Training")
    chosen = faces.split(arguments.split)
    training = (
        faces.split(train_split) if train_split in faces.split_names() and train_split != arguments.split else None
    )
    evaluation = evaluate(model, chosen, training, arguments.flip)
    facts = {
        "model": path.name,
        "model_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "split": arguments.split,
        "flip": arguments.flip,
        "label_set": faces.label_set.name,
        "data_sha256": chosen.sha256(),
        **evaluation.as_json(),
    }
    title = f"{arguments.split}, {evaluation.scores.count} faces"
    if arguments.out is not None:
        make_folder(arguments.out)
        write_scores(evaluation.scores, evaluation.lines(), title, arguments.out)
        write_json(arguments.out / "evaluation.json", facts)
    if arguments.json:
        print(json.dumps(facts, indent=2))
    else:
        print(f"{title}{', averaged with their mirror images' if arguments.flip else ''}")
        print("\n".join(evaluation.lines()))
        print(f"\n{evaluation.scores.tables()}")
    return 2 if faces.problems else 0


def _check_classes(model: keras.Model, labels: LabelSet, path: Path) -> None:
    classes = model.output_shape[-1]
    if classes != len(labels):
        raise ModelError(
            f"{path}: {classes} classes, where {labels.name!r} has {len(labels)}",
            "a model and labels of one set",
            "name the set that it was trained with: --label-set",
        )


def _say(line: str) -> None:
    print(line, file=sys.stderr)
