"""Hard negatives: where in a place a model saw a face that is none, in one .npz a round."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_runtime.archives import DamagedArchiveError, read_archive
from edge_runtime.files import whole_file
from train.errors import DataError

__all__ = ["Negatives", "read_negatives", "write_negatives"]


@dataclass(frozen=True)
class Negatives:
    """Places of one file of scenes.

    Attributes:
        places: int64 (N,), each one's place in the store.
        boxes: float32 (N, 4), in pixels of the place.
        scales: float32 (N,), how much the place was enlarged when the model fired.
        scores: float32 (N,), how sure it was.
        store_sha256: of the file of scenes that the places are in.
        sha256: of this file; "" before it was written.
    """

    places: NDArray[np.int64]
    boxes: NDArray[np.float32]
    scales: NDArray[np.float32]
    scores: NDArray[np.float32]
    store_sha256: str
    sha256: str = ""

    def __len__(self) -> int:
        return len(self.places)

    def at(self, places: NDArray[np.int64]) -> Negatives:
        """Only those in some places: training never sees a held-out one."""
        return self._where(np.isin(self.places, places))

    def worst(self, most: int) -> Negatives:
        """The `most` surest of them."""
        return self._where(np.sort(np.argsort(-self.scores, kind="stable")[:most]))

    def plus(self, other: Negatives) -> Negatives:
        return Negatives(
            np.concatenate([self.places, other.places]),
            np.concatenate([self.boxes, other.boxes]),
            np.concatenate([self.scales, other.scales]),
            np.concatenate([self.scores, other.scores]),
            self.store_sha256,
        )

    def draw(self, random: np.random.Generator) -> tuple[int, NDArray[np.float32], float]:
        """A place, a box in it, and the scale; the surer the model was, the likelier."""
        chances = self.scores / self.scores.sum()
        index = int(random.choice(len(self), p=chances.astype(np.float64) / chances.astype(np.float64).sum()))
        return int(self.places[index]), self.boxes[index], float(self.scales[index])

    def _where(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Negatives:
        return Negatives(
            self.places[chosen],
            self.boxes[chosen],
            self.scales[chosen],
            self.scores[chosen],
            self.store_sha256,
            self.sha256,
        )


def write_negatives(negatives: Negatives, path: Path) -> None:
    """Raises OutputError."""
    with whole_file(path) as file:
        np.savez_compressed(
            file,
            places=negatives.places,
            boxes=negatives.boxes,
            scales=negatives.scales,
            scores=negatives.scores,
            store_sha256=np.array(negatives.store_sha256),
        )


def read_negatives(path: Path, store_sha256: str) -> Negatives:
    """Raises DataError where it is no file of `scenes mine`, or one of other scenes."""
    try:
        data = path.read_bytes()
        archive = read_archive(data)
        boxes, scales, scores = (archive[name].astype(np.float32) for name in ("boxes", "scales", "scores"))
        digest = hashlib.sha256(data).hexdigest()
        places = archive["places"].astype(np.int64)
        read = Negatives(places, boxes, scales, scores, str(archive["store_sha256"]), digest)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}", "the .npz of `scenes mine`", "check the path") from error
    except (DamagedArchiveError, KeyError, ValueError) as error:
        raise DataError(f"{path}: {error}", "an undamaged .npz of `scenes mine`", "mine again") from error
    if read.store_sha256 != store_sha256:
        raise DataError(
            f"{path}: places of the scenes {read.store_sha256[:12]}",
            f"those of {store_sha256[:12]}",
            "mine in the scenes that are trained on",
        )
    return read
