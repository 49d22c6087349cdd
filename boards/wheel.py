"""The wheel of this checkout, built for a trial."""

from __future__ import annotations

import email
import hashlib
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from boards.errors import MissingError
from boards.programs import call
from edge_runtime.files import file_sha256

__all__ = ["ROOT", "Wheel", "build_wheel"]

ROOT = Path(__file__).parent.parent
_DEADLINE_S = 900.0


@dataclass(frozen=True)
class Wheel:
    """A built wheel.

    Attributes:
        path: of the file.
        version: of the distribution.
        sha256: of the file.
        requires: what it asks pip for, extras among them, as the metadata says it.
    """

    path: Path
    version: str
    sha256: str
    requires: tuple[str, ...]

    @property
    def requires_sha256(self) -> str:
        """Tells one set of dependencies from another, however the code changes."""
        return hashlib.sha256("\n".join(self.requires).encode()).hexdigest()


def build_wheel(folder: Path) -> Wheel:
    """Builds the wheel of this checkout into `folder`.

    Raises:
        MissingError: the packages that build wheels are not installed, or refuse this checkout.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done = call(
        [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", folder, ROOT], "build", _DEADLINE_S
    )
    found = sorted(folder.glob("*.whl"))
    if done.code or len(found) != 1:
        raise MissingError(
            f"{ROOT}: no wheel ({done.last_line})", "build and hatchling beside this Python", 'pip install -e ".[test]"'
        )
    return read_wheel(found[0])


def read_wheel(path: Path) -> Wheel:
    """What a wheel says of itself."""
    with zipfile.ZipFile(path) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(archive.read(name))
    requires = tuple(str(each) for each in metadata.get_all("Requires-Dist") or ())
    return Wheel(path, str(metadata["Version"]), file_sha256(path), requires)
