"""The interval of an accuracy."""

import pytest

from edge_runtime.intervals import Interval, accuracy_interval


@pytest.mark.parametrize(
    ("correct", "count", "low", "high"),
    [
        (15, 148, 0.0624, 0.1605),  # Newcombe 1998, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_interval_is_that_of_the_literature(correct, count, low, high):
    interval = accuracy_interval(correct, count)
    assert interval.low == pytest.approx(low, abs=5e-5)
    assert interval.high == pytest.approx(high, abs=5e-5)


@pytest.mark.parametrize("count", [1, 7, 3589, 10**9])
def test_interval_stays_within_nought_and_one_and_holds_the_accuracy(count):
    for correct in {0, 1, count // 2, count - 1, count}:
        interval = accuracy_interval(correct, count)
        assert 0 <= interval.low <= correct / count <= interval.high <= 1
        assert interval.low < interval.high


def test_more_faces_make_it_narrower():
    widths = [
        high - low for low, high in ((i.low, i.high) for i in (accuracy_interval(7 * n, 10 * n) for n in (1, 10, 100)))
    ]
    assert widths == sorted(widths, reverse=True)


@pytest.mark.parametrize(("correct", "count"), [(0, 0), (-1, 3), (4, 3)])
def test_impossible_counts_are_refused(correct, count):
    with pytest.raises(ValueError, match="expected at least one face"):
        accuracy_interval(correct, count)


def test_interval_is_read_as_per_cent():
    assert str(Interval(0.6179, 0.65)) == "61.8 to 65.0 %"


@pytest.mark.parametrize(("low", "high"), [(0.6, 0.5), (-0.1, 0.5), (0.5, 1.1)])
def test_an_interval_checks_itself(low, high):
    with pytest.raises(ValueError, match="expected 0 <= low"):
        Interval(low, high)
