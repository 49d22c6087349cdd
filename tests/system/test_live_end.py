"""Promises of the end of `fer-edge run`: in whatever state, within two seconds, with exit code 0 and nothing half-written."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import pytest

from tests.support import ROOT, TINY_GREY, wait_for

GENEROUS_S = 5.0  # two are promised; a machine under load is not what is tested
EARLY_FRAMES = "synthetic?size=320x240&fps=30"


class Command:
    """`fer-edge run` in a process of its own, whose standard output goes into a file unless it is to go elsewhere."""

    def __init__(self, folder, *arguments, source=EARLY_FRAMES, stdout=None):
        self._out = folder / "records.jsonl"
        self._error = folder / "error.txt"
        command = [sys.executable, "-m", "edge_runtime", "run", "--source", source, "--bundle", str(TINY_GREY)]
        with open(self._out, "wb") as out, open(self._error, "wb") as error:
            self.process = subprocess.Popen(
                [*command, *map(str, arguments)], stdout=stdout or out, stderr=error, cwd=ROOT
            )

    @property
    def text(self):
        return self._out.read_text()

    @property
    def error(self):
        return self._error.read_text()

    def ends(self, number=signal.SIGTERM):
        """Asks it to end; seconds until it did so, rightly."""
        began = time.monotonic()
        self.process.send_signal(number)
        assert self.process.wait(30) == 0, self.error
        assert "Traceback" not in self.error
        return time.monotonic() - began

    def children(self):
        return Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()


STATES = {
    "opening": (f"{EARLY_FRAMES}&fault=open@0", ()),
    "lost": (f"{EARLY_FRAMES}&fault=lost@0", ()),
    "frozen": (f"{EARLY_FRAMES}&fault=freeze@1,stop@1", ("--set", "source.stall_after_s=60")),
    "warming up on an accelerator that hangs": (
        EARLY_FRAMES,
        ("--accelerator", "fake?fault=hang@0", "--set", "accelerator.deadline_s=60"),
    ),
    "live, of a camera that does not stop": (f"{EARLY_FRAMES}&fault=stop@0", ("--mqtt", "mqtt://127.0.0.1:1")),
}


@pytest.mark.parametrize("state", STATES)
def test_it_ends_within_two_seconds_of_sigterm_while(state, tmp_path):
    source, more = STATES[state]
    command = Command(tmp_path, *more, source=source)
    wait_for(lambda: command.text.count("\n") >= 1)
    time.sleep(0.7)
    children = command.children()
    assert command.ends() < GENEROUS_S
    assert all(isinstance(json.loads(line), dict) for line in command.text.splitlines())
    assert command.text.endswith("\n")
    assert children or state == "lost"
    assert not [child for child in children if os.path.exists(f"/proc/{child}")]


def test_it_ends_within_two_seconds_while_nobody_reads_its_records(tmp_path):
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    with os.fdopen(reader, "rb") as read:
        command = Command(tmp_path, stdout=writer)
        os.close(writer)
        wait_for(lambda: "records: whoever reads" in command.error)
        assert command.ends() < GENEROUS_S
        lines = read.read().decode().splitlines(keepends=True)
    assert all(line.endswith("\n") and json.loads(line) for line in lines)
    assert "lost by records" in command.error


def test_it_ends_within_two_seconds_of_sigterm_in_the_middle_of_a_picture_that_takes_a_minute(tmp_path):
    program = (
        "import sys, time\n"
        "from edge_runtime.cli import main\n"
        "from edge_runtime.detectors import haar\n"
        "haar.Haar.detect = lambda self, image: time.sleep(60) or []\n"
        "print('begun', flush=True)\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", program, "run", "--source", EARLY_FRAMES, "--log", str(tmp_path / "events.db")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        lines = [process.stdout.readline(), process.stdout.readline()]
        assert "bundle" in lines[1]
        time.sleep(0.5)
        began = time.monotonic()
        process.terminate()
        assert process.wait(30) == 0
        assert time.monotonic() - began < GENEROUS_S
    assert [path.name for path in tmp_path.iterdir()] == ["events.db"]


def test_a_signal_leaves_a_whole_video_a_whole_log_and_nothing_partial(tmp_path):
    command = Command(tmp_path, "--annotate", tmp_path / "seen.mp4", "--log", tmp_path / "events.db", "--format", "csv")
    wait_for(lambda: command.text.count("\n") >= 20)  # a face a frame: by then somebody has appeared
    assert command.ends(signal.SIGINT) < GENEROUS_S
    assert sorted(path.name for path in tmp_path.iterdir()) == ["error.txt", "events.db", "records.jsonl", "seen.mp4"]
    video = cv2.VideoCapture(str(tmp_path / "seen.mp4"))
    frames = 0
    while video.read()[0]:
        frames += 1
    assert frames >= 10
    rows = command.text.splitlines()
    assert {row.count(",") for row in rows} == {rows[0].count(",")}
    export = subprocess.run(
        [sys.executable, "-m", "edge_runtime", "log", "export", str(tmp_path / "events.db")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    kinds = [json.loads(line)["kind"] for line in export.stdout.splitlines()]
    assert kinds.count("appeared") == kinds.count("left") >= 1
    assert "frames:" in command.error
