"""The card beside a converted model: `FILE.tflite.json` or `FILE.onnx.json` says what it was made from and how."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from convert.errors import ProvenanceError
from convert.kinds import IO, KINDS
from edge_runtime.errors import UsageError
from edge_runtime.illumination import NO_ILLUMINATION, check_illumination
from edge_runtime.members import CLASSIFIER, FACE_DETECTOR

__all__ = ["Card", "card_path", "read_card"]

CARD_VERSION = 1


@dataclass(frozen=True)
class Card:
    """One conversion.

    Attributes:
        kind: one of KINDS.
        sha256, size_bytes: of the model's file.
        source: file name of the Keras model, and source_sha256 of its bytes.
        versions: of the packages that converted it.
        operators: how often each operator occurs.
        calibration: where the faces come from that set the ranges; None where the kind needs none.
        illumination: that the model was trained with and calibrated with; a card without the key says "none".
        io: the dtype of the pixels; a card without the key says "uint8".
        recipe: name and sha256 of the recipe, and what was chosen otherwise than it says; None in older cards.
        kept: names of the tensors that a mixed model keeps in float32.
        trial: how near its answers for made-up pictures are to the Keras model's; None in older cards.
        stability: how well the models of two calibration sets agree; None where that was not asked for.
        subject: what the model is: a classifier, or a face detector; a card without the key says "classifier".
    """

    kind: str
    sha256: str
    size_bytes: int
    source: str
    source_sha256: str
    versions: Mapping[str, str]
    operators: Mapping[str, int]
    calibration: Mapping[str, Any] | None
    illumination: str = NO_ILLUMINATION
    io: str = "uint8"
    recipe: Mapping[str, Any] | None = None
    kept: Sequence[str] = ()
    trial: Mapping[str, Any] | None = None
    stability: Mapping[str, Any] | None = None
    subject: str = CLASSIFIER

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind {self.kind!r}, but only {' and '.join(KINDS)} are known")
        if self.io not in IO:
            raise ValueError(f"io {self.io!r}, but only {' and '.join(IO)} are known")
        if self.subject not in (CLASSIFIER, FACE_DETECTOR):
            raise ValueError(f"subject {self.subject!r}, but only {CLASSIFIER} and {FACE_DETECTOR} are known")
        if KINDS[self.kind].calibrated != (self.calibration is not None):
            raise ValueError(f"a {self.kind} model with{'out' if self.calibration is None else ''} calibration")
        check_illumination(self.illumination)
        if self.calibration is not None:
            calibrated = self.calibration.get("illumination", NO_ILLUMINATION)
            if calibrated != self.illumination:
                raise ValueError(f"faces calibrated with {calibrated!r} for a model of {self.illumination!r}")

    def to_json(self) -> bytes:
        """The card's file; what does not apply to a kind is left out."""
        unset = {"io": "uint8", "recipe": None, "kept": (), "trial": None, "stability": None, "subject": CLASSIFIER}
        table = {"version": CARD_VERSION, **asdict(self)}
        table = {key: value for key, value in table.items() if key not in unset or value != unset[key]}
        return (json.dumps(table, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def card_path(model: Path) -> Path:
    """Where the card of a .tflite file lies."""
    return model.with_name(f"{model.name}.json")


def read_card(model: Path, content: bytes) -> Card:
    """The card of `model`, whose bytes are `content`.

    Raises:
        ProvenanceError: no card, a damaged one, or one of another model.
    """
    path = card_path(model)
    mend = "convert it with `python -m convert tflite`, which writes both files, and keep them together"
    try:
        table = json.loads(path.read_bytes())
        version = table.pop("version")
        card = Card(**table) if version == CARD_VERSION else None
    except OSError as error:
        raise ProvenanceError(f"{path}: {error.strerror}", "the card of the model", mend) from error
    except (ValueError, KeyError, TypeError, AttributeError, UsageError) as error:
        raise ProvenanceError(f"{path}: no card of a conversion ({error})", "the card of the model", mend) from error
    if card is None:
        raise ProvenanceError(f"{path}: card version {version!r}", f"{CARD_VERSION}", mend)
    found = hashlib.sha256(content).hexdigest()
    if found != card.sha256:
        raise ProvenanceError(
            f"{path}: the card of a model with sha256 {card.sha256[:12]}…", f"{found[:12]}…, that of {model.name}", mend
        )
    return card
