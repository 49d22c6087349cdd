"""Promises of the board's watch: hot is told once, what is over is no trouble, and a board that does not answer holds up nobody."""

import threading
import time
from dataclasses import replace

from edge_runtime.live.board_watch import BoardWatch, trouble_of
from tests.live_world import COOL
from tests.support import wait_for


def test_a_board_around_its_limit_is_not_told_anew_at_each_degree():
    found, before = [], False
    for celsius in (79.0, 80.0, 79.0, 76.0, 74.0, 79.0):
        before = bool(trouble_of(replace(COOL, temperature_c=celsius), before))
        found.append(before)
    assert found == [False, True, True, True, False, False]


def test_what_held_the_board_back_earlier_is_no_trouble_now():
    assert trouble_of(replace(COOL, throttling=("throttling has occurred",))) == ""
    assert trouble_of(replace(COOL, throttling=("throttled", "under-voltage"))) == "throttled, under-voltage"
    assert trouble_of(replace(COOL, temperature_c=None, throttling=None)) == ""


def test_a_board_that_does_not_answer_holds_up_nobody():
    answer = threading.Event()

    def read():
        answer.wait(20)
        return COOL

    watch = BoardWatch(read, every_s=0.01)
    assert (watch.board, watch.trouble, watch.temperature_c) == (None, "", None)
    answer.set()
    wait_for(lambda: watch.temperature_c == COOL.temperature_c)
    began = time.monotonic()
    watch.close()
    assert time.monotonic() - began < 5
