"""A detector without training of which it is known what it finds, and frames with such faces."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from convert.cli import main
from convert.quiet import quiet_tensorflow
from edge_runtime.framesets import FrameSet, Marks

SIZE = (160, 128)
POINTS = np.float32([(-0.5, -0.5), (0.5, -0.5), (0, 0), (-0.4, 0.7), (0.4, 0.7)])
"""Of a face, in strides from its cell's centre."""


def bright_detector(size: tuple[int, int] = SIZE, reach: float = 1.5) -> Any:
    """Takes every bright cell of 8 × 8 px for a face `reach` strides about its middle; its coarser levels find nothing.

    It has the layers of the real one that decide how it converts: pixels scaled in the net, convolutions, a nearest
    neighbour upwards, a sum, and a score, a box and landmarks as outputs of their own.
    """
    with quiet_tensorflow():
        import keras
        from keras import layers

        width, height = size
        inputs = keras.Input((height, width, 1), name="pixels")
        scaled = layers.Rescaling(1 / 127.5, -1, name="scale")(inputs)
        cells = {}
        for stride in (8, 16, 32):
            mean = keras.initializers.Constant(1 / stride**2)
            average = layers.Conv2D(1, stride, stride, "same", kernel_initializer=mean, name=f"mean{stride}")
            cells[stride] = average(scaled)
        up = layers.Resizing(height // 8, width // 8, interpolation="nearest", name="up8")(cells[16])
        little = layers.Conv2D(1, 1, kernel_initializer=keras.initializers.Constant(0.02), name="little")(up)
        cells[8] = layers.Add(name="join8")([cells[8], little])
        outputs = []
        for stride in (8, 16, 32):
            kinds = (
                ("score", 8.0, [-1.0 if stride == 8 else -12.0]),
                ("box", 1e-3, [reach] * 4),
                ("points", 1e-3, POINTS.ravel().tolist()),
            )
            for what, weight, bias in kinds:
                head = layers.Conv2D(
                    len(bias),
                    1,
                    kernel_initializer=keras.initializers.Constant(weight),
                    activation="sigmoid" if what == "score" else None,
                    name=f"{what}_{stride}",
                )
                outputs.append(head(cells[stride]))
                head.bias.assign(bias)
        return keras.Model(inputs, outputs, name="bright")


def bright_frames(count: int = 48, split: str = "held-out", source: str = "ab" * 32, seed: int = 1) -> FrameSet:
    """Dark frames, each with three faces of 24 px of any brightness, and a spot that is none but may look like one.

    Their landmarks are a pixel to the right and below of where the net puts them.
    """
    random = np.random.default_rng(seed)
    frames = random.integers(0, 25, (count, SIZE[1], SIZE[0], 1), dtype=np.uint8)
    marks = []
    for frame in frames:
        # Every fourth cell at most: no two boxes touch.
        places = random.permutation([(column, row) for column in range(2, 18, 4) for row in range(2, 14, 4)])[:4]
        for (column, row), level in zip(
            places, [*random.integers(150, 256, 3), random.integers(120, 190)], strict=True
        ):
            frame[8 * row : 8 * row + 8, 8 * column : 8 * column + 8] = level
        centers = np.float32([((column + 0.5) * 8, (row + 0.5) * 8) for column, row in places[:3]])
        boxes = np.concatenate([centers - 12, centers + 12], axis=1)
        marks.append(Marks(boxes, centers[:, None] + 8 * POINTS + 1, np.zeros((0, 4), np.float32)))
    frames[0, 0, :2, 0] = 0, 255
    return FrameSet(frames, marks, split, "bright", source, {"seed": seed})


def convert(model, *options):
    return main(["tflite", str(model), *map(str, options)])


CURVE = {
    "scores": [0.9, 0.7, 0.5, 0.3],
    "recall": [0.2, 0.5, 0.8, 0.9],
    "precision": [1.0, 0.98, 0.9, 0.6],
    "false_a_picture": [0.0, 0.04, 0.2, 1.1],
}


def run_folder(detector, folder, **result):
    """A run folder as `python -m train fit --recipe face_detector` leaves it, with what packing reads of it."""
    folder.mkdir()
    (folder / "model.keras").write_bytes(detector.model.read_bytes())
    (folder / "curve.json").write_text(json.dumps(CURVE))
    card = {
        "format": 1,
        "kind": "face_detector",
        "recipe": {"name": "face_detector", "sha256": "r", "seed": 1},
        "model": {"architecture": "face_detector", "width": 160, "height": 128, "channels": 1, "strides": [8, 16, 32]},
        "data": {
            "sha256": "d",
            "negatives_sha256": None,
            "judged_scenes": 3,
            "judged_faces": 9,
            "judged_from_px": 16.0,
        },
        "result": {"epochs": 2, "best_epoch": 2, "steps_per_epoch": None, "average_precision": 0.8},
        "code": {"commit": "c", "dirty": False},
        "versions": {"fer_edge": "0", "keras": "3", "backend": "tensorflow"},
    }
    card["model"]["options"] = {"width": 1.0}
    card["result"] |= {"recall_at_one_false_a_picture": 0.9, "landmark_error": 0.05} | result
    (folder / "run.json").write_text(json.dumps(card))
    return folder
