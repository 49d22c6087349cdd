"""Reliability, against figures worked out by hand."""

import json
import math

import numpy as np
import pytest

from edge_runtime.errors import FaceSetError
from edge_runtime.reliability import measure_reliability


def two_classes(confidences, right):
    """Answers "0" with these confidences; the label is 0 where the answer is right."""
    confidences = np.array(confidences)
    labels = np.where(np.array(right, bool), 0, 1).astype(np.int16)
    return np.stack([confidences, 1 - confidences], axis=1), labels


def test_expected_calibration_error_is_the_gap_of_each_bin_weighed_by_its_faces():
    # Five bins of 0.2. In (0.6, 0.8]: confidences 0.65 and 0.75, one right: gap 0.2. In (0.8, 1]: 0.9 twice, both right: 0.1.
    probabilities, labels = two_classes([0.65, 0.75, 0.9, 0.9], [1, 0, 1, 1])
    reliability = measure_reliability(probabilities, labels, bins=5)
    assert [each.faces for each in reliability.bins] == [0, 0, 0, 2, 2]
    assert reliability.bins[3].gap == pytest.approx(0.7 - 0.5)
    assert reliability.bins[4].gap == pytest.approx(0.9 - 1)
    assert reliability.expected_error == pytest.approx((2 * 0.2 + 2 * 0.1) / 4)
    assert reliability.largest_error == pytest.approx(0.2)


def test_bins_of_equal_mass_hold_equally_many_faces():
    probabilities, labels = two_classes([0.51, 0.52, 0.53, 0.99], [1, 0, 1, 1])
    reliability = measure_reliability(probabilities, labels, bins=2)
    assert [each.faces for each in reliability.masses] == [2, 2]
    gaps = (abs(0.515 - 0.5), abs(0.76 - 1))
    assert reliability.equal_mass_error == pytest.approx((2 * gaps[0] + 2 * gaps[1]) / 4)


def test_a_confidence_on_an_edge_belongs_to_the_bin_below_and_certainty_to_the_last():
    probabilities, labels = two_classes([0.8, 1.0], [1, 1])
    counts = [each.faces for each in measure_reliability(probabilities, labels, bins=5).bins]
    assert counts == [0, 0, 0, 1, 1]


def test_likelihood_and_brier_are_worked_out_over_all_classes():
    probabilities = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]])
    reliability = measure_reliability(probabilities, np.array([0, 1]))
    assert reliability.negative_log_likelihood == pytest.approx(-(math.log(0.7) + math.log(0.1)) / 2)
    first, second = 0.3**2 + 0.2**2 + 0.1**2, 0.1**2 + 0.9**2 + 0.8**2
    assert reliability.brier == pytest.approx((first + second) / 2)


def test_a_model_that_is_as_sure_as_right_has_next_to_no_error():
    random = np.random.default_rng(1)
    sure = random.uniform(0.5, 1, 50_000)
    reliability = measure_reliability(*two_classes(sure, random.random(50_000) < sure))
    assert reliability.expected_error < 0.01
    assert reliability.equal_mass_error < 0.01


def test_a_label_that_was_held_to_be_impossible_keeps_json_possible():
    reliability = measure_reliability(np.array([[1.0, 0.0]]), np.array([1]))
    assert 80 < json.loads(json.dumps(reliability.as_json(), allow_nan=False))["negative_log_likelihood"] < 100


def test_faces_without_a_label_are_left_out():
    probabilities, labels = two_classes([0.9, 0.6], [1, 1])
    assert measure_reliability(probabilities, np.array([0, -1])).faces == 1
    with pytest.raises(FaceSetError, match="no labelled face"):
        measure_reliability(probabilities, labels - 2)
    with pytest.raises(FaceSetError, match="not numbers"):
        measure_reliability(np.full((2, 2), np.nan), labels)
