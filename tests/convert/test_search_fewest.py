"""The fewest units that are enough, found with few questions: no model is needed to hold that."""

import itertools

import numpy as np
import pytest

from convert.search.fewest import find_fewest
from convert.search.sensitivity import Sensitivity, measure_sensitivity, most_sensitive_first

ORDER = [f"u{number}" for number in range(40)]


class Judge:
    """Passes a set that holds all of `needed`; remembers what it was asked."""

    def __init__(self, *needed):
        self.needed, self.asked = set(needed), []

    def __call__(self, kept):
        assert kept not in self.asked, "no set is judged twice"
        self.asked.append(kept)
        return self.needed <= kept


@pytest.mark.parametrize("needed", [["u0"], ["u1"], ["u0", "u1", "u2"], ["u2", "u17"], ["u39"], ["u0", "u20", "u38"]])
def test_exactly_the_needed_units_are_found_wherever_they_stand_in_the_order(needed):
    judge = Judge(*needed)
    assert find_fewest(ORDER, judge) == set(needed)


def test_few_needed_units_among_hundreds_take_few_trials():
    order = [f"u{number}" for number in range(250)]
    judge = Judge("u0", "u2", "u3")
    assert find_fewest(order, judge) == {"u0", "u2", "u3"}
    assert len(judge.asked) <= 8


def test_every_subset_of_six_is_found_whatever_is_needed():
    order = ORDER[:6]
    for needed in itertools.chain.from_iterable(itertools.combinations(order, size) for size in range(1, 6)):
        assert find_fewest(order, Judge(*needed)) == set(needed)


def test_many_needed_units_take_doubling_halving_and_one_trial_each():
    order = [f"u{number}" for number in range(250)]
    judge = Judge(*order[:33])
    assert find_fewest(order, judge) == set(order[:33])
    assert len(judge.asked) == 7 + 5 + 32, "1, 2, 4 … 64; 48, 40, 36, 34, 33; each of the first 32 left out"


def test_nothing_is_found_where_even_the_most_that_may_be_kept_are_not_enough():
    judge = Judge("u39")
    assert find_fewest(ORDER, judge, most=39) is None
    assert max(map(len, judge.asked)) == 39, "the most was tried before giving up"
    assert find_fewest(ORDER, Judge(), most=0) is None
    assert find_fewest([], Judge()) is None


def test_one_unit_is_kept_at_least_where_fewer_are_not_allowed():
    judge = Judge()
    assert find_fewest(ORDER, judge) == {"u0"}
    assert judge.asked == [{"u0"}]


def test_either_of_two_interchangeable_units_is_dropped_and_the_other_stays():
    """Which one is open; that one of them goes is not."""
    assert len(find_fewest(ORDER, lambda kept: bool(kept & {"u2", "u5"}) and "u7" in kept)) == 2


def sensitivity(name, divergence, macs=1, refused=""):
    return Sensitivity(name, ("CONV_2D",), macs, divergence, None if refused else 1.0, None, refused)


def test_units_without_an_int8_form_come_first_and_cheap_ones_before_equal_ones():
    table = [
        sensitivity("mild", 0.1),
        sensitivity("dear", 0.5, macs=9),
        sensitivity("cheap", 0.5, macs=2),
        sensitivity("still", 0.0),
        sensitivity("broken", None, refused="NaN"),
    ]
    assert [each.name for each in most_sensitive_first(table)] == ["broken", "cheap", "dear", "mild", "still"]


def test_answers_that_are_equal_far_apart_and_broken_are_told_apart():
    reference = np.array([[0.9, 0.1], [0.2, 0.8]], np.float32)
    assert measure_sensitivity(reference, reference) == (0.0, 1.0)
    divergence, agreement = measure_sensitivity(reference, reference[:, ::-1].copy())
    assert 0.2 < divergence < 1
    assert agreement == 0.0
    broken = reference.copy()
    broken[1, 0] = np.nan
    assert "for 1 of 2 faces" in measure_sensitivity(reference, broken)
    assert "no probability" in measure_sensitivity(reference, np.zeros_like(reference))


def test_a_sensitivity_without_answers_says_why():
    with pytest.raises(ValueError, match="refusal"):
        sensitivity("x", None)
