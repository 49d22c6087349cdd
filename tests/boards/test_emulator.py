"""What the emulated board needs of this machine is said where it is missing, and nothing is left behind."""

import itertools
import os
import platform
import signal
import stat
import sys
import time
from pathlib import Path

import pytest

from boards import rootfs
from boards.arm64 import download
from boards.cli import main
from boards.emulator import CPUS, Emulated, check_machine, cpuinfo, one_at_a_time, translation
from boards.errors import BoardsError, MissingError, ProgramError
from boards.rootfs import is_whole, make_root, remove


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A path with nothing on it but what `make` puts there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def make(*names, text="import sys"):
        for name in names:
            path = folder / name
            path.write_text(f"#!{sys.executable}\n{text}\n")
            path.chmod(path.stat().st_mode | stat.S_IXUSR)

    return make


def test_missing_programs_are_named_with_the_packages_to_install(programs, monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    programs("unshare", "mount")
    with pytest.raises(MissingError, match="no qemu-aarch64-static, debootstrap on this machine") as error:
        check_machine()
    assert error.value.mend == "sudo apt install debootstrap qemu-user-static"


def test_other_users_and_other_machines_are_told_what_to_do(programs, monkeypatch, capsys):
    programs("unshare", "mount", "debootstrap", "qemu-aarch64-static")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert main(["arm64"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "user 1000; expected root" in said
    assert "sudo .venv-dev/bin/python -m boards arm64" in said
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    with pytest.raises(MissingError, match="fer-edge selftest"):
        check_machine()


def test_the_processors_are_those_of_a_pi_4_and_a_pi_5_and_tell_themselves_as_boards_do():
    assert [cpu.name for cpu in CPUS] == ["cortex-a72", "cortex-a76"]
    lines = cpuinfo(CPUS[1], 4).splitlines()
    assert sum(line.startswith("processor") for line in lines) == 4
    assert "CPU part\t: 0xd0b" in lines
    dotted = ["asimddp" in cpuinfo(cpu, 1) for cpu in CPUS]
    assert dotted == [False, True]  # XNNPACK takes other int8 kernels where there are dot products


def test_a_command_on_the_emulated_board_sees_its_processor_and_the_shared_folder_and_nothing_of_the_environment(
    tmp_path, programs
):
    programs("unshare", text="import json, sys; print(json.dumps(sys.argv[1:]))")
    board = Emulated(Path("/somewhere/debian"), CPUS[0], tmp_path)
    said = board.call(["python3", "-V"], "python3", 10.0).out
    assert '"--mount", "--pid", "--fork", "--kill-child"' in said
    assert said.rstrip().endswith('"cortex-a72", "python3", "-V"]')
    assert "env -i QEMU_CPU=" in said
    assert "0xd08" in (tmp_path / "cpuinfo-cortex-a72").read_text()
    assert board.seen(tmp_path / "bundles" / "one") == "/trial/bundles/one"


def test_the_kernel_s_registration_is_taken_back_unless_it_was_there_before(tmp_path):
    formats, line = tmp_path / "binfmt_misc", tmp_path / "qemu-aarch64.conf"
    formats.mkdir()
    register, entry = formats / "register", formats / "qemu-aarch64"
    register.write_text("")
    line.write_text(":qemu-aarch64:M::magic:mask:/usr/bin/qemu:OPF\n")
    with translation(formats, [line]):
        assert register.read_text() == ":qemu-aarch64:M::magic:mask:/usr/bin/qemu:OPF"
    assert entry.read_text() == "-1"
    entry.write_text("enabled")
    register.write_text("")
    with translation(formats, [line]):
        assert register.read_text() == ""
    assert entry.read_text() == "enabled"
    entry.unlink()
    with pytest.raises(KeyboardInterrupt), translation(formats, [line]):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
    assert entry.read_text() == "-1"
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    entry.unlink()
    with pytest.raises(MissingError, match="reinstall qemu-user-static"), translation(formats, [tmp_path / "none"]):
        pass


def test_two_runs_do_not_share_a_cache(tmp_path):
    with (
        one_at_a_time(tmp_path / "cache"),
        pytest.raises(BoardsError, match="in use"),
        one_at_a_time(tmp_path / "cache"),
    ):
        pass
    with one_at_a_time(tmp_path / "cache"):
        pass


DEBOOTSTRAP = """
import pathlib, sys
root = pathlib.Path(sys.argv[-2])
for part in ("usr/bin/python3", "usr/bin/env"):
    (root / part).parent.mkdir(parents=True, exist_ok=True)
    (root / part).write_text("")
print("I: Retrieving"); print("E: Couldn't download" * FAILS, file=sys.stderr); sys.exit(FAILS)
"""


def test_a_root_is_whole_or_made_again(tmp_path, programs, monkeypatch, capsys):
    monkeypatch.setattr(rootfs, "ISOLATED", ())
    programs("debootstrap", text=DEBOOTSTRAP.replace("FAILS", "1"))
    with pytest.raises(ProgramError, match="Couldn't download") as error:
        make_root(tmp_path, "bookworm", "http://mirror")
    assert "debootstrap.log" in str(error.value)
    partial = tmp_path / "debian-bookworm-arm64.partial"
    assert partial.exists()
    programs("debootstrap", text=DEBOOTSTRAP.replace("FAILS", "0"))
    root = make_root(tmp_path, "bookworm", "http://mirror")
    assert "half-made: made again" in capsys.readouterr().err
    assert is_whole(root)
    assert not partial.exists()
    programs("debootstrap", text="import sys; sys.exit(3)")  # a whole one is kept
    assert make_root(tmp_path, "bookworm", "http://mirror") == root
    (root / "usr/bin/python3").unlink()
    with pytest.raises(ProgramError):
        make_root(tmp_path, "bookworm", "http://mirror")
    assert not root.exists()
    with pytest.raises(BoardsError, match="a name of Debian's"):
        make_root(tmp_path, "../etc", "http://mirror")


def test_nothing_is_removed_while_something_is_mounted_in_it(tmp_path):
    root, mounts = tmp_path / "root", tmp_path / "mountinfo"
    root.mkdir()
    mounts.write_text(f"36 35 98:0 / {root.resolve()}/sys rw - sysfs sysfs rw\n")
    with pytest.raises(BoardsError, match="sudo umount"):
        remove(root, mounts)
    assert root.exists()
    mounts.write_text("36 35 98:0 / /sys rw - sysfs sysfs rw\n")
    remove(root, mounts)
    assert not root.exists()


def test_wheels_are_asked_for_as_the_emulated_python_takes_them(tmp_path):
    words = list(map(str, download(Path("fer_edge.whl"), tmp_path, "3.11", 36)))
    platforms = [word for before, word in itertools.pairwise(words) if before == "--platform"]
    assert platforms[0] == "manylinux_2_36_aarch64"
    assert {"manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64"} <= set(platforms)
    assert words[words.index("--python-version") + 1] == "3.11"
    assert ":all:" in words
