"""What a .tflite file holds, read from its bytes without running it."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from convert.errors import GraphError
from convert.flatbuffer import IDENTIFIER

__all__ = ["Graph", "Node", "Tensor", "read_graph", "read_operators"]

Option = bool | int | float

_INDEX = {"int32": "<i4", "int64": "<i8"}
_MOST_VALUES = 64
"""Longer constants are weights and biases; what an operator does is said by a few numbers."""


@dataclass(frozen=True)
class Tensor:
    """One tensor: real = scale × (stored - zero_point); scale 0 means that it is not quantized.

    `constant`: its values stand in the file, as those of a weight do. `scales`: how many it has, several where each
    channel has its own. `values`: of a short constant of int32 or int64, such as axes or a new shape. `zeros`: a
    constant of which every element stands for 0.
    """

    name: str
    shape: tuple[int, ...]
    signature: tuple[int, ...]
    dtype: str
    scale: float
    zero_point: int
    constant: bool = False
    scales: int = 0
    values: tuple[int, ...] = ()
    zeros: bool = False


@dataclass(frozen=True)
class Node:
    """One operator at work; inputs and outputs are places in the graph's `tensors`, absent inputs left out.

    `version`: of the operator, as the schema counts them. `options`: what the schema calls them, such as
    `fusedActivationFunction`; numbers alone.
    """

    operator: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    version: int = 1
    options: Mapping[str, Option] = field(default_factory=dict)


@dataclass(frozen=True)
class Graph:
    """The one subgraph of a model.

    Attributes:
        size_bytes: of the file.
        operators: how often each operator occurs; custom ones by their own name, such as "FlexErf (custom)".
        input, output: the model's own; of `read_operators`, the first ones.
        tensors: all of them, with `signature` as the shape that the model was converted with, -1 where it is open.
        nodes: the operators in the order in which they run.
        outputs: all of the model's own.
    """

    size_bytes: int
    operators: dict[str, int]
    input: Tensor
    output: Tensor
    tensors: tuple[Tensor, ...]
    nodes: tuple[Node, ...] = ()
    outputs: tuple[Tensor, ...] = ()


def read_graph(content: bytes, where: str) -> Graph:
    """Reads the graph of a model file with one input and one output.

    Args:
        content: the bytes of the file.
        where: its name, for messages.

    Raises:
        GraphError: no TFLite model, a damaged one, or one with several subgraphs, inputs or outputs.
    """
    return _read(content, where, one_each=True)


def read_operators(content: bytes, where: str) -> Graph:
    """The same for a model with any number of inputs and outputs, such as a detector: its operators are what is wanted.

    Raises:
        GraphError: no TFLite model, a damaged one, or one with several subgraphs.
    """
    return _read(content, where, one_each=False)


def _read(content: bytes, where: str, one_each: bool) -> Graph:
    from ai_edge_litert import schema_py_generated as schema

    if content[4:8] != IDENTIFIER:
        raise GraphError(
            f"{where}: no TFLite model ({len(content)} bytes)",
            f"a file with {IDENTIFIER.decode()} at byte 4",
            "name a file that `python -m convert tflite` wrote",
        )
    try:
        return _parse(content, where, schema, one_each)
    except (struct.error, IndexError, KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise GraphError(f"{where}: damaged ({error})", "a whole TFLite model", "copy or convert it again") from error


def _parse(content: bytes, where: str, schema: Any, one_each: bool) -> Graph:
    model = schema.Model.GetRootAs(content, 0)
    counts = [model.SubgraphsLength()]
    if counts == [1]:
        counts += [model.Subgraphs(0).InputsLength(), model.Subgraphs(0).OutputsLength()]
    if counts != [1, 1, 1] and (one_each or counts[0] != 1 or 0 in counts):
        shown = " and ".join(str(count) for count in counts)
        raise GraphError(
            f"{where}: {shown} subgraphs, inputs and outputs",
            "one of each",
            "convert a classifier; a face detector has several outputs",
        )
    subgraph = model.Subgraphs(0)
    dtypes = {value: name.lower() for name, value in vars(schema.TensorType).items() if not name.startswith("_")}
    builtins = {value: name for name, value in vars(schema.BuiltinOperator).items() if not name.startswith("_")}

    def operator(index: int) -> str:
        code = model.OperatorCodes(subgraph.Operators(index).OpcodeIndex())
        if code.CustomCode() is not None:
            return f"{code.CustomCode().decode(errors='replace')} (custom)"
        return str(builtins[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())])

    def node(index: int) -> Node:
        at = subgraph.Operators(index)
        inputs = (int(at.Inputs(place)) for place in range(at.InputsLength()))
        outputs = tuple(int(at.Outputs(place)) for place in range(at.OutputsLength()))
        version = int(model.OperatorCodes(at.OpcodeIndex()).Version())
        table = schema.OperatorT.InitFromObj(at).builtinOptions
        options = {} if table is None else vars(table)
        numbers = {name: value for name, value in options.items() if isinstance(value, Option)}
        return Node(operator(index), tuple(place for place in inputs if place >= 0), outputs, version, numbers)

    def tensor(index: int) -> Tensor:
        table = subgraph.Tensors(index)
        buffer = model.Buffers(table.Buffer())
        return _tensor(table, dtypes, buffer.DataAsNumpy() if buffer.DataLength() > 0 else None)

    tensors = tuple(tensor(index) for index in range(subgraph.TensorsLength()))
    nodes = tuple(node(index) for index in range(subgraph.OperatorsLength()))
    return Graph(
        len(content),
        dict(Counter(node.operator for node in nodes)),
        tensors[subgraph.Inputs(0)],
        tensors[subgraph.Outputs(0)],
        tensors,
        nodes,
        tuple(tensors[subgraph.Outputs(index)] for index in range(subgraph.OutputsLength())),
    )


def _tensor(tensor: Any, dtypes: dict[int, str], data: Any) -> Tensor:
    """`data`: the bytes of a constant, uint8 (N,); None for a tensor that is computed."""
    shape = tuple(int(tensor.Shape(index)) for index in range(tensor.ShapeLength()))
    signature = tuple(int(tensor.ShapeSignature(index)) for index in range(tensor.ShapeSignatureLength()))
    quantization = tensor.Quantization()
    scales = 0 if quantization is None else int(quantization.ScaleLength())
    dtype = dtypes[tensor.Type()]
    zero_point = int(quantization.ZeroPoint(0)) if scales else 0
    index_type = _INDEX.get(dtype)
    return Tensor(
        (tensor.Name() or b"").decode(errors="replace"),
        shape,
        signature or shape,
        dtype,
        float(quantization.Scale(0)) if scales else 0.0,
        zero_point,
        data is not None,
        scales,
        _values(data, index_type),
        data is not None and dtype in ("int8", "uint8") and bool((data == zero_point % 256).all()),
    )


def _values(data: Any, index_type: str | None) -> tuple[int, ...]:
    if data is None or index_type is None or len(data) > _MOST_VALUES * np.dtype(index_type).itemsize:
        return ()
    return tuple(int(value) for value in np.frombuffer(data.tobytes(), index_type))
