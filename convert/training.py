"""Where a model's weights come from: the run folder that training wrote, read as a file, without training's code."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from convert.errors import ProvenanceError
from edge_runtime.errors import UsageError
from edge_runtime.files import file_sha256
from edge_runtime.illumination import NO_ILLUMINATION, check_illumination
from edge_runtime.labels import LABEL_SETS, LabelSet
from edge_runtime.members import CLASSIFIER, FACE_DETECTOR

__all__ = [
    "check_run_model",
    "check_travels",
    "illumination_beside",
    "labels_beside",
    "read_run_card",
    "training_table",
]

CARD, MODEL = "run.json", "model.keras"
CARD_VERSION = 1
_KEPT = {
    "recipe": ("name", "sha256", "seed"),
    "model": ("architecture", "size", "channels"),
    "data": ("sha256", "train_split", "choosing_sha256", "choose_split"),
    "result": ("epochs", "best_epoch", "steps_per_epoch", "accuracy", "interval"),
    "code": ("commit", "dirty"),
    "versions": ("fer_edge", "keras", "backend"),
}
"""What a bundle keeps of a run card; the rest stays with the run."""
_CALIBRATED = ("temperature", "split", "faces", "data_sha256", "before", "after")
"""What it keeps of a calibration (`python -m train calibrate`), which a run need not have."""
_TAUGHT = ("teacher_share", "temperature", "views", "unlabelled")
_TEACHER = ("name", "recipe", "sha256", "accuracy", "choose_split")
"""What it keeps of how a student was taught (`python -m train distill`), and of each teacher."""


def training_table(
    run: Path, labels: LabelSet, source_sha256: str, illumination: str = NO_ILLUMINATION
) -> dict[str, Any]:
    """The training provenance for a manifest.

    Args:
        run: a run folder of `python -m train fit`.
        labels: of the bundle.
        source_sha256: of the Keras model that was converted; the run's `model.keras` must be that file.
        illumination: that the conversion assumed.

    Raises:
        ProvenanceError: no run card, an incomplete one, or one of another model, label set or illumination.
    """
    path = run / CARD
    card = read_run_card(path)
    found = card["model"].get("labels")
    if found != list(labels.names):
        raise ProvenanceError(
            f"{path}: a model with the labels {found}",
            f"{', '.join(labels.names)}, as the bundle's label set {labels.name!r} has them",
            "name the run that this model comes from, or its label set",
        )
    check_run_model(run, source_sha256)
    table = {part: {key: card[part][key] for key in keys} for part, keys in _KEPT.items()}
    trained = _illumination(card, path)
    if trained != illumination:
        raise ProvenanceError(
            f"{path}: a model trained with the illumination {trained!r}",
            f"{illumination!r}, with which it was converted",
            f"convert it again with --illumination {trained}",
        )
    if trained != NO_ILLUMINATION:
        table["model"]["illumination"] = trained
    if card.get("unpacked") is not None:
        table["unpacked"] = card["unpacked"]  # what the card says of faces and epochs is of what was done since
    if card.get("distillation") is not None:
        table["distillation"] = _distillation(card["distillation"], path)
    calibration = card.get("calibration")
    if calibration is not None:
        if calibration["model_sha256"] != source_sha256:
            raise ProvenanceError(
                f"{path}: a calibration of another model",
                f"that of {MODEL}, sha256 {source_sha256[:12]}…",
                "run `python -m train calibrate` again, or `fit`, which drops it",
            )
        table["calibration"] = {key: calibration[key] for key in _CALIBRATED}
    check_travels(table, path)
    return table


def check_run_model(run: Path, source_sha256: str) -> None:
    """Raises ProvenanceError where a run's model is not the file of that sha256."""
    try:
        sha256 = file_sha256(run / MODEL)
    except OSError as error:
        raise ProvenanceError(f"{run / MODEL}: {error.strerror}", "the model of the run", "check --run") from error
    if sha256 != source_sha256:
        raise ProvenanceError(
            f"{run / MODEL}: sha256 {sha256[:12]}…",
            f"{source_sha256[:12]}…, that of the Keras model which was converted",
            "name the run that the model comes from, or convert this run's model",
        )


def check_travels(table: Mapping[str, Any], path: Path) -> None:
    """Raises ProvenanceError where a table of a run card names a place on this machine."""
    for text in _texts(table):
        if PurePosixPath(text).is_absolute() or PureWindowsPath(text).is_absolute():
            raise ProvenanceError(f"{path}: the path {text!r}", "facts that can travel", "remove it from the run card")


def illumination_beside(model: Path) -> str | None:
    """The illumination that a Keras model was trained with, from the run card in its folder; None where there is none.

    Raises:
        ProvenanceError: a run card that is damaged, incomplete, or names an illumination that this version does not know.
    """
    path = model.parent / CARD
    if model.name != MODEL or not path.exists():
        return None
    return _illumination(read_run_card(path), path)


def labels_beside(model: Path) -> LabelSet | None:
    """The labels of a Keras model, from the run card in its folder; None where there is none.

    Raises:
        ProvenanceError: a run card that is damaged, incomplete, or whose labels are none of the known sets.
    """
    path = model.parent / CARD
    if model.name != MODEL or not path.exists():
        return None
    found = read_run_card(path)["model"].get("labels")
    for labels in LABEL_SETS.values():
        if found == list(labels.names):
            return labels
    raise ProvenanceError(
        f"{path}: a model with the labels {found}",
        f"those of one of {', '.join(LABEL_SETS)}",
        "name the label set with --label-set",
    )


def _distillation(taught: Any, path: Path) -> dict[str, Any]:
    """By whom a student was taught. Raises ProvenanceError where a run card does not say it all."""
    try:
        teachers = [{key: teacher[key] for key in _TEACHER} for teacher in taught["teachers"]]
        return {**{key: taught[key] for key in _TAUGHT}, "teachers": teachers}
    except (KeyError, TypeError) as error:
        raise ProvenanceError(
            f"{path}: distillation without {error}",
            f"{', '.join(_TAUGHT)} and teachers with {', '.join(_TEACHER)}",
            "name a finished run folder of `python -m train distill`",
        ) from error


def _illumination(card: Mapping[str, Any], path: Path) -> str:
    """Of a run card; those of before there was a choice have no such key."""
    try:
        return check_illumination(card["model"].get("illumination", NO_ILLUMINATION))
    except UsageError as error:
        raise ProvenanceError(f"{path}: {error.received}", error.expected, error.mend) from error


def read_run_card(path: Path, kept: Mapping[str, Sequence[str]] = _KEPT, kind: str = CLASSIFIER) -> dict[str, Any]:
    """A run card of a classifier or of a face detector.

    Args:
        path: of `run.json`.
        kept: keys that each of its tables must have.
        kind: of model; the card of a classifier does not say it.

    Raises:
        ProvenanceError: none, a damaged or incomplete one, one of another version, or of another kind of model.
    """
    mend = "name a finished run folder of `python -m train fit`"
    try:
        card = json.loads(path.read_bytes())
    except OSError as error:
        raise ProvenanceError(f"{path}: {error.strerror}", "the card of a finished run", mend) from error
    except ValueError as error:
        raise ProvenanceError(f"{path}: no JSON ({error})", "the card of a finished run", mend) from error
    version = card.get("format") if isinstance(card, dict) else None
    if version != CARD_VERSION:
        raise ProvenanceError(f"{path}: run card of format {version!r}", f"format {CARD_VERSION}", mend)
    found = card.get("kind", CLASSIFIER)
    if found != kind:
        raise ProvenanceError(
            f"{path}: the run of a {found}",
            f"that of a {kind}",
            "detectors go through `tflite`, `pack`, and `parity` with --data FRAMES.npz (docs/detector.md)"
            if found == FACE_DETECTOR
            else "name another run",
        )
    for part, keys in kept.items():
        for key in keys:
            if not isinstance(card.get(part), Mapping) or key not in card[part]:
                raise ProvenanceError(f"{path}: no {part}.{key}", "a complete run card", mend)
    return dict(card)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
