"""Crops to probabilities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from devices.base import Engine
from edge_runtime.bundle import Bundle
from edge_runtime.errors import BundleError
from edge_runtime.illumination import normalize
from edge_runtime.interpreter import Model
from edge_runtime.members import CLASSIFIER

__all__ = ["Classifier"]


class Classifier:
    """A bundle's model, loaded once and kept for life.

    Args:
        bundle: a verified bundle.
        threads: of the interpreter.
        engine: what runs the model instead of an interpreter in this process, such as an accelerator: it takes uint8 (N, size, size,
            channels) and gives (N, labels) as stored, as `devices.engine.SupervisedEngine` does.

    Raises:
        BundleError: the model's input or output is not what the manifest says.
        InterpreterError: no interpreter, or it refuses the model.
    """

    def __init__(self, bundle: Bundle, threads: int = 1, engine: Engine | None = None) -> None:
        if bundle.manifest["kind"] != CLASSIFIER:
            raise BundleError(
                f"bundle {bundle.name} of kind {bundle.manifest['kind']!r}", f"a {CLASSIFIER}", "name another --bundle"
            )
        self.bundle = bundle
        self.labels = bundle.labels
        self.model = Model(bundle.program, threads, name=f"bundle {bundle.name}")
        self._engine: Engine = engine or self.model
        size, channels = bundle.input.size, bundle.input.channels
        for what, found, wanted in (
            ("input", (self.model.input.shape, self.model.input.dtype), ((1, size, size, channels), "uint8")),
            ("output", self.model.output.shape, (1, len(bundle.labels))),
        ):
            if found != wanted:
                raise BundleError(
                    f"bundle {bundle.name}: {what} {found}", f"{wanted}, as its manifest says", "pack the bundle again"
                )

    def classify(self, crops: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Probabilities, float32 (N, labels), of crops that are uint8 (size, size, channels) each, as they were cut out.

        All of them go through the model together, where the interpreter gives each the answer that it has alone.
        Their illumination is normalised here, as the bundle says, and nowhere else on the board.
        """
        if not crops:
            return np.zeros((0, len(self.labels)), np.float32)
        illumination = self.bundle.input.illumination
        inputs = np.stack([normalize(crop, illumination) for crop in crops])
        return self.bundle.probabilities(self.model.dequantized(self._engine.run(inputs)))
