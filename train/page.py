"""The page of a run, `run.html`: one file for people, with its figures, its faces and its recipe; and `python -m train page`.

It shows faces of the choosing split. `--faces 0` leaves them out where the data set's licence does not let them travel.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.facesets import FaceSet
from edge_runtime.labels import label_set
from edge_runtime.reliability import Reliability, measure_reliability
from train.errors import DataError
from train.evaluate import check_classes, load_model
from train.faces import labelled, open_for_model, repeated_in, say_problems
from train.files import MODEL, write_text
from train.finished import read_run, recipe_words
from train.page_sections import run_page
from train.scores import Scores, score
from train.shown_run import ShownRun
from train.views import predict

__all__ = ["PAGE", "run", "write_page"]

PAGE = "run.html"
FACES = 12


def write_page(
    folder: Path,
    card: Mapping[str, Any],
    history: Sequence[Mapping[str, float]],
    scores: Scores,
    faces: FaceSet,
    probabilities: NDArray[np.floating[Any]],
    reliability: Reliability | None = None,
    *,
    repeated: NDArray[np.bool_] | None = None,
    shown: int = FACES,
) -> Path:
    """Writes the page into the run folder; `run.html` for the choosing split, `run-SPLIT.html` for another one.

    Args:
        folder: the run folder; its `recipe.toml` is shown where there is one.
        card: the run card as JSON.
        history: a row an epoch.
        scores: of `faces`.
        faces: of one split, all labelled, in the order of `probabilities` and of the scores.
        probabilities: (N, C).
        reliability: of the same probabilities; None leaves that part out.
        repeated: which faces are pixel for pixel among the training faces; None takes the card's figures, which are
            those of the choosing split.
        shown: how many mistakes and how many right answers to show as pictures, 0 for none.

    Raises:
        DataError: scores, faces and probabilities are not of the same faces.
        OutputError: the page cannot be written.
    """
    if not len(scores.labels) == len(faces) == len(probabilities) or (scores.labels != faces.labels).any():
        raise DataError(
            f"{len(scores.labels)} scores, {len(faces)} faces and {len(probabilities)} probabilities",
            "all three of the same labelled faces",
            "leave faces without a label out of each",
        )
    names = faces.split_names()
    split = names[0] if len(names) == 1 else card["data"]["choose_split"]
    count, fresh = card["result"]["repeated_from_training"], card["result"]["accuracy_without_repeated"]
    if repeated is not None:
        right = (scores.labels == scores.answers)[~repeated]
        count, fresh = int(repeated.sum()), float(right.mean()) if len(right) else None
    elif split != card["data"]["choose_split"]:
        count = fresh = None
    text, recipe = recipe_words(folder)
    whole = ShownRun(card, history, scores, faces, probabilities, reliability, count, fresh, split, text, recipe)
    path = folder / (PAGE if whole.chosen_on_it else f"run-{re.sub(r'[^A-Za-z0-9]+', '-', split)}.html")
    write_text(path, run_page(whole, shown))
    return path


def run(arguments: argparse.Namespace) -> int:
    """Predicts a split with a finished run's model and writes its page. Returns 0, or 2 after broken rows."""
    if arguments.faces < 0:
        raise DataError(f"--faces {arguments.faces}", "0 or more pictures of each kind", "name how many")
    finished = read_run(arguments.run_folder)
    data = finished.card["data"]
    model = load_model(finished.folder / MODEL)
    size, channels = model.input_shape[2:]
    labels = label_set(finished.card["model"]["label_set"])
    check_classes(model, labels, finished.folder / MODEL)
    light = finished.card["model"].get("illumination", "none")  # cards from before it was there have none
    faces = open_for_model(arguments.data, arguments.votes, labels, size, channels, _say, light)
    say_problems(faces, _say)
    split = arguments.split or data["choose_split"]
    chosen = labelled(faces.split(split))
    if split == data["choose_split"] and chosen.sha256() != data["choosing_sha256"]:
        _say(f"{arguments.data}: {split} has other faces than those that the run's best epoch was chosen on")
    train_split = data["train_split"]
    training = faces.split(train_split) if train_split in faces.split_names() and train_split != split else None
    probabilities = predict(model, chosen.pixels)
    path = write_page(
        finished.folder,
        finished.card,
        finished.history,
        score(probabilities, chosen.labels, labels),
        chosen,
        probabilities,
        measure_reliability(probabilities, chosen.labels),
        repeated=None if training is None else repeated_in(chosen, training),
        shown=arguments.faces,
    )
    print(path)
    return 2 if faces.problems else 0


def _say(line: str) -> None:
    print(line, file=sys.stderr)
