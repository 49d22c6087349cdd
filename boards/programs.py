"""Programs that a trial calls: with a deadline, their output kept for when they fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from boards.errors import MissingError, ProgramError

__all__ = ["Done", "call", "find_programs", "must", "tell"]

_TRACE = "FER_EDGE_BOARDS_TRACE"


@dataclass(frozen=True)
class Done:
    """A program that has ended: its exit code, and what it said."""

    code: int
    out: str
    err: str

    @property
    def last_line(self) -> str:
        """Of standard error, else of standard output: what a person would read first."""
        lines = (self.err.strip() or self.out.strip()).splitlines()
        return lines[-1] if lines else ""


def call(
    words: Sequence[str | Path],
    what: str,
    deadline_s: float,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Done:
    """Runs a program to its end. Its exit code is for the caller to judge.

    Args:
        what: it is for, for messages: "pip".
        deadline_s: after which it is killed.
        env: variables beside this process's own.

    Raises:
        ProgramError: it cannot be started, or does not end.
    """
    command = [str(word) for word in words]
    if os.environ.get(_TRACE):
        print("+", *command, file=sys.stderr, flush=True)
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=deadline_s,
            env={**os.environ, **(env or {})},
            cwd=cwd,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise ProgramError(
            f"{what}: no end after {deadline_s:.0f} s", "an end before that", "run it when the machine is idle"
        ) from late
    except OSError as error:
        raise ProgramError(
            f"{what}: {command[0]}: {error.strerror}", "a program that runs", "install it again"
        ) from error
    return Done(done.returncode, done.stdout, done.stderr)


def must(
    words: Sequence[str | Path],
    what: str,
    deadline_s: float,
    env: Mapping[str, str] | None = None,
    log: Path | None = None,
) -> Done:
    """The same for a program that has to succeed; all that it said goes into `log`.

    Raises:
        ProgramError: as `call`, or an exit code other than 0, with the last line that it said.
    """
    done = call(words, what, deadline_s, env)
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(done.out + done.err)
    if done.code:
        where = "" if log is None else f", all of it in {log}"
        raise ProgramError(
            f"{what}: exit code {done.code} ({done.last_line or 'it says nothing'}{where})", "0", "mend what it says"
        )
    return done


def find_programs(packages: Mapping[str, str]) -> None:
    """Checks that programs are there.

    Args:
        packages: the Debian package of each program.

    Raises:
        MissingError: some are not; with the packages to install.
    """
    missing = {program: package for program, package in packages.items() if shutil.which(program) is None}
    if missing:
        raise MissingError(
            f"no {', '.join(missing)} on this machine",
            f"the Debian packages {_listed(packages.values())}",
            f"sudo apt install {' '.join(sorted(set(missing.values())))}",
        )


def tell(line: str) -> None:
    """What is being done, for a person who waits: on standard error, as the table goes to standard output."""
    print(f"boards: {line}", file=sys.stderr, flush=True)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(set(names)))
