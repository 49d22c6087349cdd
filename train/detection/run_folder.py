"""What a detector's run leaves in its folder.

recipe.toml                  the recipe as it was
checkpoints/                 the newest two; the same command goes on from them
model.keras                  pixels 0..255 to scores 0..1, distances and landmarks, float32, the best epoch's weights
history.csv, curves.png      an epoch a row; an unpacked bundle has none
precision.png, curve.json    precision, recall and false faces for every threshold
scenes.png                   training scenes with what is taught
found.png                    held-out scenes with what was found
run.json                     the run card
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2

from edge_runtime.framesets.judgement import Judgement
from edge_runtime.framesets.marks import Marks, Scene
from train.detection.figures import draw_detector_curves, draw_precision
from train.detection.fit import Fitted
from train.detection.recipe import DETECTOR, DetectorRecipe
from train.files import MODEL, whole_path, write_json, write_text
from train.models.face_detector import STRIDES
from train.run_card import CARD, CARD_VERSION, Code, Hardware, Versions
from train.scenes.sheet import draw_sheet
from train.scenes.source import SceneSource

__all__ = ["lines_of", "write_detector_run"]

_SHOWN = 20


@dataclass(frozen=True)
class _Data:
    """Hashes of what scenes are made from; `negatives_sha256` is None without mined places."""

    sha256: str
    negatives_sha256: str | None
    judged_scenes: int
    judged_faces: int
    judged_from_px: float


def write_detector_run(
    fitted: Fitted,
    recipe: DetectorRecipe,
    training: SceneSource,
    judged: Sequence[Scene],
    negatives_sha256: str | None,
    folder: Path,
    steps: int | None,
    unpacked: Mapping[str, Any] | None = None,
) -> None:
    """Writes everything but the recipe and the checkpoints; the model first, as it is what the hours went into.

    `unpacked` says of which bundle it was made, where it was.
    """
    with whole_path(folder / MODEL) as partial:
        fitted.model.save(partial)
    judgement = fitted.judgement
    if fitted.history:  # of an unpacked bundle there is none
        _write_history(fitted, folder)
    draw_precision(judgement, recipe.name, folder / "precision.png")
    write_json(folder / "curve.json", judgement.curve.as_table())
    _write_sheet([training.scene(recipe.seed, 0, number) for number in range(_SHOWN)], folder / "scenes.png")
    found = [
        Scene(scene.image, Marks(seen.boxes, seen.points, scene.marks.boxes))
        for scene, seen in zip(judged[:_SHOWN], _sure(fitted), strict=False)
    ]
    _write_sheet(found, folder / "found.png")
    net = recipe.model
    card = {
        "format": CARD_VERSION,
        "kind": DETECTOR,
        "recipe": {"name": recipe.name, "sha256": recipe.sha256, "seed": recipe.seed},
        "model": {
            "architecture": DETECTOR,
            "width": net.width,
            "height": net.height,
            "channels": net.channels,
            "strides": list(STRIDES),
            "weights": Path(net.weights).name,
            "options": asdict(net.options),
        },
        "data": asdict(
            _Data(training.sha256, negatives_sha256, judgement.pictures, judgement.faces, recipe.judging.smallest_px)
        ),
        "result": {
            "epochs": len(fitted.history),
            "best_epoch": fitted.best_epoch,
            "wall_s": round(fitted.wall_s, 1),
            "average_precision": judgement.average_precision,
            "recall_at_one_false_a_picture": judgement.recall_at_one,
            "threshold_at_one_false_a_picture": judgement.threshold_at_one,
            "landmark_error": judgement.landmark_error,
            "parameters": int(fitted.model.count_params()),
            "steps_per_epoch": steps,
        },
        "code": asdict(Code.here()),
        "versions": asdict(Versions.here()),
        "hardware": asdict(Hardware.here()),
    }
    if unpacked is not None:
        card["unpacked"] = unpacked
    write_json(folder / CARD, card)


def lines_of(judgement: Judgement) -> list[str]:
    """The figures for a person."""
    error = judgement.landmark_error
    return [
        f"average precision {100 * judgement.average_precision:.2f} % at IoU 0.5 ({judgement.faces} faces in {judgement.pictures} scenes)",
        f"recall {100 * judgement.recall_at_one:.2f} % at one false face a picture (threshold {judgement.threshold_at_one:.3f})",
        "landmarks: none known" if error is None else f"landmarks off by {100 * error:.2f} % of the eyes' distance",
    ]


def _sure(fitted: Fitted) -> list[Any]:
    threshold = max(0.3, fitted.judgement.threshold_at_one)
    return [seen.at(seen.scores >= threshold) for seen in fitted.found]


def _write_history(fitted: Fitted, folder: Path) -> None:
    keys = list(dict.fromkeys(key for row in fitted.history for key in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, keys, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(fitted.history)
    write_text(folder / "history.csv", text.getvalue())
    draw_detector_curves(fitted.history, fitted.best_epoch, folder / "curves.png")


def _write_sheet(scenes: Sequence[Scene], path: Path) -> None:
    with whole_path(path) as partial:
        cv2.imwrite(str(partial), draw_sheet(scenes, min(5, len(scenes))))
