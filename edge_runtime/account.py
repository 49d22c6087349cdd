"""May an account of this machine read, write or run a file? Asked by being that account for a moment, in a process of its own."""

from __future__ import annotations

import os
import pwd
import subprocess
from pathlib import Path

from edge_runtime.errors import ServiceError

__all__ = ["Account"]

_PATIENCE_S = 20


class Account:
    """An account by its name. Only root may ask for others than itself.

    Args:
        name: as /etc/passwd or the directory has it.

    Raises:
        ServiceError: there is no such account.
    """

    def __init__(self, name: str) -> None:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            raise ServiceError(
                f"no account {name!r}", "one of this machine", f"sudo useradd {name}, or another --run-as"
            ) from None
        self.name, self._group = name, entry.pw_gid

    def may_read(self, path: Path) -> bool:
        return self._may("-r", path)

    def may_write(self, path: Path) -> bool:
        return self._may("-w", path)

    def may_run(self, path: Path) -> bool:
        return self._may("-x", path)

    def _may(self, how: str, path: Path) -> bool:
        outcome = subprocess.run(
            ["/bin/sh", "-c", f'test {how} "$1"', "sh", str(path)],
            user=self.name,
            group=self._group,
            extra_groups=os.getgrouplist(self.name, self._group),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            timeout=_PATIENCE_S,
            check=False,
        )
        return outcome.returncode == 0
