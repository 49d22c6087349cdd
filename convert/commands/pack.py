"""`python -m convert pack`: a converted model becomes a bundle, a classifier's or a face detector's."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from convert.commands.options import refuse_options
from convert.detector.pack import FRAMING, DetectorRequest, pack_detector
from convert.detector.threshold import MOST_FALSE
from convert.errors import UsageError
from convert.graph import read_operators
from convert.kinds import KINDS
from convert.pack import Request, pack, read_model_file
from convert.source import finds_faces
from edge_runtime.detectors.decode import OVERLAP
from edge_runtime.detectors.second_look import SURE
from edge_runtime.labels import label_set
from edge_runtime.preprocess import Framing

__all__ = ["run"]

_OF_CLASSIFIERS: Mapping[str, object] = {"label_set": None, "record": []}
_OF_DETECTORS: Mapping[str, object] = {
    "threshold": None,
    "false_faces": None,
    "overlap": None,
    "framing": None,
    "second_look": None,
    "half": None,
    "parity": None,
}


def run(arguments: argparse.Namespace) -> int:
    """Returns 0; whatever is wrong raises."""
    graph = read_operators(read_model_file(arguments.model), str(arguments.model))
    if finds_faces([tensor.shape for tensor in graph.outputs]):
        refuse_options(arguments, _OF_CLASSIFIERS, f"a face detector, {arguments.model}")
        return _detector(arguments)
    refuse_options(arguments, _OF_DETECTORS, f"a classifier, {arguments.model}")
    return _classifier(arguments)


def _classifier(arguments: argparse.Namespace) -> int:
    if arguments.label_set is None:
        raise UsageError(
            f"{arguments.model} without --label-set", "fer2013, ferplus or affectnet8", "name what it answers"
        )
    request = Request(
        arguments.model,
        arguments.name,
        label_set(arguments.label_set),
        arguments.licence,
        arguments.run,
        _records(arguments.record),
        arguments.most_bytes,
    )
    bundle = pack(request, arguments.out, arguments.replace)
    facts = bundle.input
    print(f"{arguments.out}: bundle {bundle.name} ({bundle.manifest['kind']}), {len(bundle.model):,} bytes of model")
    colours = "grey" if facts.channels == 1 else "BGR"
    print(f"  reads {facts.size} × {facts.size} px, {colours}, illumination {facts.illumination}")
    print(f"  answers {', '.join(bundle.labels.names)}")
    for kind, accuracy in bundle.manifest.get("parity", {}).get("accuracy", {}).items():
        print(f"  {kind}: {100 * accuracy['share']:.2f} % on {bundle.manifest['parity']['split']}")
    print(f"  sha256 {bundle.sha256}; read back and self-tested")
    return 0


def _detector(arguments: argparse.Namespace) -> int:
    request = DetectorRequest(
        arguments.model,
        arguments.name,
        arguments.licence,
        arguments.run,
        arguments.threshold,
        MOST_FALSE if arguments.false_faces is None else arguments.false_faces,
        OVERLAP if arguments.overlap is None else arguments.overlap,
        FRAMING if arguments.framing is None else _framing(arguments.framing),
        arguments.second_look,
        arguments.parity,
        arguments.most_bytes,
        arguments.half,
    )
    bundle = pack_detector(request, arguments.out, arguments.replace)
    facts, manifest = bundle.facts, bundle.manifest
    print(f"{arguments.out}: bundle {bundle.name} ({manifest['kind']}), {len(bundle.model):,} bytes of model")
    colours = "grey" if facts.channels == 1 else "BGR"
    print(f"  reads {facts.width} × {facts.height} px, {colours}; strides {', '.join(map(str, facts.strides))}")
    if facts.second_look is None:
        print(f"  faces from a score of {facts.threshold:.3f} on")
    else:
        print(f"  faces from a score of {SURE:.3f} on, or of {facts.second_look:.3f} as the mean of two looks")
    if bundle.half is not None:
        half = bundle.half.facts
        print(f"  second looks at large faces by the same net of {half.width} × {half.height} px")
    if "operating_point" in manifest:
        point = manifest["operating_point"]
        looks = "" if facts.second_look is None else f", by one look from {facts.threshold:.3f} on"
        print(
            f"    on the run's held-out scenes{looks}: recall {100 * point['recall']:.1f} %, precision"
            f" {100 * point['precision']:.1f} %, {point['false_a_picture']:.3f} false a picture"
        )
    if "parity" in manifest:
        parity = manifest["parity"]
        own, reference = (100 * parity[side]["average_precision"]["value"] for side in ("own", "reference"))
        print(
            f"  average precision {own:.2f} %, its original's {reference:.2f} %; gate {parity['gate']}: {parity['outcome']}"
        )
    print(f"  sha256 {bundle.sha256}; read back and self-tested")
    return 0


def _framing(text: str) -> Framing:
    side, *numbers = text.split(":")
    try:
        return Framing(side, *(float(number) for number in numbers))
    except (ValueError, TypeError) as error:
        raise UsageError(
            f"--framing {text}", "SIDE:SCALE[:RIGHT:DOWN]", "--framing height:0.96, as benchmarks.framing prints it"
        ) from error


def _records(texts: list[str]) -> dict[str, Path]:
    records: dict[str, Path] = {}
    for text in texts:
        kind, _, path = text.partition("=")
        if kind not in KINDS or not path or kind in records:
            raise UsageError(
                f"--record {text}", f"KIND=FILE.npz, once for each of {', '.join(KINDS)}", "--record int8=FILE.npz"
            )
        records[kind] = Path(path)
    return records
