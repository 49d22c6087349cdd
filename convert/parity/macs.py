"""Multiply-accumulates for one face: each kernel's weights, once for each place of the output that it is laid on."""

from __future__ import annotations

import math

from convert.graph import Graph, Node

__all__ = ["node_macs", "onnx_macs", "tflite_macs"]

_TFLITE = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
_ONNX = ("Conv", "Gemm", "MatMul")


def tflite_macs(graph: Graph) -> int | None:
    """Of convolutions and dense layers; None where the graph has none, or others with weights."""
    if "TRANSPOSE_CONV" in graph.operators:
        return None
    return sum(node_macs(graph, node) for node in graph.nodes) or None


def node_macs(graph: Graph, node: Node) -> int:
    """Of one operator of a TFLite file; 0 for one that is neither a convolution nor dense."""
    if node.operator not in _TFLITE:
        return 0
    kernel, output = graph.tensors[node.inputs[1]].shape, graph.tensors[node.outputs[0]].shape
    return math.prod(kernel) * math.prod(output[1:-1])


def onnx_macs(content: bytes) -> int | None:
    """The same of an ONNX file; None where its shapes cannot be told."""
    import onnx

    try:
        graph = onnx.shape_inference.infer_shapes(onnx.load_from_string(content)).graph
    except Exception:  # noqa: BLE001 - onnx raises what protobuf raises; a file that is broken is refused elsewhere
        return None
    shapes = {each.name: [side.dim_value for side in each.type.tensor_type.shape.dim] for each in graph.value_info}
    shapes |= {each.name: [side.dim_value for side in each.type.tensor_type.shape.dim] for each in graph.output}
    kernels = {each.name: list(each.dims) for each in graph.initializer}
    macs = 0
    for node in graph.node:
        if node.op_type not in _ONNX or len(node.input) < 2 or node.input[1] not in kernels:
            continue
        shape = shapes.get(node.output[0])
        if shape is None:
            return None
        places = shape[2:] if node.op_type == "Conv" else shape[1:-1]
        if 0 in places:
            return None
        macs += math.prod(kernels[node.input[1]]) * math.prod(places)
    return macs or None
