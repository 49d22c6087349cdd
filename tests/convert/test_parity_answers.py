"""A side that gives no answers is named, with the first face at fault."""

import numpy as np
import pytest

from convert.parity import Answers, AnswersError
from tests.convert.parity_made import facts, side

GOOD = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]], np.float32)
ROWS = np.array([5, 9, 12])


def answers(probabilities=GOOD, rows=ROWS, name="int8.tflite", kind="tflite"):
    return Answers(name, kind, probabilities, rows, facts())


def changed(face, values):
    probabilities = GOOD.copy()
    probabilities[face] = values
    return probabilities


def test_good_side_tells_its_answers():
    good = answers()
    assert (len(good), good.classes, good.top().tolist(), good.only_answer()) == (3, 3, [0, 1, 2], None)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ([np.nan, 0.5, 0.5], "NaN among the answers, for 1 of 3 faces, the first at row 9"),
        ([np.inf, 0, 0], "infinity among the answers, for 1 of 3 faces, the first at row 9"),
        ([4.0, -1.5, 0.2], r"no probabilities, for 1 of 3 faces; row 9 holds -1\.5 to 4 and sums to 2\.7"),
        ([2.0, -1.0, 0.0], "no probabilities"),
        ([1.0, -0.5, 0.5], "no probabilities"),
        ([0.1, 0.1, 0.1], r"no probabilities.*sums to 0\.3"),
    ],
)
def test_side_whose_answers_are_no_probabilities_is_named(values, named):
    with pytest.raises(AnswersError, match=rf"^int8\.tflite: .*{named}"):
        answers(changed(1, values))


def test_constant_output_is_named():
    with pytest.raises(AnswersError, match=r"^int8\.tflite: constant output: each of 3 faces"):
        answers(np.repeat(GOOD[:1], 3, axis=0))
    assert len(answers(GOOD[:1], ROWS[:1])) == 1


def test_side_that_names_one_class_with_moving_probabilities_is_left_to_the_gate():
    probabilities = np.array([[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.8, 0.1, 0.1]], np.float32)
    assert answers(probabilities).only_answer() == 0


def test_rounding_of_an_int8_output_is_no_fault():
    steps = np.array([[73, 36, 36, 36, 36, 36, 0], [255, 0, 0, 0, 0, 0, 0]], np.float32) / 256
    assert len(answers(steps, ROWS[:2])) == 2


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"probabilities": GOOD.astype(np.float64)}, r"float64 of shape \(3, 3\)"),
        ({"probabilities": GOOD[0]}, r"shape \(3,\)"),
        ({"probabilities": GOOD[:0], "rows": ROWS[:0]}, r"shape \(0, 3\)"),
        ({"probabilities": np.ones((3, 1), np.float32)}, r"shape \(3, 1\)"),
        ({"rows": ROWS[:2]}, r"rows int64 of shape \(2,\) for 3 faces"),
        ({"rows": ROWS.astype(np.int32)}, "rows int32"),
        ({"kind": "torch"}, "kind 'torch'; expected one of keras, tflite"),
        ({"name": "a\nb"}, "a side named"),
        ({"name": ""}, "a side named ''"),
    ],
)
def test_wrong_form_is_refused(changes, named):
    with pytest.raises(AnswersError, match=named):
        answers(**changes)


@pytest.mark.parametrize("changes", [{"sha256": "abc"}, {"size_bytes": 0}, {"latency_ms": -1.0}, {"macs": 0}])
def test_facts_that_cannot_be_are_refused(changes):
    with pytest.raises(ValueError, match=next(iter(changes))):
        facts(**changes)


def test_made_sides_are_probabilities():
    assert side([0, 1, 2]).top().tolist() == [0, 1, 2]
