"""Files that appear whole or not at all, and what tells one from another."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TextIO

from edge_runtime.errors import OutputError

__all__ = ["file_sha256", "output_stream", "partial_path", "whole_file", "write_whole"]


def partial_path(path: Path) -> Path:
    """Where the bytes of `path` grow until it is complete: beside it, with the same suffix last."""
    return path.with_name(f"{path.stem}.partial{path.suffix}")


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A binary file to write; it takes the name `path` when the block ends well, and vanishes when it does not.

    After Ctrl-C what was written stays under `partial_path(path)`: hours of work are not thrown away.

    Raises:
        OutputError: the file cannot be made or written (no folder, no permission, disk full).
    """
    partial = partial_path(path)
    try:
        with open(partial, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise OutputError(
            f"{path}: {error.strerror or error}",
            "a place that can be written",
            "check the folder, its permissions and the free space",
        ) from error
    except Exception:
        partial.unlink(missing_ok=True)
        raise


def write_whole(path: Path, data: bytes) -> None:
    """Writes `data` to `path`, whole or not at all. Raises OutputError."""
    with whole_file(path) as file:
        file.write(data)


def file_sha256(path: Path) -> str:
    """The sha256 of a file's bytes, in hex. Raises OSError."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def output_stream(path: Path | None) -> Iterator[TextIO]:
    """Standard output, or a text file (UTF-8) that appears whole; what is written goes out at once. Raises OutputError."""
    if path is None:
        yield sys.stdout
        return
    with whole_file(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        yield text
        text.flush()
        text.detach()
