"""The forms that one model can take: float32 throughout, int8 throughout, and int8 but for some units.

The model is converted once and its ranges are measured once; each form is then a second of ai-edge-quantizer's work.
"""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.check import check_graph
from convert.errors import GraphError
from convert.graph import Graph, read_graph
from convert.parity.macs import tflite_macs
from convert.parity.signals import chosen_faces, measure_signals
from convert.parity.tflite_side import TfliteSide
from convert.quantizer import Ranges, kept_tensors, output_name
from convert.search.units import Unit, Units, find_units
from convert.tflite import Conversion, KerasFacts, checked, layer_names, leaf_names, ranges_of, selected

__all__ = ["FormSide", "Forms", "make_forms"]

_BITS = 8


class FormSide(TfliteSide):
    """A form as a side of parity: what a .tflite file of these bytes would answer, without the file."""

    def __init__(self, name: str, content: bytes, arithmetic: str, illumination: str, threads: int) -> None:
        sha256 = hashlib.sha256(content).hexdigest()
        graph = read_graph(content, name)
        self._open(name, "tflite", content, graph, illumination, None, arithmetic, sha256, threads)


@dataclass(frozen=True)
class Forms:
    """All forms of one model.

    Attributes:
        model, facts, where: the Keras model, its sizes, and its name in messages.
        float32, graph: its float32 file.
        everything: its file with all in int8.
        ranges: of its tensors over the calibration faces.
        units: what can be kept.
        known: the names of all of its layers.
    """

    model: Any
    facts: KerasFacts
    where: str
    float32: bytes
    graph: Graph
    everything: bytes
    ranges: Ranges
    units: Units
    known: frozenset[str]

    def mixed(self, kept: Collection[str]) -> Conversion:
        """What `convert tflite` makes of a mixed recipe that keeps the units `kept`; where none are, int8 throughout.

        Raises:
            GraphError, TrialError: see `convert.tflite.convert`.
        """
        tensors: tuple[str, ...] = ()
        if kept:
            layers, operators = self.keep(kept)
            tensors = kept_tensors(self.graph, layers, operators, self.known, self.where)
        content = selected(self.float32, self.ranges, _BITS, tensors, self.where)
        return checked(self.model, self.facts, content, "mixed", self.where, kept=tensors)

    def alone(self, unit: Unit) -> bytes:
        """The model with one unit in int8 and all others in float32. Raises GraphError where that unit has no int8 form."""
        others = tuple(
            name for name in (output_name(self.graph, node) for node in self.graph.nodes) if name not in unit.tensors
        )
        content = selected(self.float32, self.ranges, _BITS, others, self.where)
        if unit.weighted:
            check_graph(read_graph(content, self.where), "mixed", self.facts.classes, self.where, kept=others)
        return content

    def keep(self, kept: Collection[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """A recipe's `keep_layers` and `keep_operators` for units, in the order of the net."""
        units = [unit for unit in self.units.units if unit.name in kept]
        layers = (glob.escape(layer) for unit in units for layer in unit.layers)
        return tuple(layers), tuple(operator for unit in units for operator in unit.operators)

    def float_macs(self, kept: Collection[str]) -> float:
        """The share of multiply-accumulates in float32 where these units are kept, 0 to 1."""
        total = tflite_macs(self.graph)
        return sum(unit.macs for unit in self.units.units if unit.name in kept) / total if total else 0.0

    def signals(self, pixels: NDArray[np.uint8]) -> dict[str, float]:
        """Signal to noise in dB of the last tensor of each unit, by its name, in the model that keeps nothing.

        A unit whose tensors are equal in both, or in one of them alone, is left out.
        """
        chosen = pixels[chosen_faces(len(pixels))]
        quantized = ("int8", self.everything, read_graph(self.everything, self.where))
        found = measure_signals(quantized, ("float32", self.float32, self.graph), chosen, chosen)
        noise = {} if found is None else {each.tensor: each.sqnr_db for each in found.layers}
        last = {unit.name: noise.get(unit.tensors[-1]) for unit in self.units.units}
        return {name: value for name, value in last.items() if value is not None}


def make_forms(model: Any, facts: KerasFacts, float32: bytes, pixels: NDArray[np.uint8], where: str) -> Forms:
    """Measures the ranges and finds the units.

    Args:
        model, facts: the Keras model.
        float32: of `float32_form`.
        pixels: calibration faces, uint8 (N, S, S, C).
        where: the model's name, for messages.

    Raises:
        GraphError: ai-edge-quantizer refuses the model.
    """
    graph, known = read_graph(float32, where), layer_names(model)
    ranges = ranges_of(float32, pixels, where)
    everything = selected(float32, ranges, _BITS, (), where)
    quantized = {
        tensor.name for tensor in read_graph(everything, where).tensors if tensor.scale and not tensor.constant
    }
    units = find_units(graph, quantized, known, leaf_names(model))
    if not any(unit.weighted for unit in units.units):
        raise GraphError(
            f"{where}: no layer with weights whose name is in the converted model",
            "at least one, to be kept in float32 or not",
            "convert it with --kind int8 and judge that with `python -m convert parity`",
        )
    return Forms(model, facts, where, float32, graph, everything, ranges, units, frozenset(known))
