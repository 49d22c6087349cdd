import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.geometry import Box, iou

sides = st.floats(-1000, 1000, allow_nan=False)


def boxes():
    return st.tuples(sides, sides, sides, sides).map(
        lambda s: Box(min(s[0], s[2]), min(s[1], s[3]), max(s[0], s[2]), max(s[1], s[3]))
    )


@given(boxes(), boxes())
def test_overlap_is_symmetric_and_a_share(a, b):
    assert iou(a, b) == iou(b, a)
    assert 0 <= iou(a, b) <= 1 + 1e-9


def test_overlap_of_a_box_with_itself_is_one_and_with_a_far_one_zero():
    box = Box(10, 20, 30, 60)
    assert iou(box, box) == 1
    assert iou(box, Box(100, 100, 110, 110)) == 0
    assert iou(Box(5, 5, 5, 5), Box(5, 5, 5, 5)) == 0


def test_half_shifted_box_overlaps_by_a_third():
    assert iou(Box(0, 0, 10, 10), Box(5, 0, 15, 10)) == pytest.approx(1 / 3)


@pytest.mark.parametrize("sides", [(10, 0, 0, 10), (0, 10, 10, 0), (0, 0, math.nan, 1), (0, 0, math.inf, 1)])
def test_crossed_or_infinite_boxes_are_refused(sides):
    with pytest.raises(ValueError, match="expected finite"):
        Box(*sides)
