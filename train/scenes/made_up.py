"""Drawn faces and places, for trials and tests: seeded, and as easy as training data should be for two short epochs."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.framesets.marks import Marks
from train.scenes.store import SPLITS, Store

__all__ = ["made_up_store"]


def made_up_store(faces: int = 12, places: int = 6, seed: int = 1) -> Store:
    """Faces of 64 × 72 px with their boxes and landmarks, and places of 200 × 160 px without anybody, half a split each."""
    random = np.random.default_rng(seed)
    drawn = [_face(random) for _ in range(faces)]
    return Store(
        [_png(image) for image, _, _ in drawn],
        np.stack([box for _, box, _ in drawn]),
        np.stack([points for _, _, points in drawn]),
        np.resize(np.array(SPLITS), faces),
        [_png(_place(random)) for _ in range(places)],
        np.resize(np.array(SPLITS), places),
        [Marks.none() for _ in range(places)],
        {"made up": True, "seed": seed},
        f"made-up-{seed}-{faces}-{places}",
    )


def _face(random: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]:
    image = np.full((72, 64, 3), int(random.integers(30, 90)), np.uint8)
    x, y = 32 + int(random.integers(-2, 3)), 37 + int(random.integers(-2, 3))
    skin, dark = int(random.integers(150, 230)), int(random.integers(10, 50))
    cv2.ellipse(image, (x, y), (23, 30), 0, 0, 360, (skin,) * 3, -1, cv2.LINE_AA)
    points = np.array([(x - 9, y - 8), (x + 9, y - 8), (x, y + 3), (x - 8, y + 14), (x + 8, y + 14)], np.float32)
    for eye in points[:2]:
        cv2.ellipse(image, (int(eye[0]), int(eye[1])), (5, 3), 0, 0, 360, (dark,) * 3, -1, cv2.LINE_AA)
    cv2.line(image, (x, y - 4), (x, y + 3), (dark + 40,) * 3, 2, cv2.LINE_AA)
    cv2.ellipse(image, (x, y + 13), (9, int(random.integers(2, 6))), 0, 0, 180, (dark,) * 3, 3, cv2.LINE_AA)
    box = np.array([x - 23, y - 30, x + 23, y + 30], np.float32)
    return image, box, points + 0.5


def _place(random: np.random.Generator) -> NDArray[np.uint8]:
    coarse = random.integers(0, 256, (5, 6, 3), dtype=np.uint8)
    image = cv2.resize(coarse, (200, 160), interpolation=cv2.INTER_CUBIC)
    for _ in range(8):
        at = random.integers(0, 160, 4).tolist()
        colour = tuple(random.integers(0, 256, 3).tolist())
        cv2.rectangle(image, (at[0], at[1]), (at[2], at[3]), colour, int(random.integers(1, 5)))
    noise = random.normal(0, 5, image.shape)
    noisy: NDArray[np.uint8] = np.clip(image + noise, 0, 255).astype(np.uint8)
    return noisy


def _png(image: NDArray[np.uint8]) -> bytes:
    return bytes(cv2.imencode(".png", image)[1])
