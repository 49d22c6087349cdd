"""Sides, comparisons and gates made by hand, for the tests of parity."""

import numpy as np

from convert.parity import Answers, DataFacts, ModelFacts, measure_parity
from convert.parity.gate import KEYS, parse_gate
from edge_runtime.labels import FER2013

SHA = "a" * 64
OFF = dict.fromkeys(KEYS, "off") | {"class_least_faces": 1, "small_classes": "cannot judge"}
DATA = DataFacts("fer2013.csv", "PublicTest", "d" * 64, FER2013.names, 1)


def facts(**changes):
    values = {
        "sha256": SHA,
        "size_bytes": 1000,
        "arithmetic": "float32",
        "macs": None,
        "latency_ms": 2.0,
        "environment": {"machine": "here"},
    }
    return ModelFacts(**{**values, **changes})


def side(top, name="one", kind="tflite", sure=0.9, classes=7, **changes):
    """A side that answers `top` (N,), each with the probability `sure`; the rest is shared evenly."""
    top = np.asarray(top)
    probabilities = np.full((len(top), classes), (1 - sure) / (classes - 1), np.float32)
    probabilities[np.arange(len(top)), top] = sure
    return Answers(name, kind, probabilities, np.arange(len(top)) + 100, facts(**changes))


def labels_of(faces, classes=7):
    return (np.arange(faces) % classes).astype(np.int16)


def flipped(faces, lost=0, won=0):
    """(labels, reference's answers, candidate's): the last `won` faces only the candidate has, of the others it loses the
    first `lost`; everything else both have right."""
    labels = labels_of(faces)
    reference, candidate = labels.astype(np.int64), labels.astype(np.int64)
    candidate[:lost] = (candidate[:lost] + 1) % 7
    if won:
        reference[-won:] = (reference[-won:] + 1) % 7
    return labels, reference, candidate


def gate(**thresholds):
    """A gate with these lines; all others are off."""
    return parse_gate({**OFF, **thresholds}, "made", SHA, "made.toml")


def result_of(thresholds, faces=3589, lost=0, won=0, candidate_changes=None, reference_changes=None):
    labels, reference, candidate = flipped(faces, lost, won)
    one = side(reference, "reference", "keras", **(reference_changes or {}))
    other = side(candidate, "candidate", **(candidate_changes or {}))
    return measure_parity(one, [other], labels, DATA, thresholds, {"numpy": "2"})


def line_of(result, key, candidate=0):
    return next(line for line in result.candidates[candidate].verdict.lines if line.key == key)
