"""The root file system of an emulated Debian: from Debian's packages, kept whole or made again."""

from __future__ import annotations

import datetime
import json
import os
import shutil
from pathlib import Path

from boards.emulator import ISOLATED
from boards.errors import BoardsError
from boards.programs import must, tell

__all__ = ["is_whole", "make_root", "remove"]

PACKAGES = ("python3", "python3-venv")
_STAMP = "fer-edge.json"
_DEADLINE_S = 7200.0
_MOUNTS = Path("/proc/self/mountinfo")


def make_root(cache: Path, suite: str, mirror: str) -> Path:
    """Debian `suite` for arm64 with Python, in `cache`. A half-made one is removed and made again.

    Raises:
        BoardsError: a suite that is no name, or mounts within a half-made one.
        ProgramError: debootstrap fails; its log is named.
    """
    if not suite.isalpha():
        raise BoardsError(f"suite {suite!r}", "a name of Debian's", "--suite bookworm")
    root = cache / f"debian-{suite}-arm64"
    partial = root.with_name(f"{root.name}.partial")
    if is_whole(root):
        return root
    for half in (partial, root):
        if half.exists():
            tell(f"{half} is half-made: made again")
            remove(half)
    tell(f"Debian {suite} for arm64 in {root}, some minutes")
    include = f"--include={','.join(PACKAGES)}"
    words: list[str | Path] = ["debootstrap", "--arch=arm64", "--variant=minbase", include, suite, partial, mirror]
    # qemu's own choice of processor: whatever later runs on a chosen one was set up by a capable one.
    must([*ISOLATED, *words], "debootstrap", _DEADLINE_S, log=cache / "logs" / "debootstrap.log")
    (partial / "trial").mkdir()
    shutil.rmtree(partial / "var" / "cache" / "apt" / "archives", ignore_errors=True)
    made = {"suite": suite, "mirror": mirror, "made": datetime.datetime.now(datetime.UTC).date().isoformat()}
    (partial / _STAMP).write_text(json.dumps(made))
    os.replace(partial, root)
    return root


def is_whole(root: Path) -> bool:
    """Whether debootstrap came to its end there, and nothing that a trial needs was taken away since."""
    return all((root / part).exists() for part in (_STAMP, "trial", "usr/bin/python3", "usr/bin/env"))


def remove(root: Path, mounts: Path = _MOUNTS) -> None:
    """Removes a root file system. Raises BoardsError where something is mounted in it, which would be removed with it."""
    inside = f"{root.resolve()}/"
    held = [
        words[4] for words in (line.split() for line in mounts.read_text().splitlines()) if words[4].startswith(inside)
    ]
    if held:
        raise BoardsError(f"{held[0]} is mounted", "nothing mounted in what is removed", f"sudo umount {held[0]}")
    shutil.rmtree(root)
