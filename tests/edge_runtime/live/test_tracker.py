"""Track numbers of a live camera: one person, one number, through jitter, missed detections and irregular frames."""

import numpy as np
import pytest

from edge_runtime.geometry import Box
from edge_runtime.live.tracker import LiveTracker
from edge_runtime.settings.deciding import TrackingSettings


def box(x, y, side=60.0):
    return Box(x - side / 2, y - side / 2, x + side / 2, y + side / 2)


def numbers(tracking):
    return [face.track for face in tracking.faces]


def jittered(random, x, y, side=60.0):
    return box(x + random.normal(0, 0.03 * side), y + random.normal(0, 0.03 * side), side * random.normal(1, 0.03))


@pytest.mark.parametrize("fps", [5, 10, 15, 30])
def test_a_walking_person_keeps_one_number_while_a_third_of_the_detections_is_missed(fps):
    random = np.random.default_rng(fps)
    tracker, seen, time_s = LiveTracker(), set(), 0.0
    for _ in range(20 * fps):
        time_s += random.exponential(1 / fps)
        x = 320 + 160 * np.sin(time_s)
        found = [jittered(random, x, 240)] if random.random() > 1 / 3 else []
        seen |= set(numbers(tracker.update(found, time_s)))
    assert len(seen) == 1


def test_two_people_who_pass_each_other_keep_their_numbers():
    """They meet at the same height; only their directions tell them apart while the detector loses both."""
    tracker, random = LiveTracker(), np.random.default_rng(3)
    for step in range(61):
        time_s = step / 15
        right, left = 100 + 110 * time_s, 540 - 110 * time_s
        hidden = abs(right - left) < 70
        found = [] if hidden else [jittered(random, right, 240), jittered(random, left, 250)]
        order = [1, 0] if step % 2 else [0, 1]
        got = numbers(tracker.update([found[index] for index in order] if found else [], time_s))
        if got:
            assert [got[order.index(0)], got[order.index(1)]] == [1, 2]


def test_who_is_gone_too_long_comes_back_as_somebody_new_and_is_said_to_have_ended():
    tracker = LiveTracker(TrackingSettings(forget_after_s=1))
    assert numbers(tracker.update([box(100, 100)], 0)) == [1]
    assert numbers(tracker.update([box(100, 100)], 0.9)) == [1]
    assert tracker.update([], 1.5).ended == ()
    later = tracker.update([box(100, 100)], 2.0)
    assert (numbers(later), later.ended) == ([2], (1,))
    assert tracker.update([], 3.5).ended == (2,), "the first frame without them may be late enough"
    assert numbers(tracker.update([box(100, 100)], 4)) == [3]
    assert tracker.close() == (3,)
    assert tracker.update([], 5.0).ended == ()


def test_a_machine_with_one_frame_in_two_seconds_does_not_see_somebody_new_in_each():
    random, tracker = np.random.default_rng(7), LiveTracker(TrackingSettings(forget_after_s=1))
    assert {numbers(tracker.update([jittered(random, 100, 100)], 2.0 * step))[0] for step in range(10)} == {1}


def test_somebody_elsewhere_is_not_the_one_who_left():
    tracker = LiveTracker()
    tracker.update([box(100, 100)], 0)
    assert numbers(tracker.update([box(400, 300)], 0.1)) == [2]
    assert numbers(tracker.update([box(100, 100, 60), box(100, 100, 240)], 0.2)) == [1, 3]


def test_a_track_that_was_just_seen_wins_over_one_long_lost():
    tracker = LiveTracker()
    tracker.update([box(100, 100), box(190, 100)], 0)
    for step in range(1, 9):
        tracker.update([box(190, 100)], step / 10)
    assert numbers(tracker.update([box(182, 100)], 0.9)) == [2]


def test_between_detections_faces_are_expected_where_they_are_going():
    tracker = LiveTracker()
    for step in range(10):
        tracker.update([box(100 + 20 * step, 100)], step / 10)
    (face,) = tracker.expected(1.1)
    assert face.box.center[0] == pytest.approx(100 + 200 * 1.1, abs=5)
    assert face.unseen_s == pytest.approx(0.2)
    assert tracker.expected(1.1) == (face,), "looking ahead changes nothing"
    assert tracker.expected(5.0) == ()


def test_a_face_counts_as_a_person_after_the_detections_that_were_asked_for():
    tracker = LiveTracker(TrackingSettings(confirm_detections=3))
    confirmed = [tracker.update([box(100, 100)], step / 10).faces[0].confirmed for step in range(4)]
    assert confirmed == [False, False, True, True]


def test_a_clock_that_stands_or_goes_back_breaks_nothing():
    tracker = LiveTracker()
    for time_s in (1.0, 1.0, 0.5, 1.1):
        assert numbers(tracker.update([box(100, 100)], time_s)) == [1]


def test_an_empty_box_is_refused():
    with pytest.raises(ValueError, match="empty box"):
        LiveTracker().update([Box(5, 5, 5, 9)], 0)


def test_a_crowd_keeps_its_numbers():
    tracker, random = LiveTracker(), np.random.default_rng(5)
    places = [(80 + 110 * column, 80 + 110 * row) for row in range(4) for column in range(5)]
    for step in range(20):
        order = random.permutation(len(places))
        got = numbers(tracker.update([jittered(random, *places[index]) for index in order], step / 10))
        if step == 0:
            first = dict(zip(order.tolist(), got, strict=True))
        assert dict(zip(order.tolist(), got, strict=True)) == first
