"""`fer-edge record`: this machine's own arithmetic on a data set of ready-cropped faces, to be judged elsewhere."""

from __future__ import annotations

import argparse
import sys

import numpy as np
from tqdm import tqdm

from devices.board import read_board
from edge_runtime.classifier import Classifier
from edge_runtime.commands.opening import classifier_of
from edge_runtime.errors import LabelError, UsageError
from edge_runtime.facesets import FaceSet, open_faces, read_votes, with_majority_labels, with_votes
from edge_runtime.files import whole_file
from edge_runtime.intervals import accuracy_interval
from edge_runtime.labels import LabelSet
from edge_runtime.preprocess import PREPROCESS_VERSION, fit_face

__all__ = ["RECORD_VERSION", "run"]

RECORD_VERSION = 1


def run(arguments: argparse.Namespace) -> int:
    """Returns 0, or 2 where rows of the data were refused; the others are recorded all the same."""
    if arguments.out is not None and arguments.out.suffix != ".npz":
        raise UsageError(
            f"--out {arguments.out}", "a name that ends in .npz", f"--out {arguments.out.with_suffix('.npz')}"
        )
    classifier = classifier_of(arguments)
    facts = classifier.bundle.input
    # The pictures of a folder may differ in size; the rows of a csv do not, and keep their own.
    size, channels = (facts.size, facts.channels) if arguments.data.is_dir() else (None, None)
    faces = _labelled(arguments, open_faces(arguments.data, split=arguments.split, size=size, channels=channels))
    for problem in faces.problems:
        print(f"fer-edge: {problem}; row left out", file=sys.stderr)
    labels = _as_outputs(faces, classifier.labels)
    probabilities = _probabilities(classifier, faces)
    bundle = classifier.bundle
    if arguments.out is not None:
        _write(arguments, classifier, faces, labels, probabilities)
    judged = labels >= 0
    count, correct = int(judged.sum()), int((probabilities.argmax(axis=1) == labels)[judged].sum())
    left_out = len(faces) - count
    if count:
        interval = accuracy_interval(correct, count)
        print(f"accuracy {100 * correct / count:.2f} % ({correct} of {count}; 95 % interval {interval})")
    else:
        print("accuracy not known: no face has a label that the bundle knows")
    print(
        f"{len(faces)} faces of {arguments.split or 'all splits'}, {left_out} left out by the protocol, {len(faces.problems)} refused"
    )
    print(f"bundle {bundle.name} {bundle.sha256}")
    if arguments.out is not None:
        print(f"written to {arguments.out}")
    return 2 if faces.problems else 0


def _write(
    arguments: argparse.Namespace, classifier: Classifier, faces: FaceSet, labels: np.ndarray, probabilities: np.ndarray
) -> None:
    bundle, board = classifier.bundle, read_board()
    with whole_file(arguments.out) as file:
        np.savez(
            file,
            probabilities=probabilities,
            labels=labels,
            names=np.array(bundle.labels.names),
            rows=faces.rows,
            bundle=np.array(bundle.name),
            bundle_sha256=np.array(bundle.sha256),
            arithmetic=np.array(str(bundle.manifest["arithmetic"])),
            model_bytes=np.array(len(bundle.model)),
            data_sha256=np.array(faces.sha256()),
            split=np.array(arguments.split or "all"),
            preprocess=np.array(PREPROCESS_VERSION),
            interpreter=np.array(
                f"{classifier.model.implementation.package} {classifier.model.implementation.version}"
            ),
            machine=np.array(f"{board.model}, {board.cores} cores ({board.machine})"),
            version=np.array(RECORD_VERSION),
        )


def _labelled(arguments: argparse.Namespace, faces: FaceSet) -> FaceSet:
    kind, _, path = arguments.labels.partition(":")
    if kind == "ferplus" and path:
        return with_majority_labels(with_votes(faces, read_votes(path), path))
    if kind == "ferplus" and faces.votes is not None:
        return with_majority_labels(faces)
    if arguments.labels != "fer2013":
        raise UsageError(
            f"--labels {arguments.labels}", "fer2013, or ferplus:VOTES.csv", "--labels ferplus:fer2013new.csv"
        )
    return faces


def _as_outputs(faces: FaceSet, outputs: LabelSet) -> np.ndarray:
    """The labels as indices of the model's outputs; -1 where the protocol or the model leaves a face out."""
    order = np.array([*faces.label_set.indices_in(outputs), -1], np.int16)
    if (order[:-1] < 0).all():
        raise LabelError(
            f"labels {', '.join(faces.label_set.names)}",
            f"labels among {', '.join(outputs.names)}",
            "take the bundle and the data of one task",
        )
    missing = [name for name, index in zip(faces.label_set.names, order, strict=False) if index < 0]
    if missing:
        print(f"fer-edge: the bundle does not know {', '.join(missing)}: these faces are left out", file=sys.stderr)
    others = [name for index, name in enumerate(outputs.names) if index not in order]
    if others:
        print(
            f"fer-edge: the bundle also answers {', '.join(others)}, which are no labels of these faces: such answers count as"
            " wrong; --labels or --bundle names others",
            file=sys.stderr,
        )
    return order[faces.labels]


def _probabilities(classifier: Classifier, faces: FaceSet) -> np.ndarray:
    facts = classifier.bundle.input
    return np.concatenate(
        [
            classifier.classify([fit_face(pixels, facts.size, facts.channels)])
            for pixels in tqdm(faces.pixels, unit="face", disable=None, leave=False)
        ]
    )
