"""From the paths on a command line to the pictures and videos behind them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from devices.cameras.container import container_of
from devices.errors import one_line
from edge_runtime.errors import UsageError
from edge_runtime.picture_header import HEAD_BYTES, picture_kind
from edge_runtime.pictures import PICTURE_SUFFIXES, VIDEO_SUFFIXES

__all__ = ["Findings", "Input", "find_inputs"]

Kind = Literal["picture", "video"]

_SUFFIXES = PICTURE_SUFFIXES | VIDEO_SUFFIXES
_SHARED_SUFFIXES = (".ts", ".mts")  # TypeScript has them too: in folders only what is a video inside


@dataclass(frozen=True)
class Input:
    """One file to read, and as what."""

    path: Path
    kind: Kind


@dataclass(frozen=True)
class Findings:
    """What paths led to.

    Attributes:
        inputs: the files, in the order of the paths; within a folder by name. None is listed twice.
        problems: paths that led to nothing, one line each.
        ignored: files in folders that are neither picture nor video by their name.
    """

    inputs: tuple[Input, ...]
    problems: tuple[UsageError, ...]
    ignored: int = 0


def find_inputs(paths: Iterable[str | os.PathLike[str]]) -> Findings:
    """Finds the pictures and videos that `paths` name.

    A file is taken whatever it is called, as what its content shows. In folders, and folders within, files are chosen by
    their suffix; hidden ones (".name") are passed over. Links are followed, but into each folder once, so that loops end.
    Nothing is raised for a path that is missing: it becomes a problem, and the others are found all the same.
    """
    search = _Search()
    for path in paths:
        # Path("") is the current folder, but an empty argument is a shell variable that was not set.
        if os.fspath(path):
            search.look_at(Path(path))
        else:
            search.problems.append(
                UsageError("an empty path", "a file or folder", "check the variable that should hold it")
            )
    return Findings(tuple(search.inputs.values()), tuple(search.problems), search.ignored)


class _Search:
    def __init__(self) -> None:
        self.inputs: dict[str, Input] = {}
        self.problems: list[UsageError] = []
        self.ignored = 0
        self._folders: set[tuple[int, int]] = set()

    def look_at(self, path: Path) -> None:
        """One path that the user named."""
        try:
            status = path.stat()
        except (OSError, ValueError) as error:
            self._report(path, getattr(error, "strerror", None) or str(error), "a file or folder", "check the path")
            return
        if stat.S_ISDIR(status.st_mode):
            found, ignored, seen = len(self.inputs), self.ignored, len(self._folders)
            known = (status.st_dev, status.st_ino) in self._folders
            problems = len(self.problems)
            self._walk(path)
            if len(self.inputs) == found and len(self.problems) == problems and not known:
                others = self.ignored - ignored
                folders = len(self._folders) - seen
                self._report(
                    path,
                    f"no picture or video among {others} files in {folders} folder{'s'[: folders != 1]}",
                    f"files such as {', '.join(sorted(_SUFFIXES)[:8])}, …",
                    "name a folder that has some",
                )
        elif stat.S_ISREG(status.st_mode):
            self._add(path, _kind_inside(path) or _kind_by_suffix(path))
        else:
            self._report(path, "a device or pipe", "a file or folder", "save it as a file first")

    def _walk(self, top: Path) -> None:
        """Takes a folder's files, and its folders in their place, without recursion: a path may be deep."""
        waiting = [top]
        while waiting:
            path = waiting.pop()
            try:
                status = path.stat()
            except OSError:  # a link that leads nowhere: reading it says so
                if path.suffix.lower() in _SUFFIXES:
                    self._add(path, _kind_by_suffix(path))
                continue
            if stat.S_ISDIR(status.st_mode):
                place = (status.st_dev, status.st_ino)
                if place in self._folders:
                    continue
                self._folders.add(place)
                try:
                    names = sorted(os.listdir(path), reverse=True)
                except OSError as error:
                    self._report(path, error.strerror or str(error), "a readable folder", "check its permissions")
                    continue
                waiting.extend(path / name for name in names if not name.startswith("."))
            elif not stat.S_ISREG(status.st_mode) or path.suffix.lower() not in _SUFFIXES:
                self.ignored += 1
            else:
                kind = _kind_inside(path)
                if kind is None and path.suffix.lower() in _SHARED_SUFFIXES:
                    self.ignored += 1
                else:
                    self._add(path, kind or _kind_by_suffix(path))

    def _add(self, path: Path, kind: Kind) -> None:
        self.inputs.setdefault(os.path.abspath(path), Input(path, kind))

    def _report(self, path: Path, found: str, expected: str, mend: str) -> None:
        self.problems.append(UsageError(f"{one_line(str(path))}: {found}", expected, mend))


def _kind_inside(path: Path) -> Kind | None:
    """What the first bytes show; None for anything else, and for a file that cannot be opened."""
    try:
        with open(path, "rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError:
        return None
    if picture_kind(head) is not None:
        return "picture"
    return "video" if container_of(head) is not None else None


def _kind_by_suffix(path: Path) -> Kind:
    return "video" if path.suffix.lower() in VIDEO_SUFFIXES else "picture"
