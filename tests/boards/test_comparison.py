"""What "the same bits" means: int8 to the last one before the softmax, floats within a tolerance, never a pass without answers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from boards.arm64 import conclusion
from boards.comparison import FLOAT_TOLERANCE, Difference, compare, difference
from boards.old_runtime import why
from boards.subjects import Subject
from boards.trial import Answer, Stages

RANDOM = np.random.default_rng(3)
CROPS = RANDOM.integers(0, 200, (20, 8, 8, 1), dtype=np.uint8)
LOGITS = RANDOM.integers(-100, 100, (20, 7), dtype=np.int8)
ANSWERS = np.minimum(np.round(RANDOM.dirichlet(np.ones(7), 20) * 255), 250).astype(np.uint8)
SUBJECT = Subject("made", Path("made"), False, "int8", True)


def answer(crops=CROPS, logits=LOGITS, answers=ANSWERS, arithmetic="int8", **how):
    scale = np.float32(1 if answers.dtype.kind == "f" else 1 / 256)
    made = Answer(
        replace(SUBJECT, arithmetic=arithmetic),
        True,
        "passed: 8 golden faces",
        True,
        answers.astype(np.float32) * scale,
        Stages(crops, logits, answers),
    )
    return replace(made, **how)


def moved(values, by):
    other = values.copy()
    place = other[4].argmin() if other.ndim == 2 else (0, 0, 0)
    other[4][place] += by
    return other


def test_no_bit_differs_is_bit_exact():
    found = compare(answer(), answer())
    assert (found.exact, found.agrees, found.verdict) == (True, True, "bit-exact")


def test_int8_agrees_only_with_every_bit_before_the_softmax():
    found = compare(answer(logits=moved(LOGITS, 1)), answer())
    assert (found.agrees, found.logits) == (False, Difference(1, 1.0))
    assert found.verdict == "FAILED: differs in arithmetic"


def test_a_softmax_that_is_off_by_one_step_agrees_and_is_said_and_two_steps_fail():
    one, two = (compare(answer(answers=moved(ANSWERS, steps)), answer()) for steps in (1, 2))
    assert (one.agrees, one.exact, one.verdict) == (True, False, "differs in the softmax by 1 step")
    assert (two.agrees, two.verdict) == (False, "FAILED: differs in the softmax by 2 step")


def test_crops_may_differ_by_one_level_and_no_more():
    one, two = (compare(answer(crops=moved(CROPS, levels)), answer()) for levels in (1, 2))
    assert (one.agrees, one.verdict) == (True, "differs in crops by 1 level")
    assert not two.agrees


def test_another_label_fails_however_near_the_answers_are():
    near = np.full((20, 7), 100, np.uint8)
    tipped = moved(near, 0)
    tipped[4, 5] += 1
    found = compare(answer(answers=tipped), answer(answers=near))
    assert (found.agrees, found.decisions) == (False, 1)


def test_float_agrees_within_its_tolerance():
    real = (ANSWERS / 256).astype(np.float32)

    def made(values):
        return answer(logits=values, answers=values, arithmetic="float32")

    assert compare(made(moved(real, FLOAT_TOLERANCE / 4)), made(real)).agrees
    assert not compare(made(moved(real, FLOAT_TOLERANCE * 4)), made(real)).agrees


def test_a_failed_self_test_fails_though_all_is_alike():
    found = compare(answer(passed=False), answer())
    assert (found.agrees, found.verdict) == (False, "FAILED: bit-exact")


@pytest.mark.parametrize(
    "broken", [ANSWERS[:10], ANSWERS[:, :6], ANSWERS.astype(np.int8), np.full(ANSWERS.shape, np.nan, np.float32)]
)
def test_answers_of_another_shape_or_none_at_all_never_pass(broken):
    assert difference(broken, ANSWERS) == Difference(20, float("inf"))
    assert not compare(answer(answers=broken), answer()).agrees


def test_a_classifier_without_answers_has_failed_and_a_detector_is_judged_by_its_self_test():
    silent = answer(stages=None, probabilities=None)
    assert compare(silent, answer()).verdict == "FAILED"
    assert compare(silent, silent).verdict == "FAILED"
    detector = replace(silent, subject=replace(SUBJECT, detector=True))
    assert compare(detector, detector).verdict == "self-test passed"
    assert not compare(replace(detector, passed=False), detector).agrees
    assert not compare(replace(detector, selftest="passed: same decisions"), detector).agrees


def test_the_last_line_says_bit_exact_only_where_no_bit_differs():
    exact, softened = compare(answer(), answer()), compare(answer(answers=moved(ANSWERS, 1)), answer())
    broken = compare(answer(logits=moved(LOGITS, 1)), answer())
    assert conclusion([exact, exact], ["a72", "a76"]) == "bit-exact: every int8 bundle on a72 and a76"
    said = conclusion([exact, softened], ["a72", "a76"])
    assert said.startswith("arithmetic bit-exact: every int8 bundle on a72 and a76, up to the softmax; the softmax")
    assert "1 of 40 answers" in said
    assert conclusion([exact, broken], ["a72"]) == "FAILED: made"
    assert "no int8 classifier" in conclusion([], ["a72"])


def test_why_bits_differ_is_said_only_where_it_was_found_out():
    exact, differing = compare(answer(), answer()), compare(answer(answers=moved(ANSWERS, 9)), answer())
    assert why(exact, None) == "no bit differs"
    assert why(compare(answer(crops=moved(CROPS, 1)), answer()), None) == "the crops: another OpenCV"
    assert why(differing, True).startswith("no XNNPACK: today's runtime without it gives the same bits")
    assert "differs too" in why(differing, False)
    assert why(differing, None) == "not found out"
