"""Promises of a camera that stalls, freezes, dies, vanishes or does not stop: the shipped fake does all of it."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from devices.base import Deadlines
from devices.cameras.synthetic import number_in
from devices.errors import CameraError, CameraSetupError
from devices.worker import CameraWorker, Phase
from tests.support import ROOT

SMALL = "synthetic?size=160x120&fps=30"
LATE_S = 12.0
"""What a machine under load may need for what takes two or three seconds on an idle one; `benchmarks.endurance_cameras` times it."""


class Watch:
    """Drives a source and notes when it was lost and when it came back, its faults, and its frames' numbers."""

    def __init__(self, source):
        self.source = source
        self.lost_s, self.back_s, self.numbers, self.faults = [], [], [], []
        self._phase = source.state.phase

    def step(self, pause_s=0.0):
        frame = self.source.newest(0.05)
        if frame is not None:
            self.numbers.append((frame.index, number_in(frame.image)))
        state = self.source.state
        if state.phase is Phase.LOST and self._phase is not Phase.LOST:
            self.lost_s.append(time.monotonic())
            self.faults.append(state.fault)
        if state.phase is Phase.LIVE and self._phase is Phase.LOST:
            self.back_s.append(time.monotonic())
        self._phase = state.phase
        time.sleep(pause_s)

    def run(self, seconds, pause_s=0.0):
        """For so long, counted from now."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.step(pause_s)
        return self

    def until(self, condition, seconds=60.0):
        """Until then, on a machine that is as slow as it likes."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"it did not come about: {self.source.state}"
            self.step()
        return self

    def until_phase(self, phase):
        return self.until(lambda: self.source.state.phase is phase)


class Switch:
    """A fault that begins and ends when the test says so: its file."""

    def __init__(self, folder, name="fault"):
        self.file = folder / name

    def on(self):
        self.file.touch()
        return time.monotonic()

    def off(self):
        self.file.unlink()
        return time.monotonic()


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        ("stall", "no frame for"),
        ("lost stop", "not there"),
        ("die", "SIGKILL"),
        ("freeze", "no frame for"),
        ("size", "of 80 × 60 pixels"),
    ],
)
def test_a_fault_is_reported_in_time_and_the_camera_back_soon_after_its_end(kinds, said, tmp_path, caplog):
    switch = Switch(tmp_path)
    with CameraWorker(f"{SMALL}&fault={','.join(f'{kind}@{switch.file}' for kind in kinds.split())}") as source:
        watch = Watch(source).until_phase(Phase.LIVE)
        began_s = switch.on()
        watch.until_phase(Phase.LOST)
        ended_s = switch.off()
        watch.until_phase(Phase.LIVE)
        counts = source.state.counts
    (lost_s,), (back_s,) = watch.lost_s, watch.back_s
    assert lost_s - began_s < LATE_S
    assert back_s - ended_s < LATE_S
    assert said in watch.faults[0]
    assert source.state.outages == 1
    assert counts.produced == counts.delivered + counts.dropped
    assert [(" lost: " in line, " back after " in line) for line in caplog.messages] == [(True, False), (False, True)]


def test_five_outages_leave_no_process_thread_or_descriptor_behind(tmp_path):
    def held():
        return len(os.listdir("/proc/self/fd")), threading.active_count()

    before = held()
    switches = [Switch(tmp_path, kind) for kind in ("lost", "die")]
    faults = ",".join(f"{switch.file.name}@{switch.file}" for switch in switches)
    with CameraWorker(f"{SMALL}&fault={faults}") as source:
        watch = Watch(source).until_phase(Phase.LIVE)
        while_live = held()
        for switch in (*switches, *switches, switches[0]):
            switch.on()
            watch.until_phase(Phase.LOST)
            switch.off()
            watch.until_phase(Phase.LIVE)
        watch.until(lambda: held() == while_live)
    assert len(watch.lost_s) == len(watch.back_s) == 5
    assert held() == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
    indices = [index for index, _ in watch.numbers]
    assert indices == sorted(set(indices))


def test_frames_produced_are_frames_delivered_and_dropped_to_the_last_one():
    with CameraWorker("synthetic?size=160x120&fps=0") as source:
        watch = Watch(source).until_phase(Phase.LIVE).run(1.0, pause_s=0.01)
        index, last = watch.numbers[-1]
    counts = source.state.counts
    assert index == last, "the camera's own numbers say the same as ours"
    assert counts.delivered == len(watch.numbers)
    missing = last + 1 - len(watch.numbers)
    assert missing > 100
    assert counts.dropped - missing == counts.produced - (last + 1) >= 0
    assert all(number is not None for _, number in watch.numbers)


def test_torn_frames_reach_nobody_and_black_ones_are_counted():
    with CameraWorker(f"{SMALL}&fault=torn@20:0.5,black@38:0.5") as source:
        watch = Watch(source)
        watch.until(lambda: watch.numbers and watch.numbers[-1][0] > 55)
        counts = source.state.counts
    assert source.state.outages == 0
    assert (counts.refused, counts.black) == (15, 15)
    assert not {number for _, number in watch.numbers} & set(range(20, 35))


@pytest.mark.parametrize("fault", ["freeze@0", "open@0", "stop@0"])
def test_closing_ends_in_time_whatever_the_camera_does(fault):
    source = CameraWorker(f"{SMALL}&fault={fault}")
    pid, started_s = source._child.pid, source.epoch_s
    Watch(source).until(lambda: source.epoch_s != started_s).run(0.2)
    began = time.monotonic()
    source.close()
    source.close()
    assert time.monotonic() - began < 5
    assert not Path(f"/proc/{pid}").exists()
    assert source.newest(0.1) is None
    assert source.state.phase is Phase.CLOSED


def test_a_camera_whose_opening_hangs_is_given_up_and_tried_again(tmp_path):
    switch = Switch(tmp_path)
    switch.on()
    with CameraWorker(f"{SMALL}&fault=open@{switch.file}", deadlines=Deadlines(open_s=2.0)) as source:
        pid = source._child.pid
        watch = Watch(source).until_phase(Phase.LOST)
        switch.off()
        watch.until_phase(Phase.LIVE)
        assert source._child.pid != pid
    assert "no frame within 2 s of opening" in watch.faults[0]


def test_a_camera_that_is_not_there_at_the_start_is_waited_for(caplog):
    with CameraWorker("v4l2:/dev/video99") as source:
        watch = Watch(source).until(lambda: source.state.attempts > 1)
        assert source.state.phase is Phase.LOST
        assert "plug the camera in" in source.state.mend
    assert "not there" in watch.faults[0]
    assert len(caplog.messages) == 1


def test_a_camera_that_no_waiting_brings_back_is_refused_at_once(tmp_path):
    for spec, error in (("v4l2:/dev/null", CameraSetupError), (f"file:{tmp_path}/none.mp4", CameraError)):
        with CameraWorker(spec) as source, pytest.raises(error):
            while True:
                source.newest(5)
        assert source.state.fault == "" or source.state.phase is Phase.CLOSED


def test_a_camera_that_has_worked_is_never_given_up_even_without_permission_for_a_while(tmp_path):
    lost, barred = Switch(tmp_path, "lost"), Switch(tmp_path, "barred")
    with CameraWorker(f"{SMALL}&fault=lost@{lost.file},barred@{barred.file}") as source:
        watch = Watch(source).until_phase(Phase.LIVE)
        barred.on()
        lost.on()
        watch.until_phase(Phase.LOST)
        lost.off()
        watch.until(lambda: "no permission" in source.state.fault)
        barred.off()
        watch.until_phase(Phase.LIVE)
    assert (len(watch.lost_s), len(watch.back_s)) == (1, 1)
    with CameraWorker(f"{SMALL}&fault=barred@0") as source, pytest.raises(CameraSetupError, match="no permission"):
        source.newest(60)


def test_of_a_recording_every_frame_arrives_however_slow_the_reader_is(tmp_path):
    writer = cv2.VideoWriter(str(tmp_path / "clip.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 50, (64, 48))
    for value in range(12):
        writer.write(np.full((48, 64, 3), value * 20, np.uint8))
    writer.release()
    frames = []
    with CameraWorker(f"file:{tmp_path}/clip.avi") as source:
        while source.state.phase is not Phase.ENDED:
            frame = source.newest(1.0)
            if frame is not None:
                frames.append(frame)
                time.sleep(0.03)
        assert source.newest(0) is None
        assert source.state.counts.dropped == 0
    assert [frame.index for frame in frames] == list(range(12))
    assert [round(float(frame.image.mean()) / 20) for frame in frames] == list(range(12))


def test_a_killed_program_takes_its_camera_process_with_it_even_one_that_hangs():
    program = (
        "import time; from devices.worker import CameraWorker; "
        "source = CameraWorker('synthetic?fault=freeze@0'); print(source._child.pid, flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    pid = int(process.stdout.readline())
    time.sleep(1)
    assert Path(f"/proc/{pid}").exists()
    process.kill()
    process.communicate()
    until = time.monotonic() + 30
    while _runs(pid) and time.monotonic() < until:
        time.sleep(0.02)
    assert not _runs(pid)


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_signals_to_the_whole_service_leave_the_end_to_the_parent():
    with CameraWorker(SMALL) as source:
        watch = Watch(source).until_phase(Phase.LIVE)
        os.kill(source._child.pid, signal.SIGTERM)
        os.kill(source._child.pid, signal.SIGINT)
        seen = watch.numbers[-1][0]
        watch.until(lambda: watch.numbers[-1][0] > seen + 15)
        assert (source.state.phase, source.state.outages) == (Phase.LIVE, 0)


def test_a_password_stands_in_no_state_log_or_list_of_processes(caplog):
    with CameraWorker("rtsp://me:hunter2@127.0.0.1:9/live#timeout_s=1") as source:
        command = Path(f"/proc/{source._child.pid}/cmdline").read_text()
        Watch(source).until_phase(Phase.LOST)
        shown = f"{command} {source.state} {source.spec!r} {caplog.text}"
    assert "hunter2" not in shown
    assert "me:***@127.0.0.1" in shown


def test_no_device_looks_at_the_wall_clock():
    for path in (ROOT / "devices").rglob("*.py"):
        text = path.read_text()
        assert "time.time(" not in text, path
        assert "datetime" not in text, path
