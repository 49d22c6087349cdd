"""Keras to ONNX, by tf2onnx from a traced function: `model.export(format="onnx")` traces layers in training mode, and the
file is silently wrong.

The graph takes uint8 pixels, as a bundle's model does, and casts them itself: whoever feeds it an aligned crop of
`edge_runtime.preprocess` has done all there is to do, and cannot scale it once too often. The batch is open.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.errors import GraphError
from convert.quiet import quiet_tensorflow
from convert.source import KerasFacts, check_probabilities, keras_facts
from convert.trial import TOLERANCES, Trial, judge, keras_answers, made_up_pictures
from edge_runtime.illumination import NO_ILLUMINATION
from edge_runtime.labels import LabelSet
from edge_runtime.preprocess import PREPROCESS_VERSION

__all__ = ["INPUT", "OPSET", "OUTPUT", "PACKAGES", "OnnxModel", "check_onnx", "convert_onnx", "onnx_answers"]

OPSET = 17
"""Of the standard operators: ONNX Runtime 1.12 (2022) and later run it."""

INPUT, OUTPUT = "pixels", "probabilities"
PACKAGES = ("tf2onnx", "onnx", "onnxruntime")


@dataclass(frozen=True)
class OnnxModel:
    """A converted model: the bytes of its file, how often each operator occurs, and its trial beside Keras."""

    content: bytes
    operators: Mapping[str, int]
    facts: KerasFacts
    trial: Trial


def convert_onnx(
    model: Any, labels: LabelSet, illumination: str = NO_ILLUMINATION, where: str = "model", opset: int = OPSET
) -> OnnxModel:
    """Converts a Keras model; the result has passed `onnx.checker`, `check_onnx` and a trial in ONNX Runtime.

    Args:
        model: pixels 0..255, float32 (None, S, S, C), to probabilities (None, classes).
        labels: in the order of the outputs; they go into the file's metadata.
        illumination: that the model was trained with, for the metadata.
        where: the model's name, for messages.
        opset: of the standard operators.

    Raises:
        SourceError: a model that is not of that form, or whose outputs are no probabilities.
        GraphError: tf2onnx refuses it, the labels are not as many as the outputs, or the result is no sound graph.
        TrialError: ONNX Runtime answers otherwise than Keras, by more than 1e-4.
    """
    facts = keras_facts(model, where)
    if len(labels) != facts.classes:
        raise GraphError(
            f"{where}: {facts.classes} outputs for the {len(labels)} labels of {labels.name!r}",
            f"{len(labels)} outputs",
            "name the label set that the model was trained with",
        )
    check_probabilities(model, facts, where)
    try:
        with quiet_tensorflow():
            proto = _traced(model, facts, opset)
    except ModuleNotFoundError:
        raise
    except Exception as error:  # tf2onnx raises what its parts raise
        raise _refused(where, "tf2onnx", error) from error
    _describe(proto, labels, illumination)
    content = bytes(proto.SerializeToString())
    operators = check_onnx(content, facts.classes, where)
    pictures = made_up_pictures(facts.size, facts.channels)
    trial = judge(keras_answers(model, pictures), onnx_answers(content, pictures, where), where, TOLERANCES["float32"])
    return OnnxModel(content, operators, facts, trial)


def check_onnx(content: bytes, classes: int, where: str) -> dict[str, int]:
    """Checks a file's static facts; the count of each operator where they hold.

    It passes `onnx.checker` with inferred shapes, has standard operators alone, one input uint8 (N, S, S, C) and one
    output float32 (N, classes).

    Raises:
        GraphError: the first fact that does not hold.
    """
    with quiet_tensorflow():
        import onnx

        try:
            proto = onnx.load_from_string(content)
            onnx.checker.check_model(proto, full_check=True)
        except Exception as error:  # protobuf's and ONNX' own errors have no common base
            raise _refused(where, "onnx.checker", error) from error
    again = "convert it again with `python -m convert onnx`"
    foreign = sorted({node.domain for node in proto.graph.node} - {"", "ai.onnx"})
    if foreign:
        raise GraphError(f"{where}: operators of the domain {foreign[0]!r}", "standard ONNX operators only", again)
    if len(proto.graph.input) != 1 or len(proto.graph.output) != 1:
        counts = f"{len(proto.graph.input)} inputs and {len(proto.graph.output)} outputs"
        raise GraphError(f"{where}: {counts}", "one of each", "convert a model of one picture")
    kind, shape = _type_of(proto.graph.input[0])
    if kind != "UINT8" or len(shape) != 4 or 0 in shape[1:] or shape[1] != shape[2] or shape[3] not in (1, 3):
        raise GraphError(
            f"{where}: input {kind} {shape}",
            "UINT8 (N, size, size, channels), 1 or 3 channels, the batch alone open",
            again,
        )
    kind, shape = _type_of(proto.graph.output[0])
    if kind != "FLOAT" or len(shape) != 2 or shape[1] != classes:
        raise GraphError(
            f"{where}: output {kind} {shape}",
            f"FLOAT (N, {classes}), one probability for each of {classes} labels",
            "name the label set that the model was trained with",
        )
    return dict(Counter(node.op_type for node in proto.graph.node))


def onnx_answers(content: bytes, pictures: NDArray[np.uint8], where: str) -> NDArray[np.float32]:
    """What ONNX Runtime answers on one CPU thread for uint8 pictures (N, S, S, C). Raises GraphError if it refuses."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        answers = session.run(None, {session.get_inputs()[0].name: pictures})[0]
    except Exception as error:  # its errors derive from Exception alone
        raise _refused(where, "ONNX Runtime", error) from error
    return np.asarray(answers, np.float32)


def _traced(model: Any, facts: KerasFacts, opset: int) -> Any:
    import tensorflow as tf
    import tf2onnx

    signature = [tf.TensorSpec((None, facts.size, facts.size, facts.channels), tf.uint8, name=INPUT)]
    function = tf.function(lambda pixels: model(tf.cast(pixels, tf.float32), training=False))
    proto, _ = tf2onnx.convert.from_function(function, input_signature=signature, opset=opset)
    used = {node.domain for node in proto.graph.node} | {""}
    imported = [opset for opset in proto.opset_import if opset.domain in used]
    del proto.opset_import[:]
    proto.opset_import.extend(imported)
    before = proto.graph.output[0].name
    for node in proto.graph.node:
        node.input[:] = [OUTPUT if name == before else name for name in node.input]
        node.output[:] = [OUTPUT if name == before else name for name in node.output]
    proto.graph.output[0].name = OUTPUT
    for ends in (proto.graph.input, proto.graph.output):
        for end in ends:
            end.type.tensor_type.shape.dim[0].dim_param = "N"
    return proto


def _describe(proto: Any, labels: LabelSet, illumination: str) -> None:
    """Metadata that a reader of ONNX files finds with any tool; each value is a text."""
    texts = {
        "labels": json.dumps(list(labels.names)),
        "label_set": labels.name,
        "illumination": illumination,
        "preprocess": str(PREPROCESS_VERSION),
        "input": "aligned faces, uint8 from 0 to 255, (N, size, size, channels), grey or BGR; the graph scales them",
        "output": "one probability for each label",
    }
    for key, value in texts.items():
        entry = proto.metadata_props.add()
        entry.key, entry.value = key, value


def _type_of(end: Any) -> tuple[str, tuple[int, ...]]:
    """Type and shape of an input or output; an open side is 0."""
    import onnx

    kind = onnx.TensorProto.DataType.Name(end.type.tensor_type.elem_type)
    return kind, tuple(int(side.dim_value) for side in end.type.tensor_type.shape.dim)


def _refused(where: str, tool: str, error: Exception) -> GraphError:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return GraphError(
        f"{where}: {tool} refuses it ({reason[:200]})", "layers that ONNX has", "replace the layer that it names"
    )
