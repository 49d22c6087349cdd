"""Environments that are kept: made whole or made again, and refreshed with each new wheel."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from boards.errors import ProgramError
from boards.machine import Machine
from boards.programs import Done, tell
from boards.wheel import Wheel

__all__ = ["make_environment", "run_pip"]

_DEADLINE_S = 3600.0
_STAMP = "fer-edge.json"
"""Written into an environment last: without it, it is half-made."""


def make_environment(
    machine: Machine,
    python: str,
    folder: Path,
    seen: str,
    wheel: Wheel,
    packages: Sequence[str],
    options: Sequence[str],
) -> str:
    """An environment with the wheel in it; what was installed before for the same packages is kept.

    Args:
        python: of the machine, that makes it.
        folder, seen: where it lies on this machine, and how the machine calls that.
        wheel: in the machine's shared folder.
        packages: requirements for pip, the wheel's own path among them where its dependencies are wanted.
        options: of pip, such as where to look.

    Returns:
        the environment's Python, as the machine calls it.

    Raises:
        ProgramError: venv or pip fails.
    """
    inside = f"{seen}/bin/python"
    wanted = {"requires": wheel.requires_sha256, "packages": [_shown(each, wheel) for each in packages]}
    stamp = folder / _STAMP
    if not _is(stamp, wanted):
        if folder.exists():
            tell(f"{folder} is half-made or out of date: made again")
            shutil.rmtree(folder)
        tell(f"{machine.name}: an environment in {folder}")
        folder.parent.mkdir(parents=True, exist_ok=True)
        done = machine.call([python, "-m", "venv", seen], "venv", _DEADLINE_S)
        if done.code:
            raise ProgramError(
                f"{python} -m venv: {done.last_line}", "an environment", "on Debian: sudo apt install python3-venv"
            )
        run_pip(machine, inside, [*options, *packages])
        stamp.write_text(json.dumps(wanted))
    run_pip(machine, inside, ["--no-deps", "--force-reinstall", "--no-index", machine.seen(wheel.path)])
    return inside


def run_pip(machine: Machine, python: str, words: Sequence[str]) -> Done:
    """`pip install` in an environment.

    Raises:
        ProgramError: with the line in which pip says what is wrong.
    """
    command = [
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--only-binary",
        ":all:",
        *words,
    ]
    done = machine.call(command, "pip", _DEADLINE_S)
    if done.code:
        errors = [line for line in done.err.splitlines() if line.startswith("ERROR")]
        raise ProgramError(
            f"{machine.name}: pip: {errors[0] if errors else done.last_line}",
            "wheels for this Python and machine",
            "check the network and where pip looks",
        )
    return done


def _shown(requirement: str, wheel: Wheel) -> str:
    """A requirement without the place of the wheel, which is another each time."""
    return requirement.replace(str(wheel.path.parent), "").replace(wheel.path.name, "wheel")


def _is(stamp: Path, wanted: object) -> bool:
    try:
        return bool(json.loads(stamp.read_bytes()) == wanted)
    except (OSError, ValueError):
        return False
