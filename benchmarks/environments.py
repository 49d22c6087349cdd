"""Environments that benchmarks make for others' packages and for our own wheel, and what they weigh on disk."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import venv
from pathlib import Path

__all__ = ["ROOT", "built_wheel", "make", "size_mb"]

ROOT = Path(__file__).parent.parent
_DONE = "installed.json"


def built_wheel(folder: Path) -> Path:
    """Builds this checkout's wheel into an empty folder."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (wheel,) = folder.glob("*.whl")
    return wheel


def make(folder: Path, steps: list[list[str]]) -> Path:
    """An environment with packages, made once: one that has the same already is taken as it is.

    Args:
        folder: of the environment.
        steps: the words of `pip install` for one call after the other; a path to a file counts with its content.

    Returns:
        Its interpreter.
    """
    python = folder / "bin" / "python"
    wanted = json.dumps([sys.version, [[_fingerprint(word) for word in step] for step in steps]], indent=1)
    done = folder / _DONE
    if done.exists() and done.read_text() == wanted:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    for step in steps:
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *step], check=True)
    done.write_text(wanted)
    return python


def size_mb(folder: Path) -> float:
    """Bytes of all files, links not followed, in millions."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink()) / 1e6


def _fingerprint(word: str) -> str:
    path = Path(word)
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else word
