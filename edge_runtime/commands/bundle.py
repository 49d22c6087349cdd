"""`fer-edge bundle show|verify`: what a bundle is, and whether each of its bytes is right."""

from __future__ import annotations

import argparse
import json

from edge_runtime.bundle import Bundle, read_bundle
from edge_runtime.detectors.detector_bundle import DetectorBundle, read_detector_bundle
from edge_runtime.members import CLASSIFIER, DEFAULT_BUNDLE, FACE_DETECTOR, kind_of, shipped_bundles

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Returns 0; a bundle with a wrong byte raises BundleError, which the command turns into exit 2."""
    bundle = _read(arguments.bundle or DEFAULT_BUNDLE)
    if arguments.action == "verify":
        members = len(bundle.manifest["members"])
        print(f"{bundle.name}: {members} members and the manifest are as packed; sha256 {bundle.sha256}")
        return 0
    print(json.dumps({"bundle_sha256": bundle.sha256, **bundle.manifest}, indent=2, ensure_ascii=False))
    if arguments.bundle is None:
        others = [name for kind in (CLASSIFIER, FACE_DETECTOR) for name in shipped_bundles(kind) if name != bundle.name]
        if others:
            print(f"also shipped: {', '.join(others)}")
    return 0


def _read(name_or_path: str) -> Bundle | DetectorBundle:
    return read_detector_bundle(name_or_path) if kind_of(name_or_path) == FACE_DETECTOR else read_bundle(name_or_path)
