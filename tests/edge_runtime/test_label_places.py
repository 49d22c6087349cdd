"""Labels of faces stand beside their boxes, inside the picture, and hide neither faces nor each other where there is room."""

import itertools

import pytest

from edge_runtime.sinks.label_places import place_label

CANVAS = (400, 300)
SIZE = (90, 20)


def shared(one, other):
    return max(0, min(one[2], other[2]) - max(one[0], other[0])) * max(0, min(one[3], other[3]) - max(one[1], other[1]))


def test_a_label_stands_above_its_face_and_below_one_at_the_upper_border():
    assert place_label((100, 100, 160, 180), SIZE, CANVAS, [(100, 100, 160, 180)]) == (100, 80, 190, 100)
    assert place_label((100, 5, 160, 85), SIZE, CANVAS, [(100, 5, 160, 85)]) == (100, 85, 190, 105)


@pytest.mark.parametrize("box", [(-40, -40, 60, 60), (350, 250, 450, 350), (0, 0, 400, 300), (10, 10, 11, 11)])
def test_it_stays_within_the_picture(box):
    left, top, right, bottom = place_label(box, SIZE, CANVAS, [box])
    assert (right - left, bottom - top) == SIZE
    assert left >= 0
    assert top >= 0
    assert right <= CANVAS[0]
    assert bottom <= CANVAS[1]


def test_labels_of_a_row_of_people_hide_no_face_and_no_other_label():
    boxes = [(20 + 60 * at, 100 + 25 * (at % 2), 60 + 60 * at, 150 + 25 * (at % 2)) for at in range(6)]
    taken = list(boxes)
    for box in boxes:
        taken.append(place_label(box, SIZE, CANVAS, taken))
    assert all(shared(one, other) == 0 for one, other in itertools.combinations(taken, 2))


def test_where_every_place_hides_something_the_one_that_hides_least_is_taken():
    wall = [(0, 0, 400, 95), (0, 195, 400, 300), (190, 95, 400, 195), (0, 95, 92, 195)]
    place = place_label((100, 100, 190, 190), SIZE, CANVAS, [*wall, (100, 100, 190, 190)])
    hidden = sum(shared(place, other) for other in [*wall, (100, 100, 190, 190)])
    assert hidden < SIZE[0] * SIZE[1]
