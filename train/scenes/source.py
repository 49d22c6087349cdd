"""Where scenes come from: composed ones, or parts of annotated photographs."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from edge_runtime.framesets.marks import Scene
from train.errors import DataError
from train.scenes.compose import Composer
from train.scenes.negatives import read_negatives
from train.scenes.options import SceneOptions
from train.scenes.photographs import Photographs
from train.scenes.store import Store, read_store

__all__ = ["SceneSource", "composed", "open_source"]


class SceneSource(Protocol):
    """Gives scenes. Threads may share one."""

    sha256: str
    """Of what the scenes are made from."""

    def scene(self, *seed: int) -> Scene:
        """The scene of a seed: the same numbers give the same scene."""
        ...


def open_source(
    path: Path, split: str, options: SceneOptions, size: tuple[int, int], channels: int, negatives: Path | None = None
) -> SceneSource:
    """Scenes from an .npz of `scenes prepare`, or from a folder that is laid out as WIDER FACE is.

    Args:
        path: the file or folder.
        split: "training" or "held-out".
        options: what scenes are like.
        size: (width, height) in pixels.
        channels: 1 for grey, 3 for BGR.
        negatives: a file of `scenes mine`, for composed scenes.

    Raises:
        DataError: neither is there, or it is damaged.
    """
    if path.is_dir():
        if negatives is not None:
            raise DataError(f"--negatives with {path}", "composed scenes", "leave it out: photographs have their own")
        return Photographs(path, split, options, size, channels)
    return composed(read_store(path), split, options, size, channels, negatives)


def composed(
    store: Store,
    split: str,
    options: SceneOptions,
    size: tuple[int, int],
    channels: int,
    negatives: Path | None = None,
) -> Composer:
    """Scenes from a store that is open already. Raises DataError."""
    hard = None if negatives is None else read_negatives(negatives, store.sha256)
    return Composer(store, split, options, size, channels, hard)
