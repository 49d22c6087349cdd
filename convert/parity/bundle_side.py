"""A side that is a bundle, as a board runs it: its labels and its illumination are its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.graph import read_graph
from convert.parity.sides import Options
from convert.parity.tflite_side import TfliteSide
from edge_runtime.bundle import read_bundle
from edge_runtime.classifier import Classifier

__all__ = ["BundleSide"]


class BundleSide(TfliteSide):
    """A bundle's folder, or the name of one that comes with fer-edge.

    Raises:
        BundleError, GraphError, SideError, InterpreterError: what `read_bundle`, `Classifier` and `TfliteSide` refuse.
    """

    def __init__(self, place: str, name: str, options: Options) -> None:
        self._bundle = bundle = read_bundle(place)
        calibration = bundle.manifest.get("calibration")
        Classifier(bundle)  # what it reads and answers is what its manifest says, or this raises
        self._open(
            name,
            "bundle",
            bundle.program,
            read_graph(bundle.model, name),
            bundle.input.illumination,
            bundle.labels.names,
            str(bundle.manifest["arithmetic"]),
            bundle.sha256,
            options.threads,
            calibration if isinstance(calibration, Mapping) else None,
        )

    def _real(self, stored: NDArray[Any]) -> NDArray[np.float32]:
        return self._bundle.probabilities(super()._real(stored))
