"""`python -m convert pack`: a converted model becomes a bundle."""

from __future__ import annotations

import argparse
from pathlib import Path

from convert.errors import UsageError
from convert.kinds import KINDS
from convert.pack import Request, pack
from edge_runtime.labels import label_set

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Returns 0; whatever is wrong raises."""
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
