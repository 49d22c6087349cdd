"""Promises of the board's facts, read from made-up trees of /proc and /sys."""

import platform
import subprocess
import sys
import time

import pytest

from devices.board import read_board
from tests.support import ROOT

PI_CPUINFO = (
    "".join(f"processor\t: {core}\nBogoMIPS\t: 108.00\n\n" for core in range(4))
    + "Revision\t: d03114\nModel\t\t: Raspberry Pi 4 Model B Rev 1.4\n"
)
PC_CPUINFO = "".join(f"processor\t: {core}\nmodel name\t: AMD EPYC 7B13\n\n" for core in range(2))


def put(root, **files):
    for name, content in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def sensor(root, number, kind, millidegrees):
    zone = root / f"sys/class/thermal/thermal_zone{number}"
    zone.mkdir(parents=True)
    (zone / "type").write_text(f"{kind}\n")
    (zone / "temp").write_text(f"{millidegrees}\n")


def vcgencmd(root, script):
    path = root / "usr/bin/vcgencmd"
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def pi(root):
    put(root, proc__cpuinfo=PI_CPUINFO, proc__meminfo="MemTotal:        3882288 kB\nMemFree: 1 kB\n")
    path = root / "proc/device-tree/model"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"Raspberry Pi 4 Model B Rev 1.4\0")
    sensor(root, 0, "cpu-thermal", 48686)


def test_raspberry_pi_is_told(tmp_path):
    pi(tmp_path)
    vcgencmd(tmp_path, '[ "$1" = get_throttled ] && echo throttled=0x0')
    board = read_board(tmp_path)
    assert (board.model, board.cores, board.memory_mb) == ("Raspberry Pi 4 Model B Rev 1.4", 4, 3791)
    assert board.temperature_c == pytest.approx(48.686)
    assert board.throttling == ()
    assert (board.machine, board.python) == (platform.machine(), platform.python_version())


def test_throttling_now_and_before_is_told_apart(tmp_path):
    vcgencmd(tmp_path, "echo throttled=0x50005")
    assert read_board(tmp_path).throttling == (
        "under-voltage",
        "throttled",
        "under-voltage has occurred",
        "throttling has occurred",
    )


@pytest.mark.parametrize(
    "script", ["exit 1", "echo VCHI initialization failed", "echo throttled=", "echo throttled=0x0; exit 255"]
)
def test_board_that_cannot_say_whether_it_throttles_says_none(tmp_path, script):
    vcgencmd(tmp_path, script)
    assert read_board(tmp_path).throttling is None


def test_hanging_vcgencmd_is_given_up_after_two_seconds(tmp_path):
    vcgencmd(tmp_path, "exec sleep 60")
    start = time.perf_counter()
    assert read_board(tmp_path).throttling is None
    assert time.perf_counter() - start < 5


def test_pc_goes_by_its_processor(tmp_path):
    put(tmp_path, proc__cpuinfo=PC_CPUINFO)
    board = read_board(tmp_path)
    assert (board.model, board.cores) == ("AMD EPYC 7B13", 2)
    assert (board.memory_mb, board.temperature_c, board.throttling) == (None, None, None)


def test_nothing_there_still_gives_a_board(tmp_path):
    board = read_board(tmp_path)
    assert board.model == platform.machine()
    assert board.cores >= 1


def test_processors_sensor_goes_before_others_and_sensors_that_are_off_do_not_count(tmp_path):
    sensor(tmp_path, 0, "iwlwifi", 39000)
    sensor(tmp_path, 1, "battery", -274000)
    assert read_board(tmp_path).temperature_c == 39
    sensor(tmp_path, 2, "x86_pkg_temp", 61500)
    sensor(tmp_path, 3, "acpitz", "unreadable")
    assert read_board(tmp_path).temperature_c == 61.5


def test_this_machine_is_told():
    board = read_board()
    assert board.cores >= 1
    assert board.memory_mb is None or board.memory_mb > 100


def test_importing_reads_nothing_and_starts_nothing():
    probe = "import sys; sys.addaudithook(lambda event, arguments: sys.exit(event) if event == 'subprocess.Popen' else None); import devices.board"
    subprocess.run([sys.executable, "-c", probe], cwd=ROOT, check=True)
