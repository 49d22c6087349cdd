"""The bundles that a trial asks: those that come with the package, and the tests' small ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from boards.wheel import ROOT
from edge_runtime.detectors.detector_bundle import read_any_bundle
from edge_runtime.members import CLASSIFIER, KINDS, SHIPPED, is_shipped, shipped_bundles

__all__ = ["Subject", "find_subjects"]

_TINY = ROOT / "tests" / "bundles"


@dataclass(frozen=True)
class Subject:
    """A bundle.

    Attributes:
        name: as its manifest says.
        folder: where it lies on this machine.
        detector: whether it finds faces; otherwise it classifies them.
        arithmetic: "int8", "float32" …
        shipped: it comes with the package.
    """

    name: str
    folder: Path
    detector: bool
    arithmetic: str
    shipped: bool


def find_subjects(names: Sequence[str]) -> list[Subject]:
    """Verified bundles by the names of shipped ones or by their folders; without names, all that the checkout has.

    Raises:
        BundleError: no such bundle, or a damaged one.
    """
    folders = [SHIPPED / name if is_shipped(name) else Path(name) for name in names]
    if not names:
        folders = [SHIPPED / name for name in shipped_bundles(*KINDS)]
        folders += sorted(path.parent for path in _TINY.glob("*/manifest.json"))
    return [_read(folder) for folder in folders]


def _read(folder: Path) -> Subject:
    bundle = read_any_bundle(folder)
    kind, arithmetic = str(bundle.manifest["kind"]), str(bundle.manifest["arithmetic"])
    return Subject(bundle.name, folder.resolve(), kind != CLASSIFIER, arithmetic, folder.parent == SHIPPED)
