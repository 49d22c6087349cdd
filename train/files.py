"""Files and folders of runs, which appear whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edge_runtime.errors import OutputError
from edge_runtime.files import partial_path, write_whole
from train.errors import DataError, ModelError

__all__ = [
    "CHECKPOINTS",
    "MODEL",
    "RECIPE",
    "SAVED",
    "START",
    "check_model_file",
    "folder_of",
    "make_folder",
    "model_at",
    "new_folder",
    "whole_folder",
    "whole_path",
    "write_json",
    "write_text",
]

MODEL, RECIPE, CHECKPOINTS = "model.keras", "recipe.toml", "checkpoints"
"""In a run folder: the saved model, the recipe as it was given, byte for byte, and what an interrupted run goes on from."""

SAVED = f"a saved model or a run folder with {MODEL}"
START = f"none, imagenet, {SAVED}"
"""What a command takes as a model, and as weights to start from."""


def folder_of(out: Path | None, name: str, *, one_of_several: bool = False) -> Path:
    """The folder of the run called `name`: `out`, or below it where there are several; in runs/ where no `out` is given."""
    return out if out is not None and not one_of_several else (out or Path("runs")) / name


def model_at(path: Path) -> Path:
    """The saved model that is meant by a run folder or by the file itself."""
    return path / MODEL if path.is_dir() else path


def check_model_file(path: Path, expected: str = SAVED) -> None:
    """Raises ModelError where no file is."""
    if path.is_file():
        return
    found = "is no file" if path.exists() else "does not exist"
    mend = f"finish the run: `python -m train fit … --out {path.parent}`" if path.name == MODEL else "check the path"
    raise ModelError(f"{path}, which {found}", expected, mend)


@contextmanager
def whole_path(path: Path) -> Iterator[Path]:
    """A path to write to for those who need a name (Keras, matplotlib); moved to `path` when the block ends well.

    Raises:
        OutputError: the disk refuses; what stood at `path` is still there.
    """
    partial = partial_path(path)
    try:
        yield partial
        with open(partial, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        raise OutputError(
            f"{path}: {error.strerror or error}",
            "a place that can be written",
            "free disk space or name another folder, then run the same command again",
        ) from error
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A new folder to write into; it takes the place of `folder`, which is empty or not there, when the block ends well.

    Raises:
        OutputError: the disk refuses; nothing of it stays.
    """
    partial = folder.with_name(f"{folder.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        make_folder(partial)
        yield partial
        partial.rename(folder)
    except OSError as error:
        raise OutputError(
            f"{folder}: {error.strerror or error}",
            "a place that can be written",
            "free disk space or name another folder, then run the same command again",
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def new_folder(path: Path) -> Path:
    """The same path, where nothing is, or an empty folder. Raises DataError."""
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise DataError(f"--out {path}, which is there already", "a new folder", "name another one")
    return path


def make_folder(path: Path) -> None:
    """Makes the folder and those above it. Raises OutputError where that is not possible."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror}", "a folder to write into", "name another one") from error


def write_text(path: Path, text: str) -> None:
    """UTF-8 text. Raises OutputError."""
    write_whole(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """Indented JSON; NaN is refused (ValueError), since JSON has none. Raises OutputError."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
