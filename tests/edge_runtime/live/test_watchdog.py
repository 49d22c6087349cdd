"""Signs of life are earned: a fake service manager hears READY after the first result, pings in time, and silence after a hang."""

import itertools
import os
import socket

import pytest

from edge_runtime.clock import ManualClock
from edge_runtime.live.watchdog import Watchdog

WATCHDOG_S = 30.0


class Manager:
    """The other end of $NOTIFY_SOCKET."""

    def __init__(self, address):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)
        self._socket.setblocking(False)

    def heard(self):
        messages = []
        while True:
            try:
                messages.append(self._socket.recv(4096).decode().splitlines())
            except BlockingIOError:
                return messages

    def close(self):
        self._socket.close()


@pytest.fixture
def manager(tmp_path):
    manager = Manager(str(tmp_path / "notify"))
    yield manager
    manager.close()


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def watchdog(tmp_path, clock, manager):
    environment = {
        "NOTIFY_SOCKET": str(tmp_path / "notify"),
        "WATCHDOG_USEC": str(round(WATCHDOG_S * 1e6)),
        "WATCHDOG_PID": str(os.getpid()),
    }
    return Watchdog.from_environment(environment, clock)


def test_ready_is_said_after_the_first_result_and_once(watchdog, manager, clock):
    clock.pass_time(5)
    assert manager.heard() == []
    for _ in range(20):
        watchdog.result("14 frames a second")
        clock.pass_time(0.1)
    assert manager.heard() == [["READY=1", "STATUS=14 frames a second"]]


@pytest.mark.parametrize("fps", [0.2, 1, 30])
def test_pings_come_at_half_the_interval_at_most_and_not_with_every_frame(watchdog, manager, clock, fps):
    watchdog.result()
    manager.heard()
    times = [clock.monotonic()]
    for _ in range(round(300 * fps)):
        clock.pass_time(1 / fps)
        watchdog.result()
        if ["WATCHDOG=1"] in manager.heard():
            times.append(clock.monotonic())
    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert max(gaps) <= WATCHDOG_S / 2
    assert len(gaps) <= 300 / (WATCHDOG_S / 4) + 1


def test_a_hang_is_silence(watchdog, manager, clock):
    for _ in range(100):
        watchdog.result()
        clock.pass_time(1)
    assert manager.heard()
    clock.pass_time(10 * WATCHDOG_S)  # the loop hangs: nobody calls, and no thread speaks for it
    assert manager.heard() == []


def test_a_declared_degraded_state_lives_and_says_why(watchdog, manager, clock):
    watchdog.result()
    manager.heard()
    pings, statuses = 0, []
    for second in range(120):
        clock.pass_time(1)
        watchdog.degraded("camera lost" if second < 60 else "camera busy")
        for message in manager.heard():
            pings += "WATCHDOG=1" in message
            statuses += [line for line in message if line.startswith("STATUS=")]
    assert pings >= 120 / (WATCHDOG_S / 2)
    assert statuses == ["STATUS=camera lost", "STATUS=camera busy"]


def test_before_the_first_result_a_missing_camera_asks_for_time_and_claims_nothing(watchdog, manager, clock):
    for _ in range(100):
        watchdog.degraded("no camera")
        clock.pass_time(1)
    heard = manager.heard()
    assert not any("READY=1" in message or "WATCHDOG=1" in message for message in heard)
    assert sum(message[0].startswith("EXTEND_TIMEOUT_USEC=") for message in heard) == len(heard) == 10
    watchdog.result()
    assert manager.heard() == [["READY=1"]]


def test_a_status_that_changes_with_every_frame_is_told_once_a_second(watchdog, manager, clock):
    for number in range(300):
        watchdog.result(f"{number} frames")
        clock.pass_time(0.01)
    assert len(manager.heard()) <= 4


def test_the_end_is_said(watchdog, manager):
    watchdog.stopping()
    assert manager.heard()[0][0] == "STOPPING=1"


def test_an_abstract_socket_is_understood(clock):
    name = f"fer-edge-test-{os.getpid()}"
    manager = Manager(f"\0{name}")
    try:
        Watchdog(f"@{name}", 30.0, clock).result()
        assert manager.heard() == [["READY=1"]]
    finally:
        manager.close()


def test_without_a_service_manager_nothing_happens(clock, tmp_path):
    for watchdog in (
        Watchdog.from_environment({}, clock),
        Watchdog(str(tmp_path / "nobody"), 30.0, clock),
        Watchdog.from_environment({"WATCHDOG_USEC": "nonsense"}, clock),
    ):
        watchdog.result()
        clock.pass_time(100)
        watchdog.degraded("x")
        watchdog.stopping()


def test_another_process_watchdog_is_not_ours(tmp_path, manager, clock):
    environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}
    watchdog = Watchdog.from_environment(environment, clock)
    watchdog.result()
    clock.pass_time(100)
    watchdog.result()
    assert manager.heard() == [["READY=1"]]
