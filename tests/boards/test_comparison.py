"""What "the same bits" means: int8 to the last one, floats within a tolerance, and never a pass without answers."""

from pathlib import Path

import numpy as np
import pytest

from boards.comparison import FLOAT_TOLERANCE, compare, differences
from boards.old_runtime import why
from boards.subjects import Subject
from boards.trial import Answer

RANDOM = np.random.default_rng(3)
FACES = RANDOM.dirichlet(np.ones(7), 20).astype(np.float32)


def answer(probabilities=FACES, arithmetic="int8", passed=True, detector=False, line="passed: 8 golden faces"):
    subject = Subject("made", Path("made"), detector, arithmetic, True)
    return Answer(subject, passed, line, True, probabilities)


def moved(by):
    other = FACES.copy()
    other[4, 2] += by
    return other


def test_int8_agrees_only_to_the_last_bit():
    assert compare(answer(), answer()).agrees
    assert compare(answer(), answer()).verdict == "bit-exact"
    least = FACES.copy()
    least[4, 2] = np.nextafter(least[4, 2], np.float32(2))
    found = compare(answer(least), answer())
    assert (found.agrees, found.differing, found.decisions) == (False, 1, 0)
    assert found.verdict == "1 of 20 faces differ: FAILED"


def test_float_agrees_within_its_tolerance_and_with_the_same_decisions():
    assert compare(answer(moved(FLOAT_TOLERANCE / 4), "float32"), answer(arithmetic="float32")).agrees
    assert not compare(answer(moved(FLOAT_TOLERANCE * 4), "float32"), answer(arithmetic="float32")).agrees
    near = np.full((3, 7), 1 / 7, np.float32)
    tipped = near.copy()
    tipped[1, 5] += 1e-6
    found = compare(answer(tipped, "float32"), answer(near, "float32"))
    assert (found.agrees, found.decisions) == (False, 1)


def test_a_failed_self_test_fails_though_the_faces_are_alike():
    found = compare(answer(passed=False), answer())
    assert not found.agrees
    assert found.verdict == "bit-exact, but its self-test FAILED"


@pytest.mark.parametrize("broken", [FACES[:10], FACES[:, :6], np.full_like(FACES, np.nan)])
def test_answers_of_another_shape_or_none_at_all_never_pass(broken):
    assert differences(broken, FACES) == (20, 20, 1.0)
    assert not compare(answer(broken, "float32"), answer(arithmetic="float32")).agrees


def test_a_classifier_without_answers_has_failed_and_a_detector_is_judged_by_its_self_test():
    assert compare(answer(None), answer()).verdict == "FAILED"
    assert not compare(answer(None), answer(None)).agrees
    assert compare(answer(None, detector=True), answer(None, detector=True)).verdict == "self-test passed"
    assert not compare(answer(None, detector=True, passed=False), answer(None, detector=True)).agrees
    moved_detector = answer(None, detector=True, line="passed: same decisions")
    assert not compare(moved_detector, answer(None, detector=True)).agrees


def test_why_bits_differ_is_said_only_where_it_was_found_out():
    alike, differing = compare(answer(), answer()), compare(answer(moved(0.1)), answer())
    assert why(alike, None) == "no bit differs"
    assert why(differing, True).startswith("no XNNPACK: today's runtime without it gives the same bits")
    assert "differs too" in why(differing, False)
    assert why(differing, None) == "not found out"
