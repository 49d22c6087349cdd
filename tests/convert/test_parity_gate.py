"""A gate names every threshold, and each of its lines is seen to fail."""

import numpy as np
import pytest

from convert.parity import Answers, GateError, Outcome, list_gates, measure_parity, read_gate
from convert.parity.gate import GATES, KEYS, LINES, parse_gate
from convert.parity.verdict import worst_outcome
from tests.convert.parity_made import DATA, OFF, SHA, facts, flipped, gate, labels_of, line_of, result_of, side

DEFAULT = read_gate("default")
PASSED, FAILED, NOT_JUDGED = Outcome.PASSED, Outcome.FAILED, Outcome.NOT_JUDGED


def test_gates_are_what_the_shipped_bundles_keep():
    assert list_gates() == ["default", "ferplus"]
    few = read_gate("ferplus")
    assert [few.allowed(line) for line in LINES] == [DEFAULT.allowed(line) for line in LINES]
    assert (few.class_least_faces, few.small_classes) == (50, "leave out")
    assert [DEFAULT.allowed(line) for line in LINES[:4]] == [0.5, 1.0, 0.97, 3.0]
    assert (DEFAULT.class_least_faces, DEFAULT.small_classes) == (50, "cannot judge")
    assert [DEFAULT.allowed(line) for line in LINES[4:]] == [None] * 5
    assert len(DEFAULT.sha256) == 64


def test_healthy_candidate_passes_the_default_gate():
    result = result_of(DEFAULT, lost=35, won=30)
    assert (result.outcome, result.exit_code) == (PASSED, 0)


@pytest.mark.parametrize("key", KEYS)
def test_missing_threshold_is_an_error(key):
    table = {**OFF, "agreement": 0.97}
    del table[key]
    with pytest.raises(GateError, match=rf"g\.toml: no {key};.*add {key} = "):
        parse_gate(table, "g", SHA, "g.toml")


def test_unknown_key_is_refused_with_the_nearest_right_one():
    with pytest.raises(GateError, match=r"acuracy_drop_points is no known key.*did you mean 'accuracy_drop_points'"):
        parse_gate({**OFF, "acuracy_drop_points": 0.5}, "g", SHA, "g.toml")
    with pytest.raises(GateError, match=r"zzz is no known key.*remove it"):
        parse_gate({**OFF, "zzz": 1}, "g", SHA, "g.toml")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("agreement", 97),
        ("agreement", True),
        ("agreement", "of"),
        ("agreement", float("nan")),
        ("agreement", -0.1),
        ("accuracy_drop_points", -0.5),
        ("accuracy_drop_upper_points", 101),
        ("max_drift", 1.5),
        ("size_ratio", 0),
        ("latency_ratio", float("inf")),
        ("size_bytes", [1]),
        ("class_least_faces", 0),
        ("class_least_faces", 2.5),
        ("class_least_faces", "off"),
        ("small_classes", "off"),
    ],
)
def test_value_that_is_no_threshold_is_refused(key, value):
    with pytest.raises(GateError, match=rf"g\.toml: {key} = "):
        parse_gate({**OFF, "mean_drift": 0.1, key: value}, "g", SHA, "g.toml")


def test_gate_that_judges_nothing_is_refused():
    with pytest.raises(GateError, match='every line is "off"'):
        gate()
    with pytest.raises(ValueError, match="expected at least one line"):
        worst_outcome([Outcome.OFF])


def test_gate_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(GateError, match=r"gate 'strict': .*expected one of default, ferplus, or the path"):
        read_gate("strict")
    for content in (b"agreement = ", b"\xff\xfe"):
        (tmp_path / "g.toml").write_bytes(content)
        with pytest.raises(GateError, match=r"g\.toml: .*expected a TOML file"):
            read_gate(tmp_path / "g.toml")


def test_gate_of_a_users_own_file_is_read(tmp_path):
    path = tmp_path / "mine.toml"
    default = (GATES / "default.toml").read_text()
    path.write_text(default.replace("agreement = 0.97", "agreement = 0.5"))
    assert "agreement = 0.97" in default
    mine = read_gate(path)
    assert (mine.name, mine.agreement) == ("mine", 0.5)
    assert mine.sha256 != DEFAULT.sha256


def test_accuracy_drop_fails_beyond_its_bound_and_says_by_how_much():
    passed, failed = (result_of(gate(accuracy_drop_points=0.5), 1000, lost=lost) for lost in (5, 6))
    assert (passed.exit_code, failed.exit_code) == (0, 1)
    line = line_of(failed, "accuracy_drop_points")
    assert (line.outcome, line.measured, line.allowed) == (FAILED, 0.6, 0.5)
    assert line.excess == pytest.approx(0.1)
    assert "0.60 points measured, 0.5 allowed: failed, over by 0.10 points" in line.text


def test_accuracy_gained_is_no_drop():
    for line in ("accuracy_drop_points", "accuracy_drop_upper_points"):
        assert result_of(gate(**{line: 0.5}), lost=5, won=200).exit_code == 0


def test_upper_bound_fails_where_enough_faces_show_a_larger_drop():
    result = result_of(gate(accuracy_drop_upper_points=1.0), lost=60, won=10)
    line = line_of(result, "accuracy_drop_upper_points")
    assert (result.exit_code, line.outcome) == (1, FAILED)
    assert line.measured > 1.39
    assert line.excess == pytest.approx(line.measured - 1)
    assert "failed, over by" in line.text


def test_too_few_faces_for_the_bound_are_not_judged_and_the_number_needed_is_said():
    result = result_of(gate(accuracy_drop_upper_points=1.0), 500, lost=6, won=5)
    line = line_of(result, "accuracy_drop_upper_points")
    assert (result.outcome, result.exit_code) == (NOT_JUDGED, 2)
    # The margin is 0.8 points and 2.2 % of the faces differ: 1.96² × 0.022 / 0.008², and a little for whole faces.
    assert 1320 < line.faces_needed < 1600
    assert f"500 faces are too few; it takes about {line.faces_needed:,}" in line.text
    enough = result_of(gate(accuracy_drop_upper_points=1.0), 1650, lost=20, won=17)
    assert enough.exit_code == 0


@pytest.mark.parametrize("faces", [1, 7, 50, 199])
def test_a_handful_of_faces_never_passes_the_default_gate_even_when_all_agree(faces):
    result = result_of(DEFAULT, max(faces, 2))
    assert (result.outcome, result.exit_code) == (NOT_JUDGED, 2)
    assert line_of(result, "accuracy_drop_upper_points").faces_needed > 199


def test_one_lost_face_of_a_few_is_no_failure():
    result = result_of(DEFAULT, 40, lost=1)
    assert result.exit_code == 2
    line = line_of(result, "accuracy_drop_points")
    assert (line.outcome, line.faces_needed) == (NOT_JUDGED, 200)


def test_candidate_that_is_plainly_worse_fails_on_few_faces_too():
    result = result_of(DEFAULT, 33, lost=30)
    outcomes = {line.key: line.outcome for line in result.candidates[0].verdict.lines}
    assert result.exit_code == 1
    assert [outcomes[key] for key in LINES[:3]] == [FAILED] * 3


def test_a_drop_beyond_the_bound_on_too_few_faces_says_what_a_lossless_candidate_would_take():
    line = line_of(result_of(gate(accuracy_drop_upper_points=1.0), 100, lost=2), "accuracy_drop_upper_points")
    assert line.outcome is NOT_JUDGED
    assert line.faces_needed > 700
    assert "were the candidate to lose nothing" in line.text


def test_no_drop_at_all_cannot_be_shown_of_a_candidate_that_is_only_as_good():
    line = line_of(result_of(gate(accuracy_drop_upper_points=0)), "accuracy_drop_upper_points")
    assert (line.outcome, line.faces_needed) == (NOT_JUDGED, None)
    assert "no number of faces" in line.text


def test_agreement_fails_below_what_is_asked_and_says_how_short_it_is():
    passed, failed = (result_of(gate(agreement=0.97), 1000, lost=lost, won=10) for lost in (20, 30))
    assert (passed.exit_code, failed.exit_code) == (0, 1)
    line = line_of(failed, "agreement")
    assert (line.measured, line.allowed) == (0.96, 0.97)
    assert line.excess == pytest.approx(0.01)
    assert "short by 1.00 points" in line.text


def test_agreement_on_fewer_faces_than_tell_its_bound_is_not_judged():
    assert [result_of(gate(agreement=0.97), faces).exit_code for faces in (33, 34)] == [2, 0]
    assert line_of(result_of(gate(agreement=0.97), 33), "agreement").faces_needed == 34


def test_bound_of_nothing_is_a_count_of_faces():
    assert [result_of(gate(agreement=1), 50, lost=lost).exit_code for lost in (0, 1)] == [0, 1]
    assert [result_of(gate(accuracy_drop_points=0), 50, lost=lost).exit_code for lost in (0, 1)] == [0, 1]


def classes_result(thresholds, support, lost):
    """100 faces of each class but the first, which has `support`, of which `lost` are lost."""
    labels = np.repeat(np.arange(7), [support, *[100] * 6]).astype(np.int16)
    candidate = labels.astype(np.int64)
    candidate[:lost] = 3
    return measure_parity(side(labels, "reference"), [side(candidate, "candidate")], labels, DATA, thresholds, {})


def test_worst_class_fails_by_name_with_its_support():
    thresholds = gate(worst_class_recall_drop_points=3, class_least_faces=50)
    passed, failed = (classes_result(thresholds, 56, lost) for lost in (1, 2))
    assert (passed.exit_code, failed.exit_code) == (0, 1)
    line = line_of(failed, "worst_class_recall_drop_points")
    assert line.measured == pytest.approx(200 / 56)
    assert line.excess == pytest.approx(200 / 56 - 3)
    assert "angry loses most, 3.57 points" in line.text
    assert "of 56 faces, each 1.8 points" in line.text


def test_class_with_little_support_is_not_judged_unless_the_gate_leaves_it_out():
    for lost in (0, 1):
        unjudged = classes_result(gate(worst_class_recall_drop_points=3, class_least_faces=50), 20, lost)
        line = line_of(unjudged, "worst_class_recall_drop_points")
        assert (unjudged.exit_code, line.faces_needed) == (2, 50)
        assert "too few faces of some classes (angry 20); it takes 50 of each" in line.text
    left_out = gate(worst_class_recall_drop_points=3, class_least_faces=50, small_classes="leave out")
    result = classes_result(left_out, 20, 1)
    assert result.exit_code == 0
    assert "left out with fewer than 50 faces: angry 20" in line_of(result, "worst_class_recall_drop_points").text


def test_small_class_that_is_plainly_lost_fails():
    thresholds = gate(worst_class_recall_drop_points=3, class_least_faces=50)
    assert classes_result(thresholds, 20, 20).exit_code == 1
    assert classes_result(gate(worst_class_recall_drop_points=3, small_classes="leave out"), 20, 20).exit_code == 0


def test_class_of_which_one_face_exceeds_the_bound_is_small_whatever_the_gate_says():
    line = line_of(classes_result(gate(worst_class_recall_drop_points=3), 20, 0), "worst_class_recall_drop_points")
    assert (line.outcome, line.faces_needed) == (NOT_JUDGED, 34)


def test_class_without_faces_is_not_judged():
    result = classes_result(gate(worst_class_recall_drop_points=3), 0, 0)
    assert result.exit_code == 2
    assert "angry 0" in line_of(result, "worst_class_recall_drop_points").text


@pytest.mark.parametrize("small", ["leave out", "cannot judge"])
def test_no_class_with_faces_enough_is_not_judged(small):
    labels, reference, candidate = flipped(70)
    thresholds = gate(worst_class_recall_drop_points=3, class_least_faces=50, small_classes=small)
    result = measure_parity(side(reference, "a"), [side(candidate, "b")], labels, DATA, thresholds, {})
    line = line_of(result, "worst_class_recall_drop_points")
    assert (result.exit_code, line.measured) == (2, None)
    assert "no class has faces enough" in line.text


def drifted(**thresholds):
    """Probabilities of the answer go from 0.9 to 0.6 on one face of ten."""
    labels = labels_of(70)
    one = side(labels, "reference")
    probabilities = one.probabilities.copy()
    probabilities[::10] = side(labels, sure=0.6).probabilities[::10]
    other = Answers("candidate", "tflite", probabilities, one.rows, facts())
    return measure_parity(one, [other], labels, DATA, gate(**thresholds), {})


def test_drift_fails_beyond_its_bounds():
    assert drifted(mean_drift=0.009, max_drift=0.31).exit_code == 0
    mean, largest = drifted(mean_drift=0.008), drifted(max_drift=0.29)
    assert (mean.exit_code, largest.exit_code) == (1, 1)
    assert line_of(mean, "mean_drift").measured == pytest.approx(0.6 / 70)
    assert "max_drift: 0.3 measured, 0.29 allowed: failed, over by 0.01" in line_of(largest, "max_drift").text


@pytest.mark.parametrize(
    ("key", "allowed", "good", "bad"),
    [
        ("latency_ratio", 0.5, {"latency_ms": 1.0}, {"latency_ms": 1.1}),
        ("size_ratio", 0.3, {"size_bytes": 300}, {"size_bytes": 301}),
        ("size_bytes", 300, {"size_bytes": 300}, {"size_bytes": 301}),
    ],
)
def test_latency_and_size_fail_beyond_their_bound_and_are_not_judged_where_unknown(key, allowed, good, bad):
    unknown = dict.fromkeys(good)
    results = [result_of(gate(**{key: allowed}), 70, candidate_changes=each) for each in (good, bad, unknown)]
    assert [result.exit_code for result in results] == [0, 1, 2]
    assert "failed, over by" in line_of(results[1], key).text
    assert "not known" in line_of(results[2], key).text


def test_failed_line_outweighs_one_that_could_not_be_judged():
    result = result_of(gate(accuracy_drop_points=0.5, size_bytes=300), 1000, 20, candidate_changes={"size_bytes": None})
    assert {line.outcome for line in result.candidates[0].verdict.lines} == {FAILED, NOT_JUDGED, Outcome.OFF}
    assert result.exit_code == 1


def test_worst_candidate_decides_for_all():
    labels, reference, bad = flipped(1000, lost=100)
    few = gate(accuracy_drop_points=0.5, size_bytes=2000)
    good = side(labels, "good")
    unknown = side(labels, "unknown", size_bytes=None)
    one = side(reference, "reference")
    codes = [
        measure_parity(one, candidates, labels, DATA, few, {}).exit_code
        for candidates in ([good], [good, unknown], [unknown, good, side(bad, "bad")])
    ]
    assert codes == [0, 2, 1]


def test_line_that_is_off_says_so():
    line = line_of(result_of(gate(agreement=0.9)), "mean_drift")
    assert (line.outcome, line.measured, line.allowed) == (Outcome.OFF, None, None)
    assert line.text == "mean_drift: off in the gate, not judged"
