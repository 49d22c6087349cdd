"""Standard TFLite metadata: a model file that says by itself what goes in and what its outputs mean.

Two parts, as the TFLite metadata specification has them: a `TFLITE_METADATA` buffer inside the model (tables of
`metadata_schema.fbs`, version 1.0), and the label file as an uncompressed zip behind the model's bytes. No generated code
for that schema comes with TensorFlow or LiteRT, so the few tables that are needed are written here slot by slot.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import flatbuffers
import numpy as np

from convert.errors import GraphError
from convert.flatbuffer import to_bytes
from edge_runtime.labels import LabelSet

__all__ = ["LABELS_FILE", "Description", "labels_in", "with_metadata"]

LABELS_FILE = "labels.txt"
_ENTRY = "TFLITE_METADATA"
_IDENTIFIER = b"M001"
_PARSER_VERSION = "1.0.0"

# Enumerations of metadata_schema.fbs.
_IMAGE_PROPERTIES = 2
_UNKNOWN_COLOURS, _GRAYSCALE = 0, 2
"""The schema knows RGB, but no BGR."""
_NORMALIZATION_OPTIONS = 1
_TENSOR_AXIS_LABELS = 2


@dataclass(frozen=True)
class Description:
    """What a model says about itself: its name, a sentence, its licence, side and channels of its input, its labels."""

    name: str
    text: str
    licence: str
    size: int
    channels: int
    labels: LabelSet


def with_metadata(content: bytes, description: Description) -> bytes:
    """The same model with metadata and labels; the same arguments give the same bytes.

    Raises:
        GraphError: the model has metadata already.
    """
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(content, 0)
    if any(entry.name == _ENTRY.encode() for entry in model.metadata or ()):
        raise GraphError("a model with TFLite metadata", "one without", "name a file that `convert tflite` wrote")
    # A list of its own, which no operator shares: the board may exchange what it names (`edge_runtime.logits`).
    model.subgraphs[0].outputs = [int(place) for place in model.subgraphs[0].outputs]
    model.metadata = [*(model.metadata or ()), schema.MetadataT(_ENTRY, len(model.buffers))]
    model.buffers.append(schema.BufferT(np.frombuffer(_metadata(description), np.uint8)))
    return _with_labels(to_bytes(model), description.labels)


def labels_in(content: bytes) -> tuple[str, ...]:
    """The labels that a model file carries, in the order of its outputs. Raises GraphError where it has none."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return tuple(archive.read(LABELS_FILE).decode().split("\n")[:-1])
    except (zipfile.BadZipFile, KeyError, UnicodeDecodeError) as error:
        raise GraphError(
            f"a model without {LABELS_FILE} ({error})", "labels behind the model", "pack it again"
        ) from error


def _with_labels(content: bytes, labels: LabelSet) -> bytes:
    buffer = io.BytesIO(content)
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_STORED) as archive:
        # A ZipInfo of its own has a fixed date, so that the same model gives the same bytes.
        archive.writestr(zipfile.ZipInfo(LABELS_FILE), "".join(f"{name}\n" for name in labels.names))
    return buffer.getvalue()


def _metadata(description: Description) -> bytes:
    """The `ModelMetadata` table of the specification. Slots are counted as the schema lists them; a union takes two."""
    builder = flatbuffers.Builder(1024)

    def child(offset: int) -> Callable[[int], None]:
        return lambda slot: builder.PrependUOffsetTRelativeSlot(slot, offset, 0)

    def text(value: str) -> Callable[[int], None]:
        return child(builder.CreateString(value))

    def byte(value: int) -> Callable[[int], None]:
        return lambda slot: builder.PrependInt8Slot(slot, value, 0)

    def unsigned(value: int) -> Callable[[int], None]:
        return lambda slot: builder.PrependUint32Slot(slot, value, 0)

    def table(fields: dict[int, Callable[[int], None]]) -> int:
        builder.StartObject(max(fields) + 1)
        for slot, add in fields.items():
            add(slot)
        return int(builder.EndObject())

    def tables(offsets: Sequence[int]) -> Callable[[int], None]:
        builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            builder.PrependUOffsetTRelative(offset)
        return child(builder.EndVector())

    def floats(value: float) -> Callable[[int], None]:
        builder.StartVector(4, 1, 4)
        builder.PrependFloat32(value)
        return child(builder.EndVector())

    side = description.size
    image = table(
        {
            0: byte(_GRAYSCALE if description.channels == 1 else _UNKNOWN_COLOURS),
            1: child(table({0: unsigned(side), 1: unsigned(side)})),
        }
    )
    normalization = table({0: floats(0.0), 1: floats(1.0)})
    order = "grey" if description.channels == 1 else "BGR"
    pixels = table(
        {
            0: text("pixels"),
            1: text(f"Aligned face, {side} × {side} px, {order}, uint8 from 0 to 255."),
            3: child(table({0: byte(_IMAGE_PROPERTIES), 1: child(image)})),
            4: tables([table({0: byte(_NORMALIZATION_OPTIONS), 1: child(normalization)})]),
        }
    )
    labels = table({0: text(LABELS_FILE), 1: text("Expressions."), 2: byte(_TENSOR_AXIS_LABELS)})
    probabilities = table({0: text("probabilities"), 1: text("Probability of each expression."), 6: tables([labels])})
    subgraph = table({2: tables([pixels]), 3: tables([probabilities])})
    root = table(
        {
            0: text(description.name),
            1: text(description.text),
            3: tables([subgraph]),
            5: text(description.licence),
            7: text(_PARSER_VERSION),
        }
    )
    builder.Finish(root, _IDENTIFIER)
    return bytes(builder.Output())
