"""`fer-edge bundle show|verify`: what a bundle is, and whether each of its bytes is right."""

from __future__ import annotations

import argparse
import json

from edge_runtime.detectors.detector_bundle import read_any_bundle
from edge_runtime.members import DEFAULT_BUNDLE, KINDS, shipped_bundles

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Returns 0; a bundle with a wrong byte raises BundleError, which the command turns into exit 2."""
    bundle = read_any_bundle(arguments.bundle or DEFAULT_BUNDLE)
    if arguments.action == "verify":
        members = len(bundle.manifest["members"])
        print(f"{bundle.name}: {members} members and the manifest are as packed; sha256 {bundle.sha256}")
        return 0
    print(json.dumps({"bundle_sha256": bundle.sha256, **bundle.manifest}, indent=2, ensure_ascii=False))
    if arguments.bundle is None:
        others = [name for name in shipped_bundles(*KINDS) if name != bundle.name]
        if others:
            print(f"also shipped: {', '.join(others)}")
    return 0
