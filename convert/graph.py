"""What a .tflite file holds, read from its bytes without running it."""

from __future__ import annotations

import struct
from collections import Counter
from dataclasses import dataclass
from typing import Any

from convert.errors import GraphError
from convert.flatbuffer import IDENTIFIER

__all__ = ["Graph", "Node", "Tensor", "read_graph", "read_operators"]


@dataclass(frozen=True)
class Tensor:
    """One tensor: real = scale × (stored - zero_point); scale 0 means that it is not quantized.

    `constant`: its values stand in the file, as those of a weight do.
    """

    name: str
    shape: tuple[int, ...]
    signature: tuple[int, ...]
    dtype: str
    scale: float
    zero_point: int
    constant: bool = False


@dataclass(frozen=True)
class Node:
    """One operator at work; inputs and outputs are places in the graph's `tensors`, absent inputs left out."""

    operator: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


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
        outputs = (int(at.Outputs(place)) for place in range(at.OutputsLength()))
        return Node(operator(index), tuple(place for place in inputs if place >= 0), tuple(outputs))

    def tensor(index: int) -> Tensor:
        table = subgraph.Tensors(index)
        return _tensor(table, dtypes, model.Buffers(table.Buffer()).DataLength() > 0)

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


def _tensor(tensor: Any, dtypes: dict[int, str], constant: bool) -> Tensor:
    shape = tuple(int(tensor.Shape(index)) for index in range(tensor.ShapeLength()))
    signature = tuple(int(tensor.ShapeSignature(index)) for index in range(tensor.ShapeSignatureLength()))
    quantization = tensor.Quantization()
    quantized = quantization is not None and quantization.ScaleLength() > 0
    return Tensor(
        (tensor.Name() or b"").decode(errors="replace"),
        shape,
        signature or shape,
        dtypes[tensor.Type()],
        float(quantization.Scale(0)) if quantized else 0.0,
        int(quantization.ZeroPoint(0)) if quantized else 0,
        constant,
    )
