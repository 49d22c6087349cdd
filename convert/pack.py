"""Packing: a converted model, its card and its provenance become a bundle that `edge_runtime.bundle` reads."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.card import Card, read_card
from convert.check import check_budget, check_graph
from convert.errors import PackError
from convert.graph import read_graph
from convert.logits import find_logits
from convert.measured import parity_table, read_measured
from convert.metadata import Description, with_metadata
from convert.placing import check_place, placed
from convert.training import training_table
from edge_runtime.bundle import Bundle, InputFacts, read_bundle
from edge_runtime.classifier import Classifier
from edge_runtime.golden import check, make_golden
from edge_runtime.interpreter import Model
from edge_runtime.labels import LabelSet
from edge_runtime.logits import softmax
from edge_runtime.members import CLASSIFIER, FORMAT_VERSION, GOLDEN, MANIFEST, MODEL, canonical_json, with_own_hash
from edge_runtime.preprocess import PREPROCESS_VERSION
from edge_runtime.version import __version__

__all__ = ["Request", "check_name", "conversion_table", "member_table", "pack", "read_model_file"]

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Request:
    """What to pack.

    Attributes:
        model: a .tflite file of `python -m convert tflite`, with its card beside it.
        name: of the bundle: lower-case letters, digits, dot, underscore and hyphen.
        labels: in the order of the model's outputs.
        licence: of the model's weights, as a person or SPDX names it.
        run: the run folder that the Keras model comes from, or None.
        records: `fer-edge record` files by kind.
        most_bytes: the largest model file, or None.
    """

    model: Path
    name: str
    labels: LabelSet
    licence: str
    run: Path | None = None
    records: Mapping[str, Path] = field(default_factory=dict)
    most_bytes: int | None = None

    def __post_init__(self) -> None:
        check_name(self.name)


def check_name(name: str) -> None:
    """Raises PackError for a name that no bundle may have."""
    if not _NAME.fullmatch(name):
        raise PackError(
            f"bundle name {name!r}",
            "1 to 64 of a-z, 0-9, dot, underscore, hyphen, the first a letter or digit",
            "choose another --name",
        )


def pack(request: Request, out: Path, replace: bool = False) -> Bundle:
    """Writes the folder `out`, whole or not at all: it is made beside, read back and self-tested before it gets its name.

    Args:
        replace: put it in the place of a bundle that is there already.

    Returns:
        The bundle as it was read back.

    Raises:
        PackError: `out` exists and is no bundle, or is one and `replace` is not set; or the self-test fails.
        GraphError: the model breaks a static fact, such as the count of labels.
        ProvenanceError: the card, the run or a record is missing, damaged or of another model, or the run was trained
            with another illumination than the model was converted with.
    """
    check_place(out, replace)
    members, manifest = _contents(request)
    if request.records:
        records = {kind: read_measured(path) for kind, path in request.records.items()}
        recorded = hashlib.sha256(canonical_json(manifest)).hexdigest()
        parity = parity_table(records, manifest["arithmetic"], request.labels, recorded)
        manifest = with_own_hash({**manifest, "parity": parity})
    members[MANIFEST] = canonical_json(manifest)
    with placed(out) as partial:
        for name, content in members.items():
            (partial / name).write_bytes(content)
        bundle = read_bundle(partial)
        verdict = check(bundle, Classifier(bundle).model)
        if not verdict.exact:
            raise PackError(
                f"{request.model}: the self-test of the new bundle says {verdict.message!r}",
                "the same answers twice in a row",
                "report this as a defect: the model is not deterministic here",
            )
    return bundle


def _contents(request: Request) -> tuple[dict[str, bytes], dict[str, Any]]:
    """The members but the manifest, and the manifest. Both depend on the request alone, not on time or place."""
    content = read_model_file(request.model)
    card = read_card(request.model, content)
    graph = read_graph(content, str(request.model))
    check_graph(graph, card.kind, len(request.labels), str(request.model), kept=card.kept)
    try:
        facts = InputFacts(graph.input.shape[1], graph.input.shape[3], card.illumination)
    except ValueError as error:
        raise PackError(
            f"{request.model}: {error}", "an input that a bundle can have", "train at another size"
        ) from error
    text = f"Facial expressions, {card.kind}: {', '.join(request.labels.names)}."
    description = Description(request.name, text, request.licence, facts.size, facts.channels, request.labels)
    content = with_metadata(content, description)
    check_budget(len(content), request.most_bytes, str(request.model))
    place = find_logits(content)
    model = Model(content if place is None else place.answering(content), name=str(request.model))

    def answer(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        answers = model.dequantized(model.run(pixels))
        return answers if place is None else softmax(answers)

    golden = make_golden(answer, request.labels, facts)
    members = {MODEL: content, GOLDEN: golden}
    manifest = {
        "format": FORMAT_VERSION,
        "kind": CLASSIFIER,
        "arithmetic": card.kind,
        "name": request.name,
        "label_set": request.labels.name,
        "labels": list(request.labels.names),
        "input": facts.as_table(),
        "preprocess": PREPROCESS_VERSION,
        "licence": request.licence,
        "packed_by": f"fer-edge {__version__}",
        "conversion": conversion_table(card),
        "members": member_table(members),
    }
    if place is not None:
        manifest["logits"] = place.as_table()
    if card.calibration is not None:
        manifest["calibration"] = dict(card.calibration)
    if request.run is not None:
        manifest["training"] = training_table(request.run, request.labels, card.source_sha256, card.illumination)
    return members, with_own_hash(manifest)


def member_table(members: Mapping[str, bytes]) -> dict[str, Any]:
    """Size and sha256 of each member, as a manifest lists them."""
    return {
        name: {"bytes": len(member), "sha256": hashlib.sha256(member).hexdigest()} for name, member in members.items()
    }


def conversion_table(card: Card) -> dict[str, Any]:
    """What a manifest keeps of a model's card."""
    kept = {"kept": list(card.kept)} if card.kept and card.kind == "mixed" else {}
    return {
        **kept,
        "source": card.source,
        "source_sha256": card.source_sha256,
        "sha256": card.sha256,
        "versions": dict(card.versions),
        "operators": dict(card.operators),
    }


def read_model_file(path: Path) -> bytes:
    """The bytes of a .tflite file. Raises PackError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise PackError(f"{path}: {error.strerror}", "a .tflite file", "check the path") from error
