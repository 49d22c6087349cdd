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


class Watch:
    """Drives a source and notes when it was lost and when frames came, in seconds since it was opened first."""

    def __init__(self, source):
        self.source = source
        self.lost_s, self.back_s, self.numbers, self.faults = [], [], [], []

    def run(self, until_s, pause_s=0.0, backs=None):
        """Until then, or until the camera came back that many times."""
        phase = self.source.state.phase
        while time.monotonic() - self.source.epoch_s < until_s and len(self.back_s) != backs:
            frame = self.source.newest(0.05)
            now_s = time.monotonic() - self.source.epoch_s
            if frame is not None:
                self.numbers.append((frame.index, number_in(frame.image)))
            state = self.source.state
            if state.phase is Phase.LOST and phase is not Phase.LOST:
                self.lost_s.append(now_s)
                self.faults.append(state.fault)
            if state.phase is Phase.LIVE and phase is Phase.LOST:
                self.back_s.append(now_s)
            phase = state.phase
            time.sleep(pause_s)
        return self


@pytest.mark.parametrize(
    ("fault", "began_s", "ended_s", "said"),
    [
        ("stall@1.5s:2.8", 1.5, 4.3, "no frame for"),
        ("lost@1.5s:1.5,stop@1.5s:1.5", 1.5, 3.0, "not there"),
        ("die@1.5s:1.2", 1.5, 2.7, "SIGKILL"),
        ("freeze@1.5s:2.2", 1.5, 3.7, "no frame for"),
        ("size@1.5s:2.2", 1.5, 3.7, "of 80 × 60 pixels"),
    ],
)
def test_a_fault_is_reported_within_three_seconds_and_the_camera_back_two_after_its_end(
    fault, began_s, ended_s, said, caplog
):
    with CameraWorker(f"{SMALL}&fault={fault}") as source:
        watch = Watch(source).run(ended_s + 3, backs=1)
        counts = source.state.counts
    (lost_s,), (back_s,) = watch.lost_s, watch.back_s
    assert began_s <= lost_s < began_s + 3
    assert back_s < ended_s + 2
    assert said in watch.faults[0]
    assert source.state.outages == 1
    assert counts.produced == counts.delivered + counts.dropped
    assert [(" lost: " in line, " back after " in line) for line in caplog.messages] == [(True, False), (False, True)]


def test_five_outages_leave_no_process_thread_or_descriptor_behind():
    def held():
        return len(os.listdir("/proc/self/fd")), threading.active_count()

    before = held()
    faults = ",".join(
        f"{kind}@{second}s:0.3" for second, kind in zip((1.5, 3.5, 5.5, 7.5, 9.5), ("lost", "die") * 3, strict=False)
    )
    with CameraWorker(f"{SMALL}&fault={faults}") as source:
        Watch(source).run(1.4)
        while_live = held()
        watch = Watch(source).run(12, backs=5)
        assert held() == while_live
        assert source.state.phase is Phase.LIVE
    assert len(watch.lost_s) == len(watch.back_s) == 5
    assert held() == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
    indices = [index for index, _ in watch.numbers]
    assert indices == sorted(set(indices))


def test_frames_produced_are_frames_delivered_and_dropped_to_the_last_one():
    with CameraWorker("synthetic?size=160x120&fps=0") as source:
        watch = Watch(source).run(2.0, pause_s=0.01)
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
        watch = Watch(source).run(2.2)
        counts = source.state.counts
    assert source.state.outages == 0
    assert counts.refused == pytest.approx(15, abs=2)
    assert counts.black == pytest.approx(15, abs=2)
    assert not {number for _, number in watch.numbers} & set(range(21, 34))


@pytest.mark.parametrize("fault", ["freeze@0", "open@0", "stop@0"])
def test_closing_ends_in_time_whatever_the_camera_does(fault):
    source = CameraWorker(f"{SMALL}&fault={fault}")
    pid = source._child.pid
    Watch(source).run(0.8)
    began = time.monotonic()
    source.close()
    source.close()
    assert time.monotonic() - began < 1.8
    assert not Path(f"/proc/{pid}").exists()
    assert source.newest(0.1) is None
    assert source.state.phase is Phase.CLOSED


def test_a_camera_whose_opening_hangs_is_given_up_and_tried_again():
    deadlines = Deadlines(open_s=1.0)
    with CameraWorker(f"{SMALL}&fault=open@0:1.5", deadlines=deadlines) as source:
        watch = Watch(source).run(8, backs=1)
    assert watch.lost_s[0] < 1.5
    assert watch.back_s
    assert "no frame within 1 s of opening" in watch.faults[0]


def test_a_camera_that_is_not_there_at_the_start_is_waited_for(caplog):
    with CameraWorker("v4l2:/dev/video99") as source:
        watch = Watch(source).run(1.5)
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


def test_a_camera_that_has_worked_is_never_given_up_even_without_permission_for_a_while():
    with CameraWorker(f"{SMALL}&fault=lost@1.5s:0.4,barred@1.5s:1.5") as source:
        watch = Watch(source).run(9.0, backs=1)
        assert source.state.phase is Phase.LIVE
    assert (len(watch.lost_s), len(watch.back_s)) == (1, 1)
    with CameraWorker(f"{SMALL}&fault=barred@0") as source, pytest.raises(CameraSetupError, match="no permission"):
        source.newest(5)


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
    until = time.monotonic() + 3
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
        Watch(source).run(1.0)
        os.kill(source._child.pid, signal.SIGTERM)
        os.kill(source._child.pid, signal.SIGINT)
        Watch(source).run(1.5)
        assert (source.state.phase, source.state.outages) == (Phase.LIVE, 0)


def test_a_password_stands_in_no_state_log_or_list_of_processes(caplog):
    with CameraWorker("rtsp://me:hunter2@127.0.0.1:9/live#timeout_s=1") as source:
        command = Path(f"/proc/{source._child.pid}/cmdline").read_text()
        Watch(source).run(1.5)
        assert source.state.phase is Phase.LOST
        shown = f"{command} {source.state} {source.spec!r} {caplog.text}"
    assert "hunter2" not in shown
    assert "me:***@127.0.0.1" in shown


def test_no_device_looks_at_the_wall_clock():
    for path in (ROOT / "devices").rglob("*.py"):
        text = path.read_text()
        assert "time.time(" not in text, path
        assert "datetime" not in text, path
