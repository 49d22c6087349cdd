"""The live loop never waits for a disk; what a disk cannot take waits, bounded, and losses are counted to the last one."""

import threading
import time

from edge_runtime.clock import ManualClock
from edge_runtime.live.events import Event
from edge_runtime.sinks.background import Background, MemoryStore
from edge_runtime.sinks.event_log import EventLog
from edge_runtime.sinks.log_reading import Selection, read_events
from tests.support import wait_for


def event(label):
    return Event("changed", 0.0, 0.0, "aaaa", str(label), 0.5)


def keeper(store, most_waiting=100):
    return Background(store.open, most_waiting, first_wait_s=0.01, most_wait_s=0.02)


def test_events_are_kept_in_order_and_close_waits_for_them():
    store = MemoryStore()
    background = keeper(store, 1000)
    for number in range(700):
        background.put([event(number)])
    end = background.close()
    assert [item.label for item in store.events] == [str(number) for number in range(700)]
    assert (end.kept, end.lost, end.waiting, end.problem) == (700, 0, 0, "")
    background.put([event("late")])
    assert background.close().lost == 1


def test_a_full_disk_costs_only_what_memory_cannot_hold_and_says_why():
    store = MemoryStore()
    background = keeper(store)
    background.put([event("before")])
    wait_for(lambda: background.state().kept == 1)
    store.broken = "no space left"
    background.put([event(number) for number in range(250)])
    wait_for(lambda: "no space left" in background.state().problem)
    assert background.state().offered == 251
    assert background.state().lost == 150
    store.broken = ""
    wait_for(lambda: background.state().waiting == 0)
    end = background.close()
    assert [item.label for item in store.events] == ["before", *map(str, range(150, 250))]
    assert (end.kept, end.lost, end.problem) == (101, 150, "")


def test_a_store_that_cannot_be_opened_is_tried_again():
    store = MemoryStore()
    store.broken = "no folder"
    background = keeper(store)
    background.put([event(1)])
    wait_for(lambda: store.opened >= 3)
    store.broken = ""
    wait_for(lambda: background.state().kept == 1)
    background.close()


def test_a_disk_that_stands_still_delays_nobody():
    store = MemoryStore()
    background = keeper(store)
    store.stuck.set()
    began = time.monotonic()
    for number in range(1000):
        background.put([event(number)])
    state = background.state()
    assert time.monotonic() - began < 2
    assert state.offered == 1000
    assert state.waiting <= 100 + 1
    end = background.close(timeout_s=0.05)
    assert end.offered == 1000
    store.stuck.clear()


def test_a_whole_log_behind_it_works_from_its_own_thread(tmp_path):
    path = tmp_path / "later" / "events.db"
    background = Background(lambda: EventLog(path, clock=ManualClock()), first_wait_s=0.01, most_wait_s=0.02)
    background.put([event(1)])
    wait_for(lambda: "later" in background.state().problem)
    path.parent.mkdir()
    wait_for(lambda: background.state().kept == 1)
    background.close()
    assert [item["label"] for item in read_events(path, Selection())] == ["1"]
    assert "event log" not in {thread.name for thread in threading.enumerate()}
