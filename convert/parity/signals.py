"""Signal to noise along a net: how far each tensor of a converted model lies from the same tensor in float32.

A quantized file keeps the names of the tensors that it was made from, so the two graphs are matched by name; where one
was renamed, by the order of operators, if that is the same. Both run
without a delegate, one face at a time: XNNPACK would keep what lies between the layers to itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.graph import Graph, Tensor
from devices.quiet import quiet_libraries

__all__ = ["FACES", "LayerSignal", "Signals", "chosen_faces", "measure_signals"]

FACES = 16
"""A tensor has hundreds to thousands of values a face, so a decibel is steady with few of them."""

SEED = 1
_MOVES_NOTHING = ("QUANTIZE", "DEQUANTIZE", "CAST", "RESHAPE", "SQUEEZE")
_STEPS_BEYOND = 1.0
"""A value within one step of the ends is rounded, not clipped."""


@dataclass(frozen=True)
class LayerSignal:
    """One tensor on the faces.

    Attributes:
        tensor: its name in the candidate.
        operator: that makes it in the candidate.
        sqnr_db: 10 log10 of the float tensor's power over the difference's; None where they are equal.
        low, high: of the float tensor's values.
        representable_low, representable_high: what the candidate's integers reach; None where it is not quantized.
        clipped: share of the float values beyond that; 0 where it is not quantized.
    """

    tensor: str
    operator: str
    sqnr_db: float | None
    low: float
    high: float
    representable_low: float | None
    representable_high: float | None
    clipped: float

    @property
    def layer(self) -> str:
        """The name for people: without the model's, and without those that were fused into it."""
        first = self.tensor.split(";")[0]
        parts = first.split("/")
        return "/".join(parts[-2:]) if len(parts) > 1 else first

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Signals:
    """All tensors that two files share, in the order in which the candidate makes them.

    Attributes:
        candidate, against: names of the two sides; `against` computes in float32.
        faces: how many were run.
        layers: one or more.
    """

    candidate: str
    against: str
    faces: int
    layers: tuple[LayerSignal, ...]

    def worst(self, count: int = 3) -> tuple[LayerSignal, ...]:
        """Those with the least signal to noise, the worst first."""
        noisy = [layer for layer in self.layers if layer.sqnr_db is not None]
        return tuple(sorted(noisy, key=lambda layer: layer.sqnr_db or 0.0)[:count])

    def as_json(self) -> dict[str, Any]:
        return {
            "candidate": self.candidate,
            "against": self.against,
            "faces": self.faces,
            "layers": [layer.as_json() for layer in self.layers],
        }


@dataclass
class _Sum:
    """What is kept of a tensor over the faces."""

    signal: float = 0.0
    noise: float = 0.0
    low: float = math.inf
    high: float = -math.inf
    values: int = 0
    beyond: int = 0


def chosen_faces(count: int, faces: int = FACES, seed: int = SEED) -> NDArray[np.int64]:
    """Indices of a seeded sample of `count` faces, in their order."""
    drawn = np.random.default_rng(seed).permutation(count)[:faces]
    indices: NDArray[np.int64] = np.sort(drawn).astype(np.int64)
    return indices


def measure_signals(
    candidate: tuple[str, bytes, Graph],
    against: tuple[str, bytes, Graph],
    candidate_pixels: NDArray[Any],
    against_pixels: NDArray[Any],
) -> Signals | None:
    """Runs two TFLite files on the same faces.

    Args:
        candidate, against: name, bytes and graph; `against` computes in float32.
        candidate_pixels, against_pixels: the faces as either reads them, (N, size, size, channels).

    Returns:
        The tensors that both have; None where they share none: files of two architectures.
    """
    name, content, graph = candidate
    pairs = _pairs(graph, against[2])
    if not pairs:
        return None
    sums = [_Sum() for _ in pairs]
    runs = zip(
        _tensors(against[1], against_pixels, [pair.against for pair in pairs]),
        _tensors(content, candidate_pixels, [pair.candidate for pair in pairs]),
        strict=True,
    )
    for wanted, got in runs:
        for pair, total in zip(pairs, sums, strict=True):
            _add(total, wanted[pair.against], got[pair.candidate], graph.tensors[pair.candidate])
    layers = tuple(
        _layer(pair.operator, graph.tensors[pair.candidate], total)
        for pair, total in zip(pairs, sums, strict=True)
        if total.signal
    )
    return Signals(name, against[0], len(candidate_pixels), layers) if layers else None


@dataclass(frozen=True)
class _Pair:
    """Places of one tensor in either graph, and the operator that makes it in the candidate's."""

    operator: str
    candidate: int
    against: int


def _pairs(graph: Graph, against: Graph) -> list[_Pair]:
    """The outputs of operators that both graphs have under one name; by their order where names tell nothing."""
    ours, theirs = _made(graph), _made(against)
    names = {against.tensors[place].name: place for _, place in theirs}
    pairs = [
        _Pair(operator, place, names[graph.tensors[place].name])
        for operator, place in ours + _reshaped(graph, {place: operator for operator, place in ours})
        if graph.tensors[place].name in names
    ]
    in_step = [operator for operator, _ in ours] == [operator for operator, _ in theirs]
    if 2 * len(pairs) < len(ours) and in_step:
        pairs = [_Pair(operator, place, other) for (operator, place), (_, other) in zip(ours, theirs, strict=True)]
    return [
        pair
        for pair in pairs
        if graph.tensors[pair.candidate].shape == against.tensors[pair.against].shape
        and against.tensors[pair.against].dtype == "float32"
    ]


def _made(graph: Graph) -> list[tuple[str, int]]:
    """Operator and place of each tensor that an operator computes, in the order of the graph."""
    return [
        (node.operator, place) for node in graph.nodes for place in node.outputs if node.operator not in _MOVES_NOTHING
    ]


def _reshaped(graph: Graph, makers: Mapping[int, str]) -> list[tuple[str, int]]:
    """As `_made`, for computed tensors in another shape: a dense layer that became a convolution ends so (`convert.dense`)."""
    return [
        (makers[node.inputs[0]], node.outputs[0])
        for node in graph.nodes
        if node.operator == "RESHAPE" and node.inputs[0] in makers
    ]


def _tensors(content: bytes, pixels: NDArray[Any], places: Sequence[int]) -> Iterator[dict[int, NDArray[Any]]]:
    """The tensors at `places` as stored, face by face."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    with quiet_libraries():
        interpreter = Interpreter(
            model_content=content,
            experimental_preserve_all_tensors=True,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        interpreter.allocate_tensors()
    read = interpreter.get_input_details()[0]["index"]
    for face in pixels:
        interpreter.set_tensor(read, face[None])
        interpreter.invoke()
        yield {place: interpreter.get_tensor(place) for place in places}


def _add(total: _Sum, wanted: NDArray[Any], stored: NDArray[Any], tensor: Tensor) -> None:
    signal = wanted.astype(np.float64)
    got = stored.astype(np.float64)
    if tensor.scale:
        got = (got - tensor.zero_point) * tensor.scale
        low, high = _representable(tensor)
        slack = _STEPS_BEYOND * tensor.scale
        total.beyond += int(((signal < low - slack) | (signal > high + slack)).sum())
    total.signal += float((signal**2).sum())
    total.noise += float(((got - signal) ** 2).sum())
    total.low, total.high = min(total.low, float(signal.min())), max(total.high, float(signal.max()))
    total.values += signal.size


def _representable(tensor: Tensor) -> tuple[float, float]:
    ends = np.iinfo(tensor.dtype)
    return (int(ends.min) - tensor.zero_point) * tensor.scale, (int(ends.max) - tensor.zero_point) * tensor.scale


def _layer(operator: str, tensor: Tensor, total: _Sum) -> LayerSignal:
    low, high = _representable(tensor) if tensor.scale else (None, None)
    sqnr = None if total.noise == 0 else 10 * math.log10(total.signal / total.noise)
    return LayerSignal(tensor.name, operator, sqnr, total.low, total.high, low, high, total.beyond / total.values)
