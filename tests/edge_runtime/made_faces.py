"""Made-up faces on disk for the tests of their readers."""

from pathlib import Path

import cv2
import numpy as np

from edge_runtime.labels import FERPLUS_VOTES

SIDE = 48
VOTES_HEADER = ",".join(("Usage", "Image name", *FERPLUS_VOTES))


def pixels_of(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE), dtype=np.uint8)


def words(pixels: np.ndarray) -> str:
    return " ".join(map(str, pixels.ravel()))


def csv_of(path: Path, rows: list[str], header: str = "emotion,pixels,Usage") -> Path:
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def picture(path: Path, seed: int = 0, size: int = 20) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.random.default_rng(seed).integers(0, 256, (size, size), dtype=np.uint8)
    cv2.imwrite(str(path), image)
    return path
