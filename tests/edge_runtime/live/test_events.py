"""Few events say what happened; nothing in them links a person of one session to one of another."""

import pytest

from edge_runtime.clock import ManualClock
from edge_runtime.live.events import Event, Reporter
from edge_runtime.live.smoothing import UNCERTAIN, Decision


def decision(label, reason=""):
    return Decision(label, 0.8, {"happy": 0.8, "sad": 0.2}, reason, 0.0)


def test_a_visit_is_told_in_as_many_events_as_its_label_changed():
    reporter = Reporter(ManualClock())
    told = []
    for label in (UNCERTAIN, UNCERTAIN, "happy", "happy", "sad", "sad"):
        told += reporter.faces({1: decision(label, "settling" if label == UNCERTAIN else "")})
    told += reporter.faces({}, ended=[1, 7])
    assert [(event.kind, event.label) for event in told] == [
        ("appeared", UNCERTAIN),
        ("changed", "happy"),
        ("changed", "sad"),
        ("left", "sad"),
    ]
    assert told[0].reason == "settling"
    assert len({event.track for event in told}) == 1


def test_names_of_people_are_random_in_every_session():
    names = set()
    for _ in range(20):
        reporter = Reporter(ManualClock())
        names |= {event.track for event in reporter.faces({1: decision("happy"), 2: decision("sad")})}
        assert reporter.name_of(1) in names
        assert reporter.name_of(3) == ""
    assert len(names) == 40


def test_an_outage_is_two_events_however_long_it_lasts():
    clock = ManualClock()
    reporter = Reporter(clock)
    told = reporter.fault("camera", "no frame for 3 s")
    for second in range(100):
        told += reporter.fault("camera", f"no frame for {second} s")
    assert reporter.faults == {"camera": "no frame for 99 s"}
    clock.pass_time(100)
    told += reporter.fault("camera", "")
    told += reporter.fault("camera", "")
    assert [(event.kind, event.label) for event in told] == [("degraded", "camera"), ("recovered", "camera")]
    assert told[1].monotonic_s - told[0].monotonic_s == 100
    assert reporter.faults == {}


def test_an_unknown_kind_of_event_is_refused():
    with pytest.raises(ValueError, match="appeared, changed"):
        Event("vanished", 0, 0)
