"""What a search keeps in float32 or not, one by one: units of layers that the converter has made one.

Convolution, batch normalization and activation become one operator, whose tensor names all three Keras layers: one unit.
So do layers whose names cannot be told apart. Operators that only move values (pooling by the largest, padding, reshaping)
round nothing of their own, and go with the unit that feeds them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from convert.check import WEIGHTED
from convert.graph import Graph
from convert.parity.macs import node_macs
from convert.quantizer import layers_in, output_name

__all__ = ["Unit", "Units", "find_units"]

_MOVING = (
    "EXPAND_DIMS",
    "GATHER",
    "MAX_POOL_2D",
    "PAD",
    "PADV2",
    "RESHAPE",
    "SPLIT",
    "SQUEEZE",
    "STRIDED_SLICE",
    "TRANSPOSE",
)


@dataclass(frozen=True)
class Unit:
    """Operators that are quantized, or kept in float32, together.

    Attributes:
        name: the Keras layer that people know it by; a TFLite operator where no layer's name is in the file.
        layers: Keras layers that a recipe's `keep_layers` names to keep all of it.
        operators: TFLite operators for `keep_operators`, where there is no layer's name.
        tensors: names of the tensors that its operators give, in the order of the net.
        kinds: the TFLite operator of each.
        macs: multiply-accumulates for one face.
    """

    name: str
    layers: tuple[str, ...]
    operators: tuple[str, ...]
    tensors: tuple[str, ...]
    kinds: tuple[str, ...]
    macs: int

    @property
    def weighted(self) -> bool:
        """Whether an operator with weights is among its own: one that a mixed model must have in int8 somewhere."""
        return any(kind in WEIGHTED for kind in self.kinds)


@dataclass(frozen=True)
class Units:
    """All units of a net, in its order, and the names of tensors that no recipe can keep: their operators have no layer's
    name, and others of their kind have one."""

    units: tuple[Unit, ...]
    unnamed: tuple[str, ...]

    @property
    def macs(self) -> int:
        return sum(unit.macs for unit in self.units)


def find_units(float32: Graph, quantized: Collection[str], known: Collection[str], leaves: Collection[str]) -> Units:
    """The units of a net.

    Args:
        float32: its float32 graph; tensors are named after the Keras layers.
        quantized: names of the tensors that are integers where nothing is kept. An operator without weights that gives
            another tensor is float32 in any case, and is in no unit.
        known: the names of all its Keras layers.
        leaves: of those that hold no other layers: a nested model's name stands in the tensors of all of its layers.
    """
    names, nodes = [output_name(float32, node) for node in float32.nodes], float32.nodes
    named = [layers_in(name, known) & set(leaves) for name in names]
    searched = [name in quantized or node.operator in WEIGHTED for name, node in zip(names, nodes, strict=True)]
    places = [place for place in range(len(nodes)) if searched[place] and named[place]]
    groups = _Groups(places)
    first: dict[str, int] = {}
    makers = {output: place for place, node in enumerate(nodes) for output in node.outputs}
    for place in places:
        for layer in named[place]:
            groups.join(place, first.setdefault(layer, place))
        if nodes[place].operator in _MOVING:
            feeding = next((makers[each] for each in nodes[place].inputs if each in makers), None)
            if feeding is not None and feeding in groups:
                groups.join(place, feeding)
    units = {}
    for members in groups.all():
        layers = _cover([named[place] for place in members], [nodes[place].operator for place in members])
        units[members[0]] = Unit(
            layers[0],
            layers,
            (),
            tuple(names[place] for place in members),
            tuple(nodes[place].operator for place in members),
            sum(node_macs(float32, nodes[place]) for place in members),
        )
    unnamed = []
    for place, node in enumerate(nodes):
        if not searched[place] or named[place] or node.operator in _MOVING:
            continue
        alike = [other for other, each in enumerate(nodes) if each.operator == node.operator]
        if any(named[other] for other in alike):
            unnamed.append(names[place])
        elif place == alike[0]:
            units[place] = Unit(
                node.operator,
                (),
                (node.operator,),
                tuple(names[other] for other in alike),
                (node.operator,) * len(alike),
                sum(node_macs(float32, nodes[other]) for other in alike),
            )
    return Units(tuple(units[place] for place in sorted(units)), tuple(unnamed))


class _Groups:
    """Places that belong together, directly or through others."""

    def __init__(self, places: Sequence[int]) -> None:
        self._leader = {place: place for place in places}

    def __contains__(self, place: object) -> bool:
        return place in self._leader

    def join(self, one: int, other: int) -> None:
        first, second = sorted((self._find(one), self._find(other)))
        self._leader[second] = first

    def all(self) -> list[list[int]]:
        """The groups by their first place, each in the order of its places."""
        found: dict[int, list[int]] = {}
        for place in sorted(self._leader):
            found.setdefault(self._find(place), []).append(place)
        return list(found.values())

    def _find(self, place: int) -> int:
        while self._leader[place] != place:
            place = self._leader[place]
        return place


def _cover(named: Sequence[set[str]], operators: Sequence[str]) -> tuple[str, ...]:
    """As few layers as name all operators of a unit; first one that names an operator with weights.

    The shortest of the names of one operator, as "block1" among "block1_norm" and "block1_relu", is what people call it.
    """
    order = sorted(range(len(named)), key=lambda place: operators[place] not in WEIGHTED)
    chosen: list[str] = []
    for place in order:
        if not named[place] & set(chosen):
            chosen.append(min(named[place], key=lambda name: (len(name), name)))
    return tuple(chosen)
