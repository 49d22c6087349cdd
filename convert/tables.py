"""Reading and adding tensors and operators in the tables of a TFLite model, given as the schema's `ModelT` and `SubGraphT`."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convert.flatbuffer import builtin_code

__all__ = ["add_constant", "add_like", "constant", "operator_code", "places", "reshape"]


def places(*numbers: int) -> NDArray[np.int32]:
    """Numbers as they are read from a file, so that what is written again gives the same bytes."""
    return np.array(numbers, "<i4")


def constant(model: Any, tensor: Any) -> NDArray[Any] | None:
    """The numbers of a tensor that stand in the file, of its dtype and shape; None of a computed one, and of types that no
    layer's weights have."""
    from ai_edge_litert import schema_py_generated as schema

    dtypes = {schema.TensorType.FLOAT32: "<f4", schema.TensorType.FLOAT16: "<f2", schema.TensorType.INT32: "<i4"}
    dtypes |= {schema.TensorType.INT8: "<i1", schema.TensorType.UINT8: "<u1", schema.TensorType.INT16: "<i2"}
    data = model.buffers[tensor.buffer].data
    if data is None or len(data) == 0 or tensor.type not in dtypes:
        return None
    stored = np.frombuffer(np.asarray(data, np.uint8).tobytes(), dtypes[tensor.type])
    return stored.reshape(() if tensor.shape is None else tuple(tensor.shape))


def add_like(subgraph: Any, index: int, name: bytes) -> int:
    """Adds a tensor as that at `index`, its name longer by `name`: where it now stands. Constants share their bytes."""
    tensor = copy.copy(subgraph.tensors[index])
    tensor.name = (tensor.name or b"") + b";" + name
    subgraph.tensors.append(tensor)
    return len(subgraph.tensors) - 1


def add_constant(model: Any, subgraph: Any, name: bytes, values: NDArray[Any], scales: ArrayLike | None = None) -> int:
    """Adds a tensor that stands in the file: where it now stands.

    Args:
        values: int8 or int32; of its shape.
        scales: of each of its first dimension's entries, with zero points of 0; None where it is not quantized.
    """
    from ai_edge_litert import schema_py_generated as schema

    buffer, tensor = schema.BufferT(), schema.TensorT()
    buffer.data = np.frombuffer(np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes(), np.uint8)
    model.buffers.append(buffer)
    types = {"int8": schema.TensorType.INT8, "int32": schema.TensorType.INT32}
    tensor.name, tensor.shape, tensor.type = name, places(*values.shape), types[values.dtype.name]
    tensor.buffer = len(model.buffers) - 1
    if scales is not None:
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale = np.asarray(scales, np.float32)
        tensor.quantization.zeroPoint = np.zeros(len(tensor.quantization.scale), np.int64)
    subgraph.tensors.append(tensor)
    return len(subgraph.tensors) - 1


def reshape(model: Any, subgraph: Any, read: int, given: int) -> Any:
    """RESHAPE to the shape of `given`, its batch left open: faces may come in batches."""
    from ai_edge_litert import schema_py_generated as schema

    shape = places(-1, *subgraph.tensors[given].shape[1:])
    operator = schema.OperatorT()
    operator.opcodeIndex = operator_code(model, schema.BuiltinOperator.RESHAPE, 1)
    operator.inputs = places(read, add_constant(model, subgraph, b"shape", shape))
    operator.outputs = places(given)
    options = schema.ReshapeOptionsT()
    options.newShape = shape
    operator.builtinOptions, operator.builtinOptionsType = options, schema.BuiltinOptions.ReshapeOptions
    return operator


def operator_code(model: Any, builtin: int, version: int) -> int:
    """Where the model names a built-in operator of that version; added where it does not yet."""
    from ai_edge_litert import schema_py_generated as schema

    for index, code in enumerate(model.operatorCodes):
        if (builtin_code(code), code.version) == (builtin, version):
            return index
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = builtin
    code.version = version
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1
