"""Promises of the single stream: enough frames and time, every stage, and INVALID with the reason for each broken rule."""

import json
import threading
import time
from dataclasses import replace

import pytest

from edge_runtime.live import single_stream
from edge_runtime.live.single_stream import AGE, TOTAL, measure
from edge_runtime.live.surroundings import Surroundings
from tests.live_world import COOL, Boxes, settings
from tests.support import TINY_GREY, fer_edge


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Rules that a test can keep."""
    monkeypatch.setattr(single_stream, "LEAST_FRAMES", 30)
    monkeypatch.setattr(single_stream, "LEAST_S", 0.3)
    monkeypatch.setattr(single_stream, "WARM_UP_FRAMES", 5)


def measured(source="synthetic?size=64x48&fps=120", detector=None, read=lambda: COOL, most_s=20.0, stop=None):
    around = Surroundings(detector=detector or Boxes())
    return measure(settings(source), 0.5, stop or threading.Event(), most_s, around, read)


def test_a_run_that_keeps_every_rule_is_valid_and_has_each_stage():
    result = measured()
    assert result.broken == ()
    assert result.frames >= 30
    assert result.seconds >= 0.5
    assert list(result.stages) == [*single_stream.STAGES, TOTAL, AGE]
    for values in result.stages.values():
        assert 0 <= values.p50_ms <= values.p90_ms <= values.p99_ms
    assert result.stages[AGE].p50_ms >= result.stages[TOTAL].p50_ms
    assert {moment.temperature_c for moment in result.warmth} == {45.0}


def test_it_goes_on_until_frames_and_seconds_are_both_enough():
    slow = measured(detector=Boxes(pause_s=0.03))
    assert slow.valid
    assert slow.frames >= 30
    assert slow.seconds >= 30 * 0.03


def _stopped():
    stop = threading.Event()
    threading.Timer(0.6, stop.set).start()
    return stop


def _throttling_later():
    boards = [COOL, replace(COOL, throttling=("throttling has occurred",))]
    return lambda: boards.pop(0) if len(boards) > 1 else boards[0]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"most_s": 0.35}, "frames, fewer than 30"),
        ({"detector": Boxes(boxes=())}, "a face in 0 of"),
        ({"source": "synthetic?size=64x48&fps=120&fault=torn@0.2s:0.1"}, "torn or of a wrong size"),
        ({"source": "synthetic?size=64x48&fps=120&fault=die@0.2s:0.2"}, "camera degraded"),
        ({"read": _throttling_later()}, "throttling has occurred during the run"),
        ({"read": lambda: replace(COOL, temperature_c=90.0)}, "board degraded: 90 °C"),
    ],
)
def test_a_broken_rule_makes_it_invalid(more, said):
    result = measured(**more)
    assert not result.valid
    assert any(said in reason for reason in result.broken), result.broken


def test_an_interrupted_run_is_invalid(monkeypatch):
    monkeypatch.setattr(single_stream, "LEAST_FRAMES", 10_000)
    began = time.monotonic()
    result = measured(stop=_stopped())
    assert time.monotonic() - began < 20
    assert "interrupted" in result.broken


def test_the_command_prints_the_verdict_and_fails_where_it_is_invalid():
    arguments = ("bench", "--seconds", 1, "--source", "synthetic?size=320x240", "--bundle", TINY_GREY)
    outcome = fer_edge(*arguments, "--json")
    facts = json.loads(outcome.stdout)
    assert outcome.returncode == 1
    assert facts["verdict"] == "INVALID"
    assert any("fewer than 1024" in reason for reason in facts["broken"])
    assert {"detect", "classify", "total", "age"} <= set(facts["stages"]) or facts["frames"] == 0
    assert "INVALID" in fer_edge(*arguments).stdout
