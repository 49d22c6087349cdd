"""What the live loop leaves for others: the newest only, to whoever asks, in time."""

import threading

import numpy as np

from devices.base import Frame
from edge_runtime.live.events import DEGRADED, Event
from edge_runtime.live.hub import KEPT_EVENTS, Hub, Seen
from edge_runtime.live.state import LiveState


def seen(index):
    return Seen(Frame(np.zeros((4, 4, 3), np.uint8), float(index), index), LiveState())


def test_a_slow_reader_gets_the_newest_and_nothing_in_between():
    hub = Hub()
    for index in range(5):
        hub.put(seen(index))
    newest = hub.after(1, timeout_s=0)
    assert (newest.number, newest.frame.index) == (5, 4)
    assert hub.after(newest.number, timeout_s=0) is None


def test_a_waiting_reader_wakes_when_something_comes():
    hub = Hub()
    timer = threading.Timer(0.05, hub.put, [seen(0)])
    timer.start()
    assert hub.after(0, timeout_s=20).number == 1
    timer.join()


def test_closing_wakes_every_reader():
    hub = Hub()
    found = []
    readers = [threading.Thread(target=lambda: found.append(hub.after(0, timeout_s=60))) for _ in range(3)]
    for reader in readers:
        reader.start()
    hub.close()
    for reader in readers:
        reader.join(20)
    assert found == [None, None, None]


def test_events_are_kept_in_order_and_bounded():
    hub = Hub()
    for index in range(KEPT_EVENTS + 5):
        hub.put(seen(index), [Event(DEGRADED, float(index), 0.0)])
    assert len(hub.events_after(0)) == KEPT_EVENTS
    assert [number for number, _ in hub.events_after(KEPT_EVENTS + 3)] == [KEPT_EVENTS + 4, KEPT_EVENTS + 5]


def test_readers_of_pictures_are_counted_while_they_read():
    hub = Hub()
    with hub.watching(), hub.watching():
        assert hub.watchers == 2
    assert hub.watchers == 0
