"""Each measure has the value that a hand-made example must have."""

import math

import numpy as np
import pytest

from convert.parity import Answers, ParityError, compare
from convert.parity.drift import measure_drift
from convert.parity.paired import Paired, compare_right
from convert.parity.shares import Share
from edge_runtime.intervals import accuracy_interval, mcnemar_exact
from edge_runtime.reliability import measure_reliability
from tests.convert.parity_made import facts, flipped, labels_of, side

NAMES = ("a", "b", "c", "d", "e", "f", "g")


def right(faces, lost, won):
    reference, candidate = np.ones(faces, bool), np.ones(faces, bool)
    candidate[:lost] = False
    reference[lost : lost + won] = False
    return reference, candidate


def test_mcnemar_has_the_p_value_of_a_fair_coin():
    assert mcnemar_exact(0, 0) == 1
    assert mcnemar_exact(3, 3) == 1
    assert mcnemar_exact(6, 0) == mcnemar_exact(0, 6) == 2 / 64
    assert mcnemar_exact(9, 2) == 2 * (1 + 11 + 55) / 2**11


def test_mcnemar_agrees_with_scipy_and_holds_for_many_faces():
    stats = pytest.importorskip("scipy.stats")
    for lost, won in ((1, 0), (12, 5), (40, 32), (700, 601)):
        assert mcnemar_exact(lost, won) == pytest.approx(stats.binomtest(won, lost + won).pvalue, rel=1e-9)
    assert 0 < mcnemar_exact(5100, 4900) < 0.05


def test_paired_difference_counts_faces_that_one_side_alone_names_rightly():
    paired = compare_right(*right(1000, 30, 10))
    assert (paired.faces, paired.lost, paired.won) == (1000, 30, 10)
    assert (paired.difference, paired.drop, paired.discordance) == (-2.0, 2.0, 0.04)
    assert paired.low < -2 < paired.high
    assert (paired.drop_lower, paired.drop_upper) == (-paired.high, -paired.low)


def test_interval_is_that_of_the_formula_and_the_same_each_time():
    paired = compare_right(*right(3589, 40, 32))
    # A face is 0.028 points, and the interval's ends are whole faces.
    spread = 196 * math.sqrt((74 / 3591) / 3589)
    assert paired.low == pytest.approx(paired.difference - spread, abs=0.04)
    assert paired.high == pytest.approx(paired.difference + spread, abs=0.04)
    assert paired == compare_right(*right(3589, 40, 32))


def test_interval_of_faces_that_never_differ_is_the_rule_of_three_and_not_nothing():
    for faces in (10, 300, 3589):
        paired = compare_right(*right(faces, 0, 0))
        assert paired.difference == 0
        assert paired.drop_upper == pytest.approx(300 / faces, rel=0.05)


def test_interval_covers_the_true_difference_as_often_as_it_says():
    random = np.random.default_rng(5)
    drawn = random.multinomial(400, (0.03, 0.02, 0.95), 120)
    held = 0
    for lost, won, _ in drawn:
        paired = compare_right(*right(400, lost, won))
        held += paired.low <= -1.0 <= paired.high
    assert held >= 0.9 * len(drawn)


@pytest.mark.parametrize(("faces", "lost", "won"), [(1, 1, 0), (10, 10, 0), (10, 0, 10), (1000, 1000, 0)])
def test_interval_holds_the_measured_difference_at_the_ends(faces, lost, won):
    paired = compare_right(*right(faces, lost, won))
    assert -100 <= paired.low <= paired.difference <= paired.high <= 100


@pytest.mark.parametrize(("lost", "won", "few", "enough"), [(0, 0, 290, 330), (4, 2, 400, 1000), (20, 18, 2000, 2500)])
def test_number_of_faces_said_to_be_needed_is_where_the_bound_begins_to_show(lost, won, few, enough):
    """`lost` and `won` are of a thousand faces."""

    def of(faces):
        return compare_right(*right(faces, lost * faces // 1000, won * faces // 1000))

    assert few < of(1000).faces_needed(1.0) < enough
    assert of(few).drop_upper > 1.0
    assert of(enough).drop_upper <= 1.0


def test_no_number_of_faces_shows_a_bound_that_the_drop_reaches():
    paired = Paired(1000, 20, 10, -2.0, 0.1, 0.1)
    assert paired.faces_needed(1.0) is None
    assert paired.faces_needed(1.0, 0.0) > 1000


def test_nothing_to_compare_is_refused():
    for one, other in ((np.ones(0, bool), np.ones(0, bool)), (np.ones(2, bool), np.ones(3, bool))):
        with pytest.raises(ParityError, match="answers; expected as many of each"):
            compare_right(one, other)


def test_drift_of_a_known_pair():
    one = np.array([[1, 0], [0.5, 0.5]], np.float32)
    other = np.array([[0, 1], [0.5, 0.5]], np.float32)
    drift = measure_drift(one, other, np.array([7, 8]))
    assert (drift.mean, drift.largest, drift.largest_row) == (0.5, 1.0, 7)
    assert drift.divergence == pytest.approx(0.5)


def test_divergence_is_jensen_and_shannons_in_bits():
    one, other = np.array([[0.75, 0.25]], np.float32), np.array([[0.25, 0.75]], np.float32)
    entropy = -(0.75 * math.log2(0.75) + 0.25 * math.log2(0.25))
    assert measure_drift(one, other, np.array([0])).divergence == pytest.approx(1 - entropy)
    assert measure_drift(one, one, np.array([0])).divergence == 0


def test_calibration_error_is_the_gap_between_confidence_and_accuracy():
    labels = np.array([0, 0, 0, 1], np.int16)
    sure = np.tile(np.array([0.75, 0.25], np.float32), (4, 1))
    assert measure_reliability(sure, labels).expected_error == pytest.approx(0)
    surer = np.tile(np.array([0.95, 0.05], np.float32), (4, 1))
    reliability = measure_reliability(surer, labels)
    assert reliability.expected_error == pytest.approx(0.2)
    assert (len(reliability.bins), reliability.bins[14].faces) == (15, 4)


def test_share_has_its_interval_and_refuses_what_cannot_be():
    assert Share(97, 100).interval == accuracy_interval(97, 100)
    for count, faces in ((0, 0), (3, 2), (-1, 2)):
        with pytest.raises(ValueError, match=f"{count} of {faces}"):
            Share(count, faces)


def test_comparison_of_known_flips():
    labels, reference, candidate = flipped(700, lost=5, won=2)
    reference[10], candidate[10] = (labels[10] + 1) % 7, (labels[10] + 2) % 7
    comparison = compare(side(reference), side(candidate, "other", size_bytes=250, latency_ms=1.0), labels, NAMES)
    assert (comparison.reference.accuracy.count, comparison.candidate.accuracy.count) == (697, 694)
    assert comparison.agreement.count == 700 - 8
    assert (comparison.paired.lost, comparison.paired.won) == (5, 2)
    assert [comparison.flipped(direction) for direction in ("lost", "won", "other")] == [5, 2, 1]
    assert (comparison.size_ratio, comparison.latency_ratio) == (0.25, 0.5)
    confusion = np.array(comparison.candidate.confusion)
    assert (confusion.sum(), confusion.trace(), confusion[0, 1]) == (700, 694, 1)


def test_recall_is_counted_class_by_class_with_its_support():
    labels, reference, candidate = flipped(70, lost=0)
    candidate[[0, 7]] = 3
    classes = compare(side(reference), side(candidate, "other"), labels, NAMES).classes
    assert [(each.name, each.faces) for each in classes] == [(name, 10) for name in NAMES]
    assert (classes[0].reference.value, classes[0].candidate.value, classes[0].drop) == (1.0, 0.8, 20.0)
    assert [each.drop for each in classes[1:]] == [0.0] * 6


def test_class_without_faces_has_no_recall():
    labels = labels_of(60, 6)
    classes = compare(side(labels), side(labels, "other"), labels, NAMES).classes
    last = classes[6]
    assert (last.faces, last.reference, last.candidate, last.paired) == (0, None, None, None)
    assert last.as_json()["change"] is None
    with pytest.raises(ValueError, match="'g' has no faces"):
        _ = last.drop


def test_flips_come_surest_first_with_their_place_and_row():
    labels = np.array([0, 1, 2, 3, -1], np.int16)
    one = side([0, 1, 0, 3, 4])
    other = side([1, 2, 2, 3, 5], "other")
    other.probabilities[1] = np.array([0.01, 0.01, 0.94, 0.01, 0.01, 0.01, 0.01], np.float32)
    flips = compare(one, other, labels, NAMES).flips
    assert [(flip.index, flip.row, flip.direction) for flip in flips] == [
        (1, 101, "lost"),
        (0, 100, "lost"),
        (2, 102, "won"),
    ]
    first = flips[0]
    assert (first.label, first.reference, first.candidate) == (1, 1, 2)
    assert (first.reference_confidence, first.candidate_confidence) == pytest.approx((0.9, 0.94))


def test_faces_left_out_count_nowhere():
    labels, reference, candidate = flipped(70)
    labels[:7] = -1
    candidate[:7] = (candidate[:7] + 1) % 7
    comparison = compare(side(reference), side(candidate, "other"), labels, NAMES)
    assert comparison.agreement == Share(63, 63)
    assert (comparison.drift.largest, comparison.flips, comparison.classes[0].faces) == (0, (), 9)
    assert sum(each.faces for each in comparison.reference.reliability.bins) == 63


def test_side_that_names_one_class_is_told():
    labels = labels_of(70)
    one = side(labels)
    probabilities = one.probabilities * np.float32(0.02)
    probabilities[:, 3] += np.float32(0.98)
    stuck = Answers("stuck", "tflite", probabilities, one.rows, facts())
    assert compare(one, stuck, labels, NAMES).candidate.only_answer == "d"
    assert compare(one, stuck, labels, NAMES).reference.only_answer is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"size_bytes": None, "latency_ms": None}, {}),
        ({}, {"size_bytes": None, "latency_ms": None}),
    ],
)
def test_ratio_with_an_unknown_side_is_unknown(one, other):
    labels = labels_of(70)
    comparison = compare(side(labels, **one), side(labels, "other", **other), labels, NAMES)
    assert (comparison.size_ratio, comparison.latency_ratio) == (None, None)


@pytest.mark.parametrize("environments", [({}, {}), ({"machine": "pi"}, {"machine": "here"}), ({}, {"machine": "pi"})])
def test_latencies_not_known_to_be_of_one_machine_are_not_compared(environments):
    labels = labels_of(70)
    one, other = (side(labels, name, environment=table) for name, table in zip("ab", environments, strict=True))
    comparison = compare(one, other, labels, NAMES)
    assert (comparison.latency_ratio, comparison.size_ratio) == (None, 1.0)


def test_sides_that_cannot_be_compared_are_refused():
    labels = labels_of(70)
    one = side(labels)
    shifted = Answers("other", "record", one.probabilities, one.rows + 1, facts())
    with pytest.raises(ParityError, match="other: 70 faces, others than the 70 of one"):
        compare(one, shifted, labels, NAMES)
    with pytest.raises(ParityError, match="others than the 70 of one"):
        compare(one, side(labels[:60], "other"), labels, NAMES)
    with pytest.raises(ParityError, match="one: 7 classes; expected 6"):
        compare(one, one, labels, NAMES[:6])
    eight = side(labels, "other", classes=8)
    with pytest.raises(ParityError, match="other: 8 classes; expected 7"):
        compare(one, eight, labels, NAMES)
    for wrong, named in (
        (labels[:60], r"70 answers for labels of shape \(60,\)"),
        (labels + 1, "labels from 1 to 7"),
        (labels - 2, "labels from -2 to 4"),
        (np.full(70, -1, np.int16), "no labelled face"),
    ):
        with pytest.raises(ParityError, match=named):
            compare(one, one, wrong, NAMES)
