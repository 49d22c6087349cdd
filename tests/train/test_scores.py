"""Scores, against figures worked out by hand."""

import json

import numpy as np
import pytest

from edge_runtime.labels import FER2013, LabelSet
from train.errors import DataError
from train.scores import Scores, score

THREE = LabelSet("three", ("happy", "sad", "neutral"))


@pytest.fixture
def scores() -> Scores:
    labels = [0] * 6 + [1] * 3 + [2]
    answers = [0, 0, 0, 0, 1, 2, 1, 1, 0, 2]
    return Scores(THREE, np.array(labels), np.array(answers))


def test_accuracy_confusion_and_interval_are_counted(scores):
    assert (scores.correct, scores.count, scores.accuracy) == (7, 10, 0.7)
    assert scores.confusion().tolist() == [[4, 1, 1], [1, 2, 0], [0, 0, 1]]
    assert scores.interval.low < 0.7 < scores.interval.high


def test_report_has_precision_recall_f1_and_support_of_each_class_and_both_averages(scores):
    report = scores.report()
    assert report["happy"] == pytest.approx({"precision": 4 / 5, "recall": 4 / 6, "f1-score": 8 / 11, "support": 6})
    assert report["neutral"] == pytest.approx({"precision": 1 / 2, "recall": 1, "f1-score": 2 / 3, "support": 1})
    assert report["macro avg"]["recall"] == pytest.approx((4 / 6 + 2 / 3 + 1) / 3)
    assert report["weighted avg"]["recall"] == pytest.approx(0.7)
    assert report["accuracy"] == pytest.approx(0.7)


def test_a_class_without_faces_or_answers_counts_as_nought_and_warns_nobody():
    scores = Scores(FER2013, np.array([0, 0]), np.array([0, 3]))
    assert scores.report()["disgust"] == {"precision": 0, "recall": 0, "f1-score": 0, "support": 0}
    assert scores.confusion().shape == (7, 7)
    assert "disgust" in scores.tables()


def test_macro_f1_is_the_mean_over_classes_and_is_in_words_and_json(scores):
    assert scores.macro_f1 == pytest.approx((8 / 11 + 4 / 6 + 2 / 3) / 3)
    assert scores.macro_f1 == pytest.approx(scores.report()["macro avg"]["f1-score"])
    assert scores.mean_recall == pytest.approx(scores.report()["macro avg"]["recall"])
    assert scores.summary().endswith("macro F1 0.687")
    assert (scores.as_json()["macro_f1"], scores.as_json()["mean_recall"]) == (scores.macro_f1, scores.mean_recall)


def test_a_class_without_faces_does_not_pull_the_macro_f1_down():
    scores = Scores(FER2013, np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1]))
    assert (scores.macro_f1, scores.mean_recall) == (1, 1)


def test_faces_without_a_label_are_left_out():
    probabilities = np.eye(3, dtype=np.float32)[[0, 1, 2, 2]]
    scores = score(probabilities, np.array([0, -1, 2, 1], np.int16), THREE)
    assert (scores.correct, scores.count) == (2, 3)


def test_json_holds_plain_numbers(scores):
    assert json.loads(json.dumps(scores.as_json(), allow_nan=False))["confusion"] == [[4, 1, 1], [1, 2, 0], [0, 0, 1]]


@pytest.mark.parametrize(
    ("probabilities", "labels", "message"),
    [
        (np.ones((2, 2)), [0, 1], "3 classes of 'three'"),
        (np.ones((1, 3)), [0, 1], "for 2 faces"),
        (np.full((2, 3), np.nan), [0, 1], "it has diverged"),
        (np.ones((2, 3)), [-1, -1], "no labelled face"),
        (np.ones((0, 3)), [], "no labelled face"),
    ],
)
def test_what_cannot_be_scored_is_refused(probabilities, labels, message):
    with pytest.raises(DataError, match=message):
        score(probabilities, np.array(labels, np.int16), THREE)
