"""Models for the Edge TPU's rules, made by code: real .tflite files of a few operators, and chains of named operators.

python -m tests.convert.edgetpu_made FOLDER    # writes BROKEN as files, to look at with `python -m convert edgetpu`
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from convert.flatbuffer import to_bytes
from convert.graph import Graph, Node, Tensor

_NUMPY = {"int8": np.int8, "uint8": np.uint8, "int32": np.int32, "float32": np.float32}


class Builder:
    """A .tflite file, operator after operator."""

    def __init__(self) -> None:
        self.buffers: list[Any] = [schema.BufferT()]
        self.codes: list[Any] = []
        self.tensors: list[Any] = []
        self.operators: list[Any] = []

    def tensor(
        self, shape: Sequence[int], dtype: str = "int8", scales: int = 1, data: Any = None, signature: Any = None
    ) -> int:
        """A tensor's place; a constant where `data` is given (a number fills it)."""
        made = schema.TensorT()
        made.name, made.shape, made.shapeSignature = f"t{len(self.tensors)}".encode(), list(shape), signature
        made.type = getattr(schema.TensorType, dtype.upper())
        made.quantization = schema.QuantizationParametersT()
        if scales and dtype != "float32":
            made.quantization.scale, made.quantization.zeroPoint = [0.1] * scales, [0] * scales
        if data is not None:
            buffer = schema.BufferT()
            values = np.broadcast_to(np.asarray(data, _NUMPY[dtype]), tuple(shape))
            buffer.data = np.frombuffer(values.tobytes(), np.uint8)
            made.buffer = len(self.buffers)
            self.buffers.append(buffer)
        self.tensors.append(made)
        return len(self.tensors) - 1

    def add(
        self, operator: str, inputs: Sequence[int], output: int, version: int = 1, options: Any = None, custom: str = ""
    ) -> int:
        """An operator; returns `output`. `options`: a table of the schema, such as Conv2DOptionsT()."""
        code, made = schema.OperatorCodeT(), schema.OperatorT()
        code.builtinCode = schema.BuiltinOperator.CUSTOM if custom else getattr(schema.BuiltinOperator, operator)
        code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), version
        code.customCode = custom.encode() if custom else None
        made.opcodeIndex, made.inputs, made.outputs = len(self.codes), list(inputs), [output]
        if options is not None:
            made.builtinOptions = options
            made.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__[:-1])
        self.codes.append(code)
        self.operators.append(made)
        return output

    def content(self, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        model, subgraph = schema.ModelT(), schema.SubGraphT()
        subgraph.tensors, subgraph.operators = self.tensors, self.operators
        subgraph.inputs, subgraph.outputs = list(inputs), list(outputs)
        model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, self.codes, [subgraph], self.buffers
        return to_bytes(model)


def tiny(
    middle: str = "RELU", version: int = 1, batch: int = 1, opened: bool = False, real: bool = False, scales: int = 1
) -> bytes:
    """uint8 pixels, QUANTIZE, MUL, CONV_2D, `middle`, MEAN, FULLY_CONNECTED, SOFTMAX, QUANTIZE: maps whole as it stands.

    version: of CONV_2D; batch: pictures; opened: the batch may be any; real: float32 throughout, without QUANTIZE;
    scales: of the dense weights.
    """
    made = Builder()
    kind, parameter = ("float32", "float32") if real else ("int8", "int32")
    pictures = (batch, 8, 8, 4)
    open_batch = (-1, 8, 8, 4) if opened else None
    pixels = made.tensor(pictures, kind if real else "uint8", signature=open_batch)
    x = pixels if real else made.add("QUANTIZE", [pixels], made.tensor(pictures, signature=open_batch))
    x = made.add("MUL", [x, made.tensor((), kind, data=3)], made.tensor(pictures, kind), options=schema.MulOptionsT())
    weights, bias = made.tensor((4, 1, 1, 4), kind, scales=4, data=1), made.tensor((4,), parameter, data=0)
    x = made.add(
        "CONV_2D", [x, weights, bias], made.tensor(pictures, kind), version=version, options=schema.Conv2DOptionsT()
    )
    x = made.add(middle, [x], made.tensor(pictures, kind))
    axes = made.tensor((2,), "int32", 0, data=[1, 2])
    x = made.add("MEAN", [x, axes], made.tensor((batch, 4), kind), options=schema.ReducerOptionsT())
    dense, bias = made.tensor((7, 4), kind, scales=scales, data=1), made.tensor((7,), parameter, data=0)
    options = schema.FullyConnectedOptionsT()
    x = made.add("FULLY_CONNECTED", [x, dense, bias], made.tensor((batch, 7), kind), version=4, options=options)
    x = made.add("SOFTMAX", [x], made.tensor((batch, 7), kind), options=schema.SoftmaxOptionsT())
    answers = x if real else made.add("QUANTIZE", [x], made.tensor((batch, 7), "uint8"))
    return made.content([pixels], [answers])


def chain(operators: Iterable[str | tuple[str, tuple[int, ...]]], floats: Sequence[int] = ()) -> Graph:
    """Operators one after another on int8 tensors (1, 8), or of the shape beside a name.

    floats: places of tensors that are float32: 0 is the model's input, N what the operator N - 1 gives.
    """
    tensors = [_eight_bit("input", (1, 8), 0 in floats)]
    nodes = []
    weights = _eight_bit("weights", (8, 8), False, constant=True)
    last = 0
    for number, step in enumerate(operators, 1):
        name, shape = (step, (1, 8)) if isinstance(step, str) else step
        inputs = [last]
        if name in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
            tensors.append(weights)
            inputs.append(len(tensors) - 1)
        if name in ("ADD", "CONCATENATION"):
            inputs.append(last)
        tensors.append(_eight_bit(f"out{number}", shape, number in floats))
        last = len(tensors) - 1
        nodes.append(Node(name, tuple(inputs), (last,)))
    return Graph(0, {}, tensors[0], tensors[-1], tuple(tensors), tuple(nodes))


def _eight_bit(name: str, shape: tuple[int, ...], real: bool, constant: bool = False) -> Tensor:
    return Tensor(name, shape, shape, "float32" if real else "int8", 0.0 if real else 0.1, 0, constant, int(not real))


BROKEN: dict[str, dict[str, Any]] = {
    "leaky": {"middle": "LEAKY_RELU"},
    "open_batch": {"opened": True},
    "float": {"real": True},
    "unknown": {"middle": "RFFT2D"},
    "new_version": {"version": 6},
    "dense": {"scales": 7},
}
"""What `tiny` takes for models that break a rule each."""

if __name__ == "__main__":
    for name, how in BROKEN.items():
        path = Path(sys.argv[1]) / f"{name}.tflite"
        path.write_bytes(tiny(**how))
        print(path)
