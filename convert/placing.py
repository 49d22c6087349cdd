"""Where a bundle's folder goes: beside its place first, and into it once it is whole."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from convert.errors import PackError
from edge_runtime.members import MANIFEST

__all__ = ["check_place", "placed"]


def check_place(out: Path, replace: bool) -> None:
    """Raises PackError where `out` is something else than a bundle, or is one and `replace` is not set."""
    if not out.exists() and not out.is_symlink():
        return
    if not _is_bundle(out):
        raise PackError(f"{out}: exists and is no bundle", "a new folder, or a bundle to replace", "name another --out")
    if not replace:
        raise PackError(f"{out}: a bundle is there already", "a new folder", "name another --out or add --replace")


def _is_bundle(folder: Path) -> bool:
    """Whether a folder holds a bundle and nothing else, of whatever format and however damaged."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        return {path.name for path in folder.iterdir()} <= {MANIFEST, *manifest["members"]}
    except (OSError, ValueError, KeyError, TypeError):
        return False


@contextlib.contextmanager
def placed(out: Path) -> Iterator[Path]:
    """An empty folder beside `out`, which takes its name when the block ends well; when it does not, it is removed.

    Raises:
        PackError: there is no place to write to.
    """
    partial = out.absolute().with_name(f".{out.absolute().name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        yield partial
        _put_in_place(partial, out)
    except OSError as error:
        raise PackError(f"{out}: {error.strerror or error}", "a place to write to", "check folder and space") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _put_in_place(partial: Path, out: Path) -> None:
    out = out.absolute()
    if not out.exists():
        os.rename(partial, out)
        return
    before = out.with_name(f".{out.name}.before")
    shutil.rmtree(before, ignore_errors=True)
    os.rename(out, before)
    try:
        os.rename(partial, out)
    except OSError:
        os.rename(before, out)
        raise
    shutil.rmtree(before)
