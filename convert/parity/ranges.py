"""What a .tflite file's integers hold: weights that are all zero, and how real faces fill the ranges of its activations.

An activation that lies at the end of its range for many faces was clipped there, unless its inputs were already (a pixel of
255) or the operator itself ends there (softmax, ReLU6).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.flatbuffer import builtin_code
from convert.parity.evidence import Ranges, TensorRange, ZeroWeights
from convert.tables import constant

__all__ = ["measure_ranges", "zero_weights"]

_ENDING = ("SOFTMAX", "LOGISTIC", "TANH", "RELU6", "RELU_N1_TO_1", "RELU_0_TO_1", "ARG_MAX")
_PASSING = frozenset(
    [
        "QUANTIZE",
        "DEQUANTIZE",
        "CAST",
        "RESHAPE",
        "SQUEEZE",
        "EXPAND_DIMS",
        "PAD",
        "PADV2",
        "MIRROR_PAD",
        "MAX_POOL_2D",
        "MUL",
        "SUB",
        "ADD",
        "DIV",
        "TRANSPOSE",
        "CONCATENATION",
        "SLICE",
        "STRIDED_SLICE",
        "BATCH_TO_SPACE_ND",
        "SPACE_TO_BATCH_ND",
        "RESIZE_BILINEAR",
        "RESIZE_NEAREST_NEIGHBOR",
    ]
)
_RELU6_END = 5.9
"""A fused ReLU6 ends its values at 6: what lies there was not clipped by the range."""
_LIVELY = 1 / 16
"""A value that moves over less than this share of the range, whatever the face, says nothing about clipping."""
_WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")


def zero_weights(content: bytes, reference: bytes | None = None) -> ZeroWeights:
    """Weights of a model that are zero throughout, but for those that are so in the reference too."""
    names, count = _zeros(content)
    if reference is not None:
        known = set(_zeros(reference)[0])
        names = [name for name in names if name not in known]
    return ZeroWeights(tuple(names), count)


def measure_ranges(content: bytes, pixels: NDArray[np.uint8]) -> Ranges | None:
    """How faces fill the ranges of a model's quantized activations; None for a model that has none.

    Args:
        content: of the candidate.
        pixels: faces as it reads them, uint8 (N, S, S, C).
    """
    subgraph = _subgraph(content)
    tensors = [tensor for tensor in subgraph.tensors if _quantized(tensor)]
    computed = {int(index) for operator in subgraph.operators for index in operator.outputs}
    places = [index for index in sorted(computed) if _quantized(subgraph.tensors[index])]
    if not tensors or not places:
        return None
    filled = _filled(content, places, pixels)
    own = _own(content, subgraph, filled)
    found = []
    for operator in subgraph.operators:
        for index in operator.outputs:
            if int(index) in filled:
                found.append(_range(subgraph.tensors[int(index)], filled[int(index)], own[int(index)]))
    return Ranges(len(pixels), tuple(found))


@dataclass
class _Filled:
    """Of one tensor: each element's lowest and highest stored value over the faces, and how often it was at an end."""

    least: int
    most: int
    lowest: NDArray[np.int64]
    highest: NDArray[np.int64]
    ends: NDArray[np.int64]
    faces: int = 0

    def add(self, stored: NDArray[np.int64], low_counts: bool) -> None:
        np.minimum(self.lowest, stored, out=self.lowest)
        np.maximum(self.highest, stored, out=self.highest)
        self.ends += stored == self.most
        if low_counts:
            self.ends += stored == self.least
        self.faces += 1

    @property
    def saturated(self) -> float:
        lively = (self.highest - self.lowest) >= _LIVELY * (self.most - self.least)
        return float(self.ends[lively].sum() / (self.faces * lively.sum())) if lively.any() else 0.0

    @property
    def used(self) -> float:
        return float((self.highest.max() - self.lowest.min()) / (self.most - self.least))


def _filled(content: bytes, places: list[int], pixels: NDArray[np.uint8]) -> dict[int, _Filled]:
    interpreter = _interpreter(content)
    details = {int(each["index"]): each for each in interpreter.get_tensor_details()}
    found: dict[int, _Filled] = {}
    for face in pixels:
        _feed(interpreter, face)
        for place in places:
            stored = np.asarray(interpreter.get_tensor(place)).astype(np.int64)
            if place not in found:
                limits = np.iinfo(details[place]["dtype"])
                found[place] = _Filled(
                    int(limits.min), int(limits.max), stored.copy(), stored.copy(), np.zeros(stored.shape, np.int64)
                )
            # With the zero point at the lowest integer the range starts at 0: what a ReLU leaves there is no clipping.
            found[place].add(stored, int(details[place]["quantization"][1]) > found[place].least)
    return found


@dataclass(frozen=True)
class _Own:
    """What is a tensor's own: its saturation less what it took over, and whether calibration set its range."""

    saturated: float
    calibrated: bool


def _own(content: bytes, subgraph: Any, filled: dict[int, _Filled]) -> dict[int, _Own]:
    """For each tensor: its saturation less what it took over from its inputs, or what its operator is meant to do."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(content, 0)
    names = {value: name for name, value in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
    sixes = (schema.ActivationFunctionType.RELU6, schema.ActivationFunctionType.RELU_N1_TO_1)
    raw = {int(index) for index in subgraph.inputs}
    own: dict[int, _Own] = {}
    for operator in subgraph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        name = names[builtin_code(code)]
        before = [int(index) for index in operator.inputs if int(index) in filled]
        from_pixels = any(int(index) in raw for index in operator.inputs)
        given = from_pixels or (bool(before) and not any(own[index].calibrated for index in before))
        taken_over = max((filled[index].saturated for index in before), default=0.0)
        fused = getattr(operator.builtinOptions, "fusedActivationFunction", None)
        for index in (int(place) for place in operator.outputs if int(place) in filled):
            six = fused in sixes and _real(subgraph.tensors[index], filled[index].most) > _RELU6_END
            if name in _ENDING or six or (name in _PASSING and from_pixels):
                own[index] = _Own(0.0, False)
            elif name in _PASSING:
                own[index] = _Own(max(0.0, filled[index].saturated - taken_over), not given)
            else:
                own[index] = _Own(filled[index].saturated, True)
    return own


def _range(tensor: Any, filled: _Filled, own: _Own) -> TensorRange:
    name = tensor.name.decode(errors="replace")
    low, high = _real(tensor, filled.least), _real(tensor, filled.most)
    return TensorRange(name, low, high, round(own.saturated, 6), round(filled.used, 6), own.calibrated)


def _interpreter(content: bytes) -> Any:
    """Plain kernels that keep every tensor: XNNPACK, which is faster, keeps none but the last."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    from devices.quiet import quiet_libraries

    with quiet_libraries():
        interpreter = Interpreter(
            model_content=content,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            experimental_preserve_all_tensors=True,
        )
        interpreter.allocate_tensors()
    return interpreter


def _feed(interpreter: Any, face: NDArray[np.uint8]) -> None:
    read = interpreter.get_input_details()[0]
    dtype = np.dtype(read["dtype"])
    offset = int(np.iinfo(dtype).min) if dtype.kind in "iu" else 0
    interpreter.set_tensor(read["index"], (face[None].astype(np.int32) + offset).astype(dtype))
    interpreter.invoke()


def _zeros(content: bytes) -> tuple[list[str], int]:
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(content, 0)
    subgraph = model.subgraphs[0]
    given = {int(index): operator for operator in subgraph.operators for index in operator.outputs}
    names = {value: name for name, value in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
    zero, count = [], 0
    for operator in subgraph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        if names[builtin_code(code)] not in _WEIGHTED:
            continue
        index = int(operator.inputs[1])
        if model.buffers[subgraph.tensors[index].buffer].data is None and index in given:
            index = int(given[index].inputs[0])  # float16 weights come through a DEQUANTIZE
        tensor = subgraph.tensors[index]
        values = constant(model, tensor)
        if values is None:
            continue
        count += 1
        if (values == (tensor.quantization.zeroPoint[0] if _quantized(tensor) else 0)).all():
            zero.append(tensor.name.decode(errors="replace"))
    return zero, count


def _subgraph(content: bytes) -> Any:
    from ai_edge_litert import schema_py_generated as schema

    return schema.ModelT.InitFromPackedBuf(content, 0).subgraphs[0]


def _quantized(tensor: Any) -> bool:
    quantization = tensor.quantization
    if quantization is None or quantization.scale is None or not len(quantization.scale):
        return False
    return bool(tensor.type in _INTEGERS)


_INTEGERS = (3, 7, 9)
"""UINT8, INT16 and INT8 of the schema's TensorType; int32 holds biases and counts."""


def _real(tensor: Any, stored: int) -> float:
    return float((stored - int(tensor.quantization.zeroPoint[0])) * float(tensor.quantization.scale[0]))
