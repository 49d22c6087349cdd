"""A tiny bundle whose model sees its crops with their illumination normalised."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from edge_runtime.bundle import InputFacts, read_bundle
from edge_runtime.classifier import Classifier
from edge_runtime.golden import make_golden
from edge_runtime.members import canonical_json, with_own_hash


def bundle_with(source: Path, folder: Path, illumination: str) -> Path:
    """The bundle `source` packed anew into `folder` for a method, golden faces and all."""
    shutil.copytree(source, folder)
    bundle = read_bundle(source)
    model = Classifier(bundle).model
    facts = InputFacts(bundle.input.size, bundle.input.channels, illumination)
    golden = make_golden(
        lambda pixels: bundle.probabilities(model.dequantized(model.run(pixels))), bundle.labels, facts
    )
    (folder / "golden.npz").write_bytes(golden)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest["members"]["golden.npz"] = {"bytes": len(golden), "sha256": hashlib.sha256(golden).hexdigest()}
    manifest["input"] = facts.as_table()
    (folder / "manifest.json").write_bytes(canonical_json(with_own_hash(manifest)))
    return folder
