"""An aarch64 processor for programs, by qemu's user mode: the kernel is this machine's, and nothing is left mounted.

XNNPACK chooses its kernels by what it finds in /proc/cpuinfo and /sys. Without /sys it is silently off, and with an x86
processor's cpuinfo it crashes; so an ARM one that fits qemu's processor is bound over it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import signal
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from boards.errors import BoardsError, MissingError
from boards.programs import Done, call, find_programs, must

__all__ = ["CPUS", "ISOLATED", "Cpu", "Emulated", "check_machine", "cpuinfo", "one_at_a_time", "translation"]

PROGRAMS = {
    "qemu-aarch64-static": "qemu-user-static",
    "debootstrap": "debootstrap",
    "unshare": "util-linux",
    "mount": "mount",
}
ISOLATED = ("unshare", "--mount", "--pid", "--fork", "--kill-child")
"""Mounts and processes of what follows end with it, however it ends."""

_FORMATS = Path("/proc/sys/fs/binfmt_misc")
_NAME = "qemu-aarch64"
_REGISTRATIONS = (Path("/usr/lib/binfmt.d/qemu-aarch64.conf"),)
_ENTER = """
root=$1 shared=$2 cpuinfo=$3 cpu=$4
shift 4
mount -t proc proc "$root/proc"
mount -o bind,ro "$cpuinfo" "$root/proc/cpuinfo"
mount -o bind,ro /sys "$root/sys"
mount --bind /dev "$root/dev"
mount --bind "$shared" "$root/trial"
exec chroot "$root" /usr/bin/env -i QEMU_CPU="$cpu" HOME=/root LANG=C.UTF-8 TMPDIR=/trial \\
    PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
"""


@dataclass(frozen=True)
class Cpu:
    """A processor.

    Attributes:
        name: as qemu calls it.
        board: that has it.
        part, variant, revision: in its main ID register, as /proc/cpuinfo shows them.
        features: the same, of that board's kernel.
    """

    name: str
    board: str
    part: str
    variant: str
    revision: int
    features: str


CPUS = (
    Cpu("cortex-a72", "Raspberry Pi 4", "0xd08", "0x0", 3, "fp asimd evtstrm crc32 cpuid"),
    Cpu(
        "cortex-a76",
        "Raspberry Pi 5",
        "0xd0b",
        "0x4",
        1,
        "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp",
    ),
)


def cpuinfo(cpu: Cpu, count: int) -> str:
    """/proc/cpuinfo of a board with `count` such processors."""
    block = (
        f"BogoMIPS\t: 108.00\nFeatures\t: {cpu.features}\nCPU implementer\t: 0x41\nCPU architecture: 8\n"
        f"CPU variant\t: {cpu.variant}\nCPU part\t: {cpu.part}\nCPU revision\t: {cpu.revision}\n"
    )
    return "\n".join(f"processor\t: {number}\n{block}" for number in range(count))


@dataclass(frozen=True)
class Emulated:
    """A root file system whose programs run on an emulated processor; `shared` is its /trial."""

    root: Path
    cpu: Cpu
    shared: Path

    @property
    def name(self) -> str:
        return self.cpu.name

    def seen(self, path: Path) -> str:
        return f"/trial/{path.relative_to(self.shared)}"

    def call(self, words: Sequence[str], what: str, deadline_s: float) -> Done:
        info = self.shared / f"cpuinfo-{self.cpu.name}"
        if not info.exists():
            # Whole or not at all: another program may be about to read it. As many processors as /sys shows: XNNPACK counts in both.
            written = info.with_name(f"{info.name}.{threading.get_ident()}")
            written.write_text(cpuinfo(self.cpu, os.cpu_count() or 1))
            written.replace(info)
        enter = [*ISOLATED, "sh", "-e", "-c", _ENTER, "sh", str(self.root), str(self.shared), str(info), self.cpu.name]
        return call([*enter, *words], f"{self.cpu.name}: {what}", deadline_s)


def check_machine() -> None:
    """Checks that this machine can emulate.

    Raises:
        MissingError: another processor, programs that are not installed, or no root.
    """
    if platform.machine() != "x86_64":
        raise MissingError(
            f"a machine of {platform.machine()}",
            "an x86-64 one, with which the emulated board is compared",
            "on a board itself run `fer-edge selftest`, and compare records with `python -m convert parity`",
        )
    find_programs(PROGRAMS)
    if os.geteuid() != 0:
        raise MissingError(
            f"user {os.geteuid()}",
            "root: debootstrap and chroot need it",
            "sudo .venv-dev/bin/python -m boards arm64",
        )


@contextlib.contextmanager
def one_at_a_time(cache: Path) -> Iterator[None]:
    """Holds the cache. Raises BoardsError where another run has it."""
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "arm64.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as held:
            raise BoardsError(f"{cache} is in use", "one run at a time", "wait for the other one's end") from held
        yield


@contextlib.contextmanager
def translation(formats: Path = _FORMATS, registrations: Sequence[Path] = _REGISTRATIONS) -> Iterator[None]:
    """The kernel hands aarch64 programs to qemu meanwhile; where that was not so before, it is not so afterwards.

    Raises:
        MissingError: the kernel cannot, or nothing says how qemu is called.
    """
    entry = formats / _NAME
    mounted = False
    # A run that is asked to end takes back what it changed, as after Ctrl-C.
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        if not (formats / "register").exists():
            must(["mount", "-t", "binfmt_misc", "binfmt_misc", formats], "binfmt_misc", 30.0)
            mounted = True
        if entry.exists():
            yield
            return
        line = next(
            (line for path in registrations if path.is_file() for line in path.read_text().split("\n") if line), ""
        )
        if not line:
            raise MissingError(
                f"none of {', '.join(map(str, registrations))}",
                "how qemu is registered for aarch64",
                "sudo apt install --reinstall qemu-user-static",
            )
        (formats / "register").write_bytes(line.encode())
        try:
            yield
        finally:
            entry.write_text("-1")
    finally:
        if mounted:
            must(["umount", formats], "binfmt_misc", 30.0)
        signal.signal(signal.SIGTERM, before)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
