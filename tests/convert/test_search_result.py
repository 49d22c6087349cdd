"""What a search says in the end: its exit code, its file and its table, from trials made by hand."""

import json

import pytest

from convert.calibration import choose_calibration
from convert.search.attempt import Attempt
from convert.search.result import Search
from convert.search.sensitivity import Sensitivity
from convert.search.terminal import to_text
from tests.convert.made import made_up_faces
from tests.convert.parity_made import DATA, SHA, gate, result_of

ASKED = gate(agreement=0.97, size_ratio=0.5)
TABLE = (
    Sensitivity("stem", ("CONV_2D",), 900, 0.001, 1.0, 31.0),
    Sensitivity("logits", ("FULLY_CONNECTED",), 100, None, None, None, "NaN or infinite answers"),
)


def attempt(*kept, flips=0, size_bytes=300, faces=3589, thresholds=ASKED):
    """A form that answers `flips` faces otherwise than the reference, whose file has 1,000 bytes."""
    made = result_of(thresholds, faces, lost=flips, candidate_changes={"size_bytes": size_bytes}).candidates[0]
    return Attempt(kept, "mixed", size_bytes, SHA, 0.1 * len(kept), made.comparison, made.verdict)


def refused(*kept):
    return Attempt(kept, "mixed", None, None, 0.0, None, None, "the same answer for all; expected others; look at it")


def search(*attempts, found=None, faces=3589):
    calibration = choose_calibration(made_up_faces(size=12), "made up", 12, 1, count=64)
    everything = attempt(size_bytes=1000, faces=faces)
    return Search(
        "model.keras", SHA, ASKED, DATA, faces, calibration, 32, everything, attempts, TABLE, (), found, {"numpy": "2"}
    )


def test_found_passes_and_the_table_names_the_layers_and_their_cost():
    trials = attempt(flips=200), attempt("logits")
    found = search(*trials, found=trials[1])
    assert found.outcome.exit_code == 0
    said = to_text(found)
    for words in (
        "1 layer in float32: logits",
        "300 bytes, 10.0 % of the multiply-accumulates",
        "flatter it a little",
    ):
        assert words in said
    assert "nothing in float32: agreement: 94.43 %" in said, "why anything is kept at all"
    assert said.index("logits  no int8") < said.index("stem"), "the most sensitive first"
    table = json.loads(found.to_json())
    assert (table["found"], table["outcome"]) == (1, "passed")
    assert table["sensitivity"]["units"][1]["divergence"] is None


def test_nothing_found_fails_with_what_came_nearest_and_what_float32_reaches():
    found = search(attempt(flips=200), attempt("logits", "stem", flips=150), attempt("logits", flips=180))
    assert found.outcome.exit_code == 1
    said = to_text(found)
    assert "nothing passes; with 2: logits, stem in float32: agreement: 95.82 %" in said
    assert "all in float32: 100.00 % accuracy, 1,000 bytes" in said


def test_too_few_faces_for_the_nearest_trial_is_exit_2_and_a_refused_one_is_exit_1():
    undecided = attempt("logits", flips=1, faces=20)
    assert undecided.outcome.value == "could not be judged"
    assert search(attempt(flips=20, faces=20), undecided).outcome.exit_code == 2
    found = search(refused(), refused("logits"))
    assert found.outcome.exit_code == 1
    assert "the same answer for all" in to_text(found)


def test_a_passed_int8_form_that_no_recipe_makes_is_nothing_found():
    """ai-edge-quantizer's form without anything kept passed, TensorFlow's did not, and there is no layer to keep."""
    assert search(attempt(), refused()).outcome.exit_code == 1


def test_answers_hold_where_only_the_cost_is_too_high():
    dear = attempt("stem", size_bytes=900)
    assert (dear.answers_hold, dear.passed) == (True, False)
    assert dear.reason.startswith("size_ratio")
    assert not attempt(flips=200).answers_hold
    assert not refused().answers_hold
    assert attempt().answers_hold


def test_an_attempt_is_judged_or_says_why_not():
    with pytest.raises(ValueError, match="refusal"):
        Attempt((), "mixed", 1, SHA, 0.0, None, None)
