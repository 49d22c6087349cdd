"""When a camera counts as one that sees no light."""

import pytest

from devices.frame_buffer import Counts
from edge_runtime.live.health import DARK_AFTER_S, _Light


@pytest.fixture
def dark():
    """A camera whose last ten frames were all black."""
    light = _Light()
    assert light.problem(0.0, Counts(produced=10)) == ""
    assert light.problem(1.0, Counts(produced=20, black=10)) == ""
    return light


def test_pictures_are_too_dark_once_they_were_black_for_a_while(dark):
    assert (
        dark.problem(1.0 + DARK_AFTER_S, Counts(produced=30, black=20))
        == "only black pictures: a cap, a shutter, or no light"
    )


def test_torn_frames_say_nothing_of_the_light(dark):
    among_black = Counts(produced=30, dropped=5, refused=5, black=15)
    assert dark.problem(1.0 + DARK_AFTER_S, among_black)
    nothing_else = Counts(produced=40, dropped=15, refused=15, black=15)
    assert dark.problem(2.0 + DARK_AFTER_S, nothing_else)


def test_one_picture_with_light_is_enough(dark):
    assert dark.problem(1.0 + DARK_AFTER_S, Counts(produced=30, black=19)) == ""
    assert dark.problem(2.0 + DARK_AFTER_S, Counts(produced=40, black=29)) == ""
