"""Packing a detector: a converted net, its card, a threshold and its provenance become a bundle that finds faces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convert.blocks import BLOCK, in_blocks
from convert.card import Card, read_card
from convert.check import check_budget
from convert.detector.check import check_detector, graph_facts
from convert.detector.facts import NetFacts
from convert.detector.threshold import MOST_FALSE, OperatingPoint, choose_point, point_at, read_curve
from convert.detector.training import parity_table, training_table
from convert.errors import PackError
from convert.graph import read_operators
from convert.pack import check_name, conversion_table, member_table, read_model_file
from convert.placing import check_place, placed
from edge_runtime.detectors.decode import OVERLAP
from edge_runtime.detectors.detector_bundle import HALF, HALF_GOLDEN, DetectorBundle, DetectorFacts
from edge_runtime.detectors.detector_golden import make_detector_golden
from edge_runtime.detectors.net import DetectorNet
from edge_runtime.detectors.tflite import TFLiteDetector
from edge_runtime.members import FACE_DETECTOR, FORMAT_VERSION, GOLDEN, MANIFEST, MODEL, canonical_json, with_own_hash
from edge_runtime.preprocess import PREPROCESS_VERSION, Framing
from edge_runtime.version import __version__

__all__ = ["FRAMING", "DetectorRequest", "pack_detector"]

FRAMING = Framing("height", 0.96)
"""Of YuNet, whose boxes are what composed scenes teach. `python -m benchmarks.framing` measures a detector's own."""


@dataclass(frozen=True)
class DetectorRequest:
    """What to pack.

    Attributes:
        model: a .tflite file of `python -m convert tflite`, with its card beside it.
        name: of the bundle: lower-case letters, digits, dot, underscore and hyphen.
        licence: of the net's weights, as a person or SPDX names it.
        run: the run folder that the Keras model comes from, or None.
        threshold: the score from which a box is a face; None takes the lowest that has at most `most_false` false faces a
            picture on the run's held-out scenes.
        most_false: see there.
        overlap: above which the less certain of two boxes is dropped.
        second_look: the mean score of two looks from which a box is a face that one look is not sure of; None looks once.
        framing: where a classifier's crop lies relative to the boxes.
        report: the folder of a parity run with this file as a candidate, or None.
        most_bytes: of all model files together, or None.
        half: the same Keras model, converted in the same way with half the width and height, for second looks; or None.
    """

    model: Path
    name: str
    licence: str
    run: Path | None = None
    threshold: float | None = None
    most_false: float = MOST_FALSE
    overlap: float = OVERLAP
    framing: Framing = FRAMING
    second_look: float | None = None
    report: Path | None = None
    most_bytes: int | None = None
    half: Path | None = None

    def __post_init__(self) -> None:
        check_name(self.name)
        if self.threshold is None and self.run is None:
            raise PackError(
                f"{self.name}: neither --run nor --threshold",
                "a run folder, whose curve the threshold is taken from, or a threshold",
                "add --run RUN_DIR",
            )


def pack_detector(request: DetectorRequest, out: Path, replace: bool = False) -> DetectorBundle:
    """Writes the folder `out`, whole or not at all: it is made beside, read back and self-tested before it gets its name.

    Args:
        replace: put it in the place of a bundle that is there already.

    Returns:
        The bundle as it was read back.

    Raises:
        PackError: `out` exists and is no bundle, or is one and `replace` is not set; a threshold, overlap or size that
            no bundle may have; or the self-test fails.
        GraphError: the model breaks a static fact.
        ProvenanceError: the card, the run, its curve or the report is missing, damaged or of another model.
    """
    check_place(out, replace)
    members, manifest = _contents(request)
    members[MANIFEST] = canonical_json(manifest)
    with placed(out) as partial:
        for name, content in members.items():
            (partial / name).write_bytes(content)
        detector = TFLiteDetector(str(partial))
        verdict = detector.selftest()
        if not verdict.exact:
            raise PackError(
                f"{request.model}: the self-test of the new bundle says {verdict.message!r}",
                "the same answers twice in a row",
                "report this as a defect: the model is not deterministic here",
            )
    return detector.bundle


def _contents(request: DetectorRequest) -> tuple[dict[str, bytes], dict[str, Any]]:
    """The members but the manifest, and the manifest. Both depend on the request alone, not on time or place."""
    where, content = str(request.model), read_model_file(request.model)
    card = read_card(request.model, content)
    graph = read_operators(content, where)
    net = graph_facts(graph, where)
    check_detector(graph, card.kind, net, where)
    packed = in_blocks(content)
    check_budget(len(packed), request.most_bytes, where)
    training = None if request.run is None else training_table(request.run, card.source_sha256)
    threshold, point = _threshold(request, training, net)
    try:
        facts = DetectorFacts(
            net.width,
            net.height,
            net.channels,
            net.strides,
            threshold,
            request.overlap,
            request.framing,
            request.second_look,
        )
    except ValueError as error:
        raise PackError(f"{where}: {error}", "what a detector's bundle can have", "correct the option") from error
    members = {MODEL: packed, GOLDEN: _golden(packed, facts, where)}
    if request.half is not None:
        members |= _half(request.half, card, facts)
        check_budget(
            sum(len(members[name]) for name in (MODEL, HALF)), request.most_bytes, f"{where} and {request.half}"
        )
    manifest = {
        "format": FORMAT_VERSION,
        "kind": FACE_DETECTOR,
        "arithmetic": card.kind,
        "name": request.name,
        "preprocess": PREPROCESS_VERSION,
        "licence": request.licence,
        "packed_by": f"fer-edge {__version__}",
        "conversion": conversion_table(card) | ({} if packed is content else {"convolutions_in_blocks_of": BLOCK}),
        "members": member_table(members),
        **facts.as_table(),
    }
    if point is not None:
        manifest["operating_point"] = point.as_table()
    if card.calibration is not None:
        manifest["calibration"] = dict(card.calibration)
    if training is not None:
        manifest["training"] = training
    if request.report is not None:
        manifest["parity"] = parity_table(request.report, card.sha256)
    return members, with_own_hash(manifest)


def _half(model: Path, of: Card, facts: DetectorFacts) -> dict[str, bytes]:
    """The members of the net of half the size."""
    where, content = str(model), read_model_file(model)
    card, graph = read_card(model, content), read_operators(content, where)
    net = graph_facts(graph, where)
    check_detector(graph, card.kind, net, where)
    try:
        half = facts.halved()
    except ValueError as error:
        raise PackError(f"{where}: {error}", "a second look, and an even size", "add --second-look") from error
    found = net.width, net.height, net.channels, net.strides, card.kind, card.source_sha256
    if found != (half.width, half.height, half.channels, half.strides, of.kind, of.source_sha256):
        raise PackError(
            f"{where}: {net.width} × {net.height} px, {card.kind}, of {card.source_sha256[:12]}",
            f"{half.width} × {half.height} px, {of.kind}, of {of.source_sha256[:12]}",
            f"convert the same Keras model with --kind {of.kind} --size {half.width}x{half.height}",
        )
    packed = in_blocks(content)
    return {HALF: packed, HALF_GOLDEN: _golden(packed, half, where)}


def _golden(content: bytes, facts: DetectorFacts, where: str) -> bytes:
    shape = facts.height, facts.width, facts.channels
    return make_detector_golden(DetectorNet(content, shape, facts.strides, name=where).answer, facts)


def _threshold(
    request: DetectorRequest, training: Mapping[str, Any] | None, net: NetFacts
) -> tuple[float, OperatingPoint | None]:
    """The threshold, and what it gave on the run's held-out scenes where there is a run that was judged at this net's size."""
    judged = "" if training is None else "{width} × {height} px".format(**training["model"])
    if request.run is None or judged != f"{net.width} × {net.height} px":
        if request.threshold is None:
            raise PackError(
                f"{request.model} reads {net.width} × {net.height} px, and {request.run} was judged at {judged}",
                "a threshold for this size",
                "add --threshold",
            )
        return request.threshold, None
    curve = read_curve(request.run)
    point = choose_point(curve, request.most_false) if request.threshold is None else point_at(curve, request.threshold)
    return point.threshold, point
